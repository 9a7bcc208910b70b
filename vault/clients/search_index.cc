#include "vault/clients/search_index.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "vault/base/big_endian.h"
#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kTokenLabel = "coffer-index-v1";
constexpr std::string_view kKeyLabel = "coffer-index-key-v1";

constexpr std::string_view kGenerations =
    "SELECT live, max(live, coalesce(next, live)) FROM index_state";
constexpr std::string_view kReadState =
    "SELECT live, next, phase, position, done, rules, begun, exchanged, uncovered, uncovered_next "
    "FROM index_state WHERE id = 1";
constexpr std::string_view kStoreState =
    "UPDATE index_state SET live = ?, next = ?, phase = ?, position = ?, done = ?, rules = ?, "
    "begun = ?, exchanged = ?, uncovered = ?, uncovered_next = ? WHERE id = 1";
constexpr std::string_view kMarkUncovered =
    "UPDATE index_state SET uncovered = coalesce(uncovered, ?1), "
    "uncovered_next = iif(next IS NULL, NULL, coalesce(uncovered_next, ?1)) WHERE id = 1";
constexpr std::string_view kReadCoverage =
    "SELECT class, field, normalisation, live, next FROM index_coverage";
constexpr std::string_view kPutCoverage =
    "INSERT INTO index_coverage (class, field, normalisation, live, next) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (class, field) DO UPDATE SET normalisation = excluded.normalisation, "
    "live = excluded.live, next = excluded.next";
constexpr std::string_view kBeginCoverage = "UPDATE index_coverage SET next = 0";
constexpr std::string_view kDropCoverage =
    "DELETE FROM index_coverage WHERE class = ? AND field = ?";
constexpr std::string_view kDropUncovered = "DELETE FROM index_coverage WHERE next = 0";
constexpr std::string_view kPromoteCoverage = "UPDATE index_coverage SET live = 1, next = 0";

// The tables of even and of odd generations.
constexpr std::string_view kIndexTables[] = {"blind_index", "blind_index_odd"};
constexpr std::string_view kRefTables[] = {"client_refs", "client_refs_odd"};

// `%` is the table.
std::string OnTable(std::string_view sql, std::string_view table) {
  std::string text(sql);
  for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + table.size())) {
    text.replace(at, 1, table);
  }
  return text;
}
constexpr std::string_view kPutToken =
    "INSERT INTO % (token, record) VALUES (?, ?) ON CONFLICT DO NOTHING";
constexpr std::string_view kRemoveToken = "DELETE FROM % WHERE token = ? AND record = ?";
constexpr std::string_view kFindToken =
    "SELECT record FROM % WHERE token = ? AND record > ? ORDER BY record LIMIT ?";
constexpr std::string_view kClearTokens =
    "DELETE FROM % WHERE (token, record) IN (SELECT token, record FROM % ORDER BY token, record "
    "LIMIT ?) RETURNING 1";
constexpr std::string_view kRemoveRecords = "DELETE FROM % WHERE record IN ";
constexpr std::string_view kPutRef =
    "INSERT INTO % (ref, client) VALUES (?, ?) ON CONFLICT DO NOTHING";
constexpr std::string_view kRemoveRef = "DELETE FROM % WHERE ref = ? AND client = ?";
constexpr std::string_view kFindRef = "SELECT client FROM % WHERE ref = ?";
constexpr std::string_view kClearRefs =
    "DELETE FROM % WHERE ref IN (SELECT ref FROM % ORDER BY ref LIMIT ?) RETURNING 1";
constexpr std::string_view kRemoveClients = "DELETE FROM % WHERE client IN ";

std::optional<std::int64_t> StoredTime(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ms;
}

std::optional<Timestamp> ReadTime(const Cursor& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return Timestamp{row.Int(column)};
}

std::string JsonListOf(std::span<const std::int64_t> numbers) {
  std::string list = "[";
  for (const std::int64_t number : numbers) {
    if (list.size() > 1) list += ',';
    list += std::to_string(number);
  }
  return list + ']';
}

Result<std::int64_t> CountRows(Cursor rows) {
  for (std::int64_t count = 0;; ++count) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return count;
  }
}

