#include "vault/engine/committed_state.h"

#include <algorithm>
#include <new>
#include <span>

#include "audit/entries/entry.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "vault/base/big_endian.h"
#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

// A table that decides what a request may do, without what is no decision, or is written without an
// entry: when a session was used last, what the clock was, which keys signed the ledger (each start
// adds those of the keyring), how far the scrub has come.
struct CommittedTable {
  std::string_view name;
  std::string_view except_column = {};
  std::string_view rows = {};  // all, or those of which this is true of the row `%`
};
constexpr std::array<CommittedTable, kCommittedTables> kCommitted = {{
    {"approvals"},
    {"assignments"},
    {"breach_events"},
    {"breaches"},
    {"classes"},
    {"client_restrictions"},
    {"consent_texts"},
    {"consent_wordings"},
    {"consents"},
    {"emergencies"},
    {"holds"},
    {"leases"},
    {"notice_steps"},
    {"notices"},
    {"package_parts"},
    {"packages"},
    {"principals"},
    // Their texts are hashed beside, and compared when they are read.
    {"processing_documents", "definition"},
    {"processing_versions", "register"},
    {"purposes"},
    {"recipient_events"},
    {"recipient_principals"},
    {"recipients"},
    {"restrictions"},
    {"retention_restrictions"},
    {"retention_schedules"},
    {"roles"},
    {"settings", {}, "%.name NOT IN ('clock-seen', 'ledger-keys', 'scrub-position')"},
    {"teams"},
    {"tokens", "seen"},
    {"user_credentials"},
}};

constexpr std::string_view kStateKeyLabel = "coffer-state-key-v1";
constexpr std::string_view kStateLabel = "coffer-state-v1";
constexpr std::string_view kReadStored = "SELECT size, seq, sums FROM committed_state WHERE id = 1";
constexpr std::string_view kStore =
    "INSERT INTO committed_state (id, size, seq, sums) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO "
    "UPDATE SET size = excluded.size, seq = excluded.seq, sums = excluded.sums";
constexpr std::string_view kAdvance = "UPDATE committed_state SET size = ? WHERE id = 1";

std::string FunctionOf(const CommittedTable& table) {
  return "committed_" + std::string(table.name);
}

std::string ConditionOf(const CommittedTable& table, std::string_view row) {
  std::string condition(table.rows);
  if (const auto at = condition.find('%'); at != condition.npos) condition.replace(at, 1, row);
  return condition;
}

// committed_<table>(sign, row.a, row.b, ...)
std::string CallOf(const CommittedTable& table, const std::vector<std::string>& columns, int sign,
                   std::string_view row) {
  std::string call = FunctionOf(table) + "(" + std::to_string(sign);
  for (const auto& column : columns) call += ", " + std::string(row) + ".\"" + column + "\"";
  return call + ")";
}

void AppendLengthed(ByteView bytes, Bytes& out) {
  AppendU64(out, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

StateSum SumOf(const crypto::Hash& hash) {
  StateSum sum{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    sum[i / 8] |= std::uint64_t{hash[i]} << (8 * (i % 8));
  }
  return sum;
}

void Add(StateSum& sum, const StateSum& term) {
  bool carry = false;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const bool first = __builtin_add_overflow(sum[i], term[i], &sum[i]);
    const bool second = __builtin_add_overflow(sum[i], std::uint64_t{carry}, &sum[i]);
    carry = first || second;
  }
}

void Subtract(StateSum& sum, const StateSum& term) {
  bool borrow = false;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const bool first = __builtin_sub_overflow(sum[i], term[i], &sum[i]);
    const bool second = __builtin_sub_overflow(sum[i], std::uint64_t{borrow}, &sum[i]);
    borrow = first || second;
  }
}

// Each table's name and sum, without those that are empty: a table that joins the list later is not
// missed where it has no rows.
Bytes FormatSums(const StateSums& sums) {
  Bytes out;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == StateSum{}) continue;
    AppendLengthed(crypto::AsBytes(kCommitted[i].name), out);
    for (const std::uint64_t limb : sums[i]) AppendU64(out, limb);
  }
  return out;
}

}  // namespace

CommittedState::CommittedState(Database& database, const crypto::Keyring& keyring)
    : database_(database), key_(crypto::DeriveKey(keyring.note_key(), kStateKeyLabel)) {}

Result<std::unique_ptr<CommittedState>> CommittedState::Open(Database& database,
                                                             const crypto::Keyring& keyring) {
  std::unique_ptr<CommittedState> state(new CommittedState(database, keyring));
  COFFER_TRY(state->Prepare());
  return state;
}

CommittedState::~CommittedState() {
  if (followed_) return;
  for (const CommittedTable& table : kCommitted) {
    (void)database_.DefineFunction(FunctionOf(table), nullptr);
  }
}

Status CommittedState::Prepare() {
  for (std::size_t i = 0; i < kCommitted.size(); ++i) {
    Table& table = tables_[i];
    table.index = i;
    COFFER_ASSIGN(table.columns, ColumnsOf(database_, kCommitted[i].name));
    std::erase(table.columns, kCommitted[i].except_column);
    std::ranges::sort(table.columns);
    COFFER_TRY(database_.DefineFunction(FunctionOf(kCommitted[i]),
                                        [this, i](SqlValues values) { OnRow(i, values); }));
  }
  COFFER_ASSIGN(const bool kept, HasColumn(database_, "committed_state", "sums"));
  if (!kept) return {};
  COFFER_ASSIGN(read_, Statement::Prepare(database_, kReadStored));
  COFFER_ASSIGN(store_, Statement::Prepare(database_, kStore));
  COFFER_ASSIGN(advance_, Statement::Prepare(database_, kAdvance));
  return {};
}

Status CommittedState::SumUp() {
  sums_ = {};
  for (const Table& table : tables_) {
    if (table.columns.empty()) continue;  // in a copy from before it
    const CommittedTable& committed = kCommitted[table.index];
    const std::string condition = ConditionOf(committed, "stored");
    COFFER_ASSIGN(auto statement,
                  Statement::Prepare(
                      database_, "SELECT " + CallOf(committed, table.columns, 1, "stored") +
                                     " FROM main." + std::string(committed.name) + " AS stored" +
                                     (condition.empty() ? "" : " WHERE " + condition)));
    auto rows = statement.Query();
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
    }
  }
  return {};
}

// Triggers of the connection's own: nothing of them is in the file, and no statement of a store can
// forget them.
Status CommittedState::Follow() {
  followed_ = true;
  for (const Table& table : tables_) {
    const CommittedTable& committed = kCommitted[table.index];
    const std::string name(committed.name);
    const auto follow = [&](std::string_view what, const std::vector<std::string>& rows) {
      std::string sql = "CREATE TEMP TRIGGER committed_" + name + "_" + std::string(what) +
                        " AFTER " + std::string(what) + " ON main." + name + " BEGIN ";
      for (const std::string& row : rows) {
        const std::string condition = ConditionOf(committed, row);
        sql += "SELECT " + CallOf(committed, table.columns, row == "OLD" ? -1 : 1, row) +
               (condition.empty() ? "" : " WHERE " + condition) + "; ";
      }
      return database_.Execute((sql + "END").c_str());
    };
    COFFER_TRY(follow("INSERT", {"NEW"}));
    COFFER_TRY(follow("DELETE", {"OLD"}));
    COFFER_TRY(follow("UPDATE", {"OLD", "NEW"}));
  }
  return {};
}

void CommittedState::OnRow(std::size_t table, SqlValues values) {
  StateSum& sum = sums_[table];
  const StateSum term = SumOf(HashRow(table, values.subspan(1)));
  SqlValue(values[0]).Int() > 0 ? Add(sum, term) : Subtract(sum, term);
}

// Columns by name and without NULLs: one that a later version adds changes no row that has none.
crypto::Hash CommittedState::HashRow(std::size_t table, SqlValues values) const {
  const std::vector<std::string>& columns = tables_[table].columns;
  Bytes row;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const SqlValue value(values[i]);
    const SqlValue::Type type = value.type();
    if (type == SqlValue::Type::kNull) continue;
    AppendLengthed(crypto::AsBytes(columns[i]), row);
    row.push_back(static_cast<std::uint8_t>(type));
    if (type == SqlValue::Type::kInteger) {
      AppendU64(row, static_cast<std::uint64_t>(value.Int()));
    } else {
      AppendLengthed(value.Blob(), row);
    }
  }
  return crypto::KeyedHash(key_, {crypto::AsBytes(kCommitted[table].name), row});
}