// What wraps them is nothing else's key.
crypto::SecretBytes KeyOfKeys(const crypto::Keyring& keyring) {
  crypto::Hash derived = crypto::KeyedHash(keyring.blind_index_key(), {crypto::AsBytes(kKeyLabel)});
  auto key = crypto::SecretBytes::CopyOf(derived);
  crypto::Wipe(derived);
  return key;
}

Bytes KeyContext(const crypto::Keyring& keyring, std::uint64_t generation) {
  Bytes context;
  for (const ByteView part : {crypto::AsBytes(kKeyLabel), ByteView(keyring.vault_id())}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  AppendU64(context, generation);
  return context;
}

}  // namespace

std::int64_t MadeBy(const Field& field) {
  std::int64_t made = crypto::SearchRules();
  made = made << 8 | static_cast<int>(field.normalisation);
  for (std::size_t i = 0; i < 2; ++i) {
    made = made << 8 | (i < field.region.size() ? field.region[i] : 0);
  }
  return made;
}

Result<SearchIndex::Generations> SearchIndex::ReadGenerations(const Database& vault) {
  COFFER_ASSIGN(auto query, Statement::Prepare(vault, kGenerations));
  auto row = query.Query();
  COFFER_ASSIGN(const bool found, row.Next());
  if (!found) return Fail(Code::kCorrupted, "storage_corrupted", "the index has no state");
  return Generations{static_cast<std::uint64_t>(row.Int(0)),
                     static_cast<std::uint64_t>(row.Int(1))};
}

Result<SearchIndex> SearchIndex::Open(Database& database) {
  SearchIndex index;
  const auto prepare = [&](Statement& statement, std::string_view sql) -> Status {
    COFFER_ASSIGN(statement, Statement::Prepare(database, sql));
    return {};
  };
  COFFER_TRY(prepare(index.read_state_, kReadState));
  COFFER_TRY(prepare(index.store_state_, kStoreState));
  COFFER_TRY(prepare(index.mark_, kMarkUncovered));
  COFFER_TRY(prepare(index.read_coverage_, kReadCoverage));
  COFFER_TRY(prepare(index.put_coverage_, kPutCoverage));
  COFFER_TRY(prepare(index.begin_coverage_, kBeginCoverage));
  COFFER_TRY(prepare(index.drop_coverage_, kDropCoverage));
  COFFER_TRY(prepare(index.drop_uncovered_, kDropUncovered));
  COFFER_TRY(prepare(index.promote_coverage_, kPromoteCoverage));
  COFFER_ASSIGN(index.arrivals_, IndexArrivals::Open(database));
  const std::string members = "(" + std::string(kArrayMembers) + ")";
  for (std::size_t i = 0; i < 2; ++i) {
    Tables& tables = index.tables_[i];
    COFFER_TRY(prepare(tables.put, OnTable(kPutToken, kIndexTables[i])));
    COFFER_TRY(prepare(tables.remove, OnTable(kRemoveToken, kIndexTables[i])));
    COFFER_TRY(prepare(tables.find, OnTable(kFindToken, kIndexTables[i])));
    COFFER_TRY(prepare(tables.clear, OnTable(kClearTokens, kIndexTables[i])));
    COFFER_TRY(prepare(tables.remove_records, OnTable(kRemoveRecords, kIndexTables[i]) + members));
    COFFER_TRY(prepare(tables.put_ref, OnTable(kPutRef, kRefTables[i])));
    COFFER_TRY(prepare(tables.remove_ref, OnTable(kRemoveRef, kRefTables[i])));
    COFFER_TRY(prepare(tables.find_ref, OnTable(kFindRef, kRefTables[i])));
    COFFER_TRY(prepare(tables.clear_refs, OnTable(kClearRefs, kRefTables[i])));
    COFFER_TRY(prepare(tables.remove_clients, OnTable(kRemoveClients, kRefTables[i]) + members));
  }
  return index;
}

Result<crypto::SecretBytes> UnwrapIndexKey(const crypto::Keyring& keyring, std::uint64_t generation,
                                           ByteView wrapped) {
  COFFER_ASSIGN(auto key, crypto::OpenSecret(KeyOfKeys(keyring).ExposeSecret(),
                                             KeyContext(keyring, generation), wrapped));
  if (key.size() != crypto::kAeadKeyBytes) {
    return Fail(Code::kCorrupted, "storage_corrupted", "a key of the search index");
  }
  return key;
}

Bytes SearchIndex::WrapKey(const crypto::Keyring& keyring, std::uint64_t generation, ByteView key) {
  return crypto::Seal(KeyOfKeys(keyring).ExposeSecret(), 0, KeyContext(keyring, generation), key);
}

BlindToken SearchIndex::Derive(const crypto::SecretBytes& key, const BlindToken& token) {
  const crypto::Hash hash = crypto::KeyedHash(key, {crypto::AsBytes(kTokenLabel), token});
  BlindToken derived;
  std::copy_n(hash.begin(), derived.size(), derived.begin());
  return derived;
}

Status SearchIndex::Load(KeyStore& keys, const crypto::Keyring& keyring, const Catalog& catalog) {
  keys_.clear();
  COFFER_ASSIGN(const auto wrapped, keys.IndexKeys());
  state_.newest_key = 0;
  for (const auto& [generation, sealed] : wrapped) {
    state_.newest_key = std::max(state_.newest_key, generation);
    auto key = UnwrapIndexKey(keyring, generation, sealed);
    // One that cannot be opened is as good as none: the index is built anew.
    if (key) keys_.emplace(generation, *std::move(key));
  }
  run_.reset();
  run_before_.reset();
  COFFER_TRY(arrivals_.Load());
  return Reload(catalog);
}

Status SearchIndex::Reload(const Catalog& catalog) {
  IndexState state;
  {
    auto row = read_state_.Query();
    COFFER_ASSIGN(const bool found, row.Next());
    if (!found) return Fail(Code::kCorrupted, "storage_corrupted", "the index has no state");
    state.live = static_cast<std::uint64_t>(row.Int(0));
    if (!row.IsNull(1)) state.next = static_cast<std::uint64_t>(row.Int(1));
    state.phase = static_cast<IndexPhase>(std::clamp<std::int64_t>(row.Int(2), 0, 4));
    state.position = row.Int(3);
    state.done = static_cast<std::uint64_t>(row.Int(4));
    state.rules = static_cast<std::uint32_t>(row.Int(5));
    state.begun = ReadTime(row, 6);
    state.exchanged = ReadTime(row, 7);
    state.uncovered = ReadTime(row, 8);
    state.uncovered_next = ReadTime(row, 9);
  }
  state.newest_key = state_.newest_key;
  state.live_usable = state.live == 0 || keys_.contains(state.live);
  state.next_usable = !state.next || keys_.contains(*state.next);

  Coverage live, next;
  {
    auto rows = read_coverage_.Query();
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
      FieldKey key{rows.Text(0), rows.Text(1)};
      const std::int64_t made_by = rows.Int(2);
      if (rows.Int(4) != 0) next.emplace(key, made_by);
      if (rows.Int(3) != 0) live.emplace(std::move(key), made_by);
    }
  }
  const auto& reached = state.building() ? next : live;
  for (const auto& [name, versions] : catalog.classes) {
    for (const Field& field : versions.back()->fields) {
      if (!field.indexed) continue;
      if (!Has(live, name, field)) state.fields_whole = false;
      if (!Has(reached, name, field)) state.lacks_fields = true;
    }
  }
  state_ = state;
  live_coverage_ = std::move(live);
  next_coverage_ = std::move(next);
  return {};
}

bool SearchIndex::Has(const Coverage& coverage, std::string_view class_name, const Field& field) {
  const auto found = coverage.find(FieldKey{class_name, field.name});
  return found != coverage.end() && found->second == MadeBy(field);
}

const crypto::SecretBytes* SearchIndex::KeyOf(std::uint64_t generation) const {
  const auto found = keys_.find(generation);
  return found == keys_.end() ? nullptr : &found->second;
}

// Precondition: its key is there.
BlindToken SearchIndex::TokenOf(std::uint64_t generation, const BlindToken& token) const {
  return generation == 0 ? token : Derive(*KeyOf(generation), token);
}

bool SearchIndex::NextHasRecord(std::int64_t record) const {
  return state_.phase == IndexPhase::kRecords && state_.next_usable && record <= state_.position;
}

bool SearchIndex::NextHasClient(std::int64_t client) const {
  return state_.next_usable &&
         (state_.phase == IndexPhase::kRecords ||
          (state_.phase == IndexPhase::kClients && client <= state_.position));
}