crypto::Hash CommittedState::Hash() const {
  return crypto::KeyedHash(key_, {crypto::AsBytes(kStateLabel), FormatSums(sums_)});
}

Status CommittedState::Store(std::uint64_t size, std::uint64_t seq) {
  return store_->Execute(size, seq, ByteView(FormatSums(sums_)));
}

Status CommittedState::Advance(std::uint64_t size) { return advance_->Execute(size); }

Result<std::optional<CommittedState::Stored>> CommittedState::ReadStored() {
  if (!read_) return std::nullopt;
  auto rows = read_->Query();
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  const ByteView sums = rows.Blob(2);
  return Stored{static_cast<std::uint64_t>(rows.Int(0)), static_cast<std::uint64_t>(rows.Int(1)),
                Bytes(sums.begin(), sums.end())};
}

Result<std::optional<CommittedState::Logged>> CommittedState::FindLogged(LogStore& log) {
  COFFER_ASSIGN(const auto stored, ReadStored());
  std::optional<Logged> logged;
  if (stored) {
    COFFER_ASSIGN(const auto bytes, log.ReadEntry(stored->seq));
    const auto entry = audit::ParseEntry(bytes.value_or(""));
    if (!entry || !entry->state_hash) {
      return Fail(Code::kCorrupted, "log_gap",
                  "entry " + std::to_string(stored->seq) + " does not say what the state was");
    }
    logged = Logged{stored->seq, *entry->state_hash};
  }
  // Each follows the one before: an old page of the log, without the last entries that it had
  // since, hides none.
  std::uint64_t next = stored ? stored->size : 0;
  std::optional<crypto::Hash> prev;
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  COFFER_TRY(log.ReadEntries(next, size, [&](std::uint64_t seq, std::string_view bytes) -> Status {
    const auto entry = audit::ParseEntry(bytes);
    if (!entry || seq != next || entry->seq != seq || (prev && entry->prev != *prev)) {
      return Fail(Code::kCorrupted, "log_gap",
                  "entry " + std::to_string(next) + " is missing from the log, or altered");
    }
    ++next;
    prev = crypto::Sha256(crypto::AsBytes(bytes));
    if (entry->state_hash) logged = Logged{seq, *entry->state_hash};
    return {};
  }));
  return logged;
}

Result<std::optional<std::string>> CommittedState::FindDifference(LogStore& log) {
  COFFER_TRY(SumUp());
  COFFER_ASSIGN(const auto logged, FindLogged(log));
  if (!logged || Hash() == logged->hash) return std::nullopt;
  COFFER_ASSIGN(const auto stored, ReadStored());
  return DescribeDifference(stored, *logged);
}

std::string CommittedState::DescribeDifference(const std::optional<Stored>& stored,
                                               const Logged& logged) const {
  std::string tables;
  // The sums are those that the log means, or old themselves and of no use.
  if (stored && stored->seq == logged.seq &&
      crypto::KeyedHash(key_, {crypto::AsBytes(kStateLabel), stored->sums}) == logged.hash) {
    for (std::size_t i = 0; i < kCommittedTables; ++i) {
      StateSums one{};
      one[i] = sums_[i];
      const Bytes own = FormatSums(one);
      Bytes named;
      AppendLengthed(crypto::AsBytes(kCommitted[i].name), named);
      const bool there = !std::ranges::search(stored->sums, named).empty();
      const bool same = own.empty() ? !there : !std::ranges::search(stored->sums, own).empty();
      if (!same) tables += (tables.empty() ? "" : ", ") + std::string(kCommitted[i].name);
    }
  }
  return (tables.empty() ? std::string("people, tokens, roles, holds or settings are")
                         : "of the tables " + tables + " something is") +
         " not what the log last recorded: an older page was put back, or they were changed past "
         "the vault";
}

}  // namespace coffer::vault