template <class Apply>
Status SearchIndex::ForEach(const IndexTerms& terms, Apply&& apply) {
  if (terms.import_token) COFFER_TRY(apply(*terms.import_token));
  for (std::size_t at = 0; at + kTokenBytes <= terms.tokens.size(); at += kTokenBytes) {
    BlindToken token;
    std::copy_n(terms.tokens.begin() + static_cast<std::ptrdiff_t>(at), kTokenBytes, token.begin());
    COFFER_TRY(apply(token));
  }
  return {};
}

Status SearchIndex::Put(std::int64_t record, const IndexTerms& terms) {
  const auto put = [&](std::uint64_t generation) {
    return ForEach(terms,
                   [&](const BlindToken& token) { return PutToken(generation, token, record); });
  };
  if (state_.live_usable) COFFER_TRY(put(state_.live));
  return NextHasRecord(record) ? put(*state_.next) : Status{};
}

Status SearchIndex::PutToken(std::uint64_t generation, const BlindToken& token,
                             std::int64_t record) {
  const BlindToken stored = TokenOf(generation, token);
  COFFER_TRY(PayForWaiting());
  if (HasRoomToWait()) {
    return arrivals_.Put(PlaceOf(IndexPlace::kTokens, generation), stored, record);
  }
  return TablesOf(generation).put.Execute(ByteView(stored), record);
}

// Whoever stores faster than the builder merges would have nothing more wait. Each pays for more
// than comes by it (a token is merged once and dropped once), some at a time, so that they share
// pages.
Status SearchIndex::PayForWaiting() {
  constexpr std::size_t kStepsForEach = 4, kPaidAtOnce = 64;
  // Where a page of a sorted table is damaged, what touches it takes its batch along: that is for
  // the builder to find, and not for whoever stores something else.
  if (merge_failed_) return {};
  if (arrivals_.size() <= merge_after_ + merge_after_ / 2) return {};
  owed_ += kStepsForEach;
  if (owed_ < std::min(kPaidAtOnce, merge_after_)) return {};
  const std::size_t steps = std::exchange(owed_, 0);
  COFFER_TRY(MergeSome(steps));
  return {};
}

Status SearchIndex::Remove(std::int64_t record, const IndexTerms& terms) {
  const auto remove = [&](std::uint64_t generation) {
    return ForEach(terms, [&](const BlindToken& token) -> Status {
      const BlindToken stored = TokenOf(generation, token);
      COFFER_TRY(arrivals_.Remove(PlaceOf(IndexPlace::kTokens, generation), stored, record));
      return TablesOf(generation).remove.Execute(ByteView(stored), record);
    });
  };
  if (state_.live_usable) COFFER_TRY(remove(state_.live));
  return NextHasRecord(record) ? remove(*state_.next) : Status{};
}

void SearchIndex::NoteUnread(std::span<const std::int64_t> records,
                             std::optional<std::int64_t> client) {
  unread_records_.insert(unread_records_.end(), records.begin(), records.end());
  if (client) unread_clients_.push_back(*client);
}

Status SearchIndex::RemoveUnread() {
  COFFER_TRY(arrivals_.RemoveOwners(IndexPlace::kTokens, unread_records_));
  COFFER_TRY(arrivals_.RemoveOwners(IndexPlace::kReferences, unread_clients_));
  const std::string records = JsonListOf(unread_records_), clients = JsonListOf(unread_clients_);
  for (Tables& tables : tables_) {
    if (!unread_records_.empty()) {
      COFFER_TRY(tables.remove_records.Execute(std::string_view(records)));
    }
    if (!unread_clients_.empty()) {
      COFFER_TRY(tables.remove_clients.Execute(std::string_view(clients)));
    }
  }
  DropUnread();
  return {};
}

Result<std::vector<std::int64_t>> SearchIndex::FindIn(std::uint64_t generation,
                                                      const BlindToken& token, std::int64_t after,
                                                      std::size_t limit) {
  const BlindToken wanted = TokenOf(generation, token);
  std::vector<std::int64_t> sorted;
  auto rows =
      TablesOf(generation).find.Query(ByteView(wanted), after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    sorted.push_back(rows.Int(0));
  }
  const auto waiting =
      arrivals_.Find(PlaceOf(IndexPlace::kTokens, generation), wanted, after, limit);
  if (waiting.empty()) return sorted;
  std::vector<std::int64_t> records;
  std::ranges::set_union(sorted, waiting, std::back_inserter(records));
  if (records.size() > limit) records.resize(limit);
  return records;
}

Result<std::vector<std::int64_t>> SearchIndex::Find(const BlindToken& token, std::int64_t after,
                                                    std::size_t limit) {
  if (!state_.live_usable) return std::vector<std::int64_t>();
  return FindIn(state_.live, token, after, limit);
}

Result<std::vector<std::int64_t>> SearchIndex::FindInNext(const BlindToken& token,
                                                          std::int64_t after, std::size_t limit) {
  if (!state_.next || !state_.next_usable) return std::vector<std::int64_t>();
  return FindIn(*state_.next, token, after, limit);
}

Status SearchIndex::PutReference(std::int64_t client, const BlindToken& token) {
  if (!state_.live_usable) return Fail(Code::kConflict, kIndexBuilding);
  const auto put = [&](std::uint64_t generation, const BlindToken& stored) -> Status {
    COFFER_TRY(PayForWaiting());
    if (HasRoomToWait()) {
      return arrivals_.Put(PlaceOf(IndexPlace::kReferences, generation), stored, client);
    }
    return TablesOf(generation).put_ref.Execute(ByteView(stored), client);
  };
  const BlindToken stored = TokenOf(state_.live, token);
  COFFER_ASSIGN(const auto taken, FindReferenceIn(state_.live, stored));
  if (taken) return Fail(Code::kConflict, "external_ref_taken");
  COFFER_TRY(put(state_.live, stored));
  if (!NextHasClient(client)) return {};
  // Of two owners, as after a restore, the one that is there stays.
  const BlindToken next = TokenOf(*state_.next, token);
  COFFER_ASSIGN(const auto there, FindReferenceIn(*state_.next, next));
  return there ? Status{} : put(*state_.next, next);
}

Result<std::optional<std::int64_t>> SearchIndex::FindReferenceIn(std::uint64_t generation,
                                                                 const BlindToken& stored) {
  const auto waiting = arrivals_.Find(PlaceOf(IndexPlace::kReferences, generation), stored,
                                      std::numeric_limits<std::int64_t>::min(), 1);
  if (!waiting.empty()) return waiting.front();
  auto rows = TablesOf(generation).find_ref.Query(ByteView(stored));
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return rows.Int(0);
}

Status SearchIndex::RemoveReference(std::int64_t client, const BlindToken& token) {
  const auto remove = [&](std::uint64_t generation) -> Status {
    const BlindToken stored = TokenOf(generation, token);
    COFFER_TRY(arrivals_.Remove(PlaceOf(IndexPlace::kReferences, generation), stored, client));
    return TablesOf(generation).remove_ref.Execute(ByteView(stored), client);
  };
  if (state_.live_usable) COFFER_TRY(remove(state_.live));
  return NextHasClient(client) ? remove(*state_.next) : Status{};
}

Result<std::optional<std::int64_t>> SearchIndex::FindReference(const BlindToken& token) {
  if (!state_.live_usable) return Fail(Code::kConflict, kIndexBuilding);
  return FindReferenceIn(state_.live, TokenOf(state_.live, token));
}

bool SearchIndex::IsWhole(std::string_view class_name, const Field& field) const {
  return state_.live_usable && Has(live_coverage_, class_name, field);
}

std::int64_t SearchIndex::ReachedBy(std::string_view class_name, const Field& field) const {
  const bool reaches = state_.phase == IndexPhase::kRecords && state_.next_usable &&
                       Has(next_coverage_, class_name, field);
  return reaches ? state_.position : std::numeric_limits<std::int64_t>::min();
}

Status SearchIndex::ClassChanged(const ClassSchema* before, const ClassSchema& after) {
  if (before == nullptr) {
    for (const Field& field : after.fields) {
      if (!field.indexed) continue;
      COFFER_TRY(put_coverage_.Execute(std::string_view(after.name), std::string_view(field.name),
                                       MadeBy(field), 1, 1));
    }
    return {};
  }
  // Records are written by the new version from now on: what it does not index alike is not whole
  // any more, whatever a later version does.
  for (const Field& field : before->fields) {
    if (!field.indexed) continue;
    const Field* const now = after.Find(field.name);
    if (now != nullptr && now->indexed && MadeBy(*now) == MadeBy(field)) continue;
    COFFER_TRY(drop_coverage_.Execute(std::string_view(after.name), std::string_view(field.name)));
  }
  return {};
}

Result<bool> SearchIndex::MarkUncovered(Timestamp now) {
  if (state_.uncovered && (!state_.next || state_.uncovered_next)) return false;
  COFFER_TRY(mark_.Execute(now.ms));
  return true;
}

Status SearchIndex::PutNext(std::int64_t record, const IndexTerms& terms) {
  Statement& put = TablesOf(*state_.next).put;
  return ForEach(terms, [&](const BlindToken& token) {
    return put.Execute(ByteView(TokenOf(*state_.next, token)), record);
  });
}

Status SearchIndex::PutNextReference(std::int64_t client, const BlindToken& token) {
  const BlindToken stored = TokenOf(*state_.next, token);
  return TablesOf(*state_.next).put_ref.Execute(ByteView(stored), client);
}

Status SearchIndex::Store(const IndexState& state) {
  return store_state_.Execute(state.live, state.next, static_cast<int>(state.phase), state.position,
                              state.done, static_cast<std::uint64_t>(state.rules),
                              StoredTime(state.begun), StoredTime(state.exchanged),
                              StoredTime(state.uncovered), StoredTime(state.uncovered_next));
}

Status SearchIndex::BeginCoverage(const Catalog& catalog) {
  COFFER_TRY(begin_coverage_.Execute());
  for (const auto& [name, versions] : catalog.classes) {
    for (const Field& field : versions.back()->fields) {
      if (!field.indexed) continue;
      const bool whole = Has(live_coverage_, name, field);
      COFFER_TRY(put_coverage_.Execute(std::string_view(name), std::string_view(field.name),
                                       MadeBy(field), whole ? 1 : 0, 1));
    }
  }
  return {};
}

Status SearchIndex::EndCoverage() {
  COFFER_TRY(drop_uncovered_.Execute());
  return promote_coverage_.Execute();
}

Result<bool> SearchIndex::ClearSome(std::uint64_t parity, std::int64_t rows) {
  Tables& tables = tables_[parity % 2];
  std::int64_t left = rows;
  for (const IndexPlace place : {IndexPlace::kReferences, IndexPlace::kTokens}) {
    COFFER_ASSIGN(const auto waiting, arrivals_.RemoveSome(PlaceOf(place, parity), left));
    left -= waiting;
    if (left == 0) return true;
    Statement& clear = place == IndexPlace::kReferences ? tables.clear_refs : tables.clear;
    COFFER_ASSIGN(const std::int64_t sorted, CountRows(clear.Query(left)));
    left -= sorted;
    if (left == 0) return true;
  }
  return left < rows;
}

Result<bool> SearchIndex::MergeSome(std::size_t most) {
  auto merged = ContinueRun(most);
  merge_failed_ = !merged;
  return merged;
}

Result<bool> SearchIndex::ContinueRun(std::size_t most) {
  if (!MergeIsDue() || most == 0) return false;
  if (!run_) {
    Run begun;
    begun.last = arrivals_.last_id();
    run_ = begun;
  }
  if (run_->merged) {
    COFFER_ASSIGN(const bool dropped,
                  arrivals_.DropMerged(run_->last, static_cast<std::int64_t>(most)));
    if (!dropped) run_.reset();
    return true;
  }
  auto part = arrivals_.NextOfRun(run_->last, run_->after, most);
  for (const Arrival& arrival : part.arrivals) {
    Tables& tables = tables_[arrival.place % 2];
    const bool of_record = arrival.place < static_cast<std::uint8_t>(IndexPlace::kReferences);
    Statement& put = of_record ? tables.put : tables.put_ref;
    COFFER_TRY(put.Execute(ByteView(arrival.token), arrival.owner));
  }
  run_->merged = !part.after;
  run_->after = part.after;
  return true;
}

void SearchIndex::EndOperation(bool succeeded) {
  arrivals_.EndOperation(succeeded);
  if (!succeeded) run_ = run_before_;
  run_before_ = run_;
}

void SearchIndex::AddKey(std::uint64_t generation, crypto::SecretBytes key) {
  keys_.insert_or_assign(generation, std::move(key));
  state_.newest_key = std::max(state_.newest_key, generation);
}

void SearchIndex::KeepKeysOnly(std::uint64_t generation) {
  std::erase_if(keys_, [&](const auto& entry) { return entry.first != generation; });
}

}  // namespace coffer::vault
