#include "vault/deletion/act_replay.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>

#include "vault/access/access_acts.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/hold_acts.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

// All that the ledger has of one thing and the vault has not, in the order of their lines.
using ActsOfOne = std::vector<ActRow>;

Status AddLacking(const Operations& operations, ErasureLedger& ledger,
                  std::unordered_set<ActId, IdHash>& known) {
  constexpr std::size_t kActsAtOnce = 1000;
  std::unordered_set<ActId, IdHash> written;
  for (const ActRow& row : ledger.found_acts()) written.insert(row.id);
  std::size_t added = 0;
  for (std::int64_t after = 0;;) {
    std::size_t taken = 0;
    COFFER_TRY(operations.Look([&](Transaction& transaction) -> Status {
      COFFER_ASSIGN(const auto rows, transaction.stores().acts.ListForward(after, kActsAtOnce));
      taken = rows.size();
      std::vector<ActRow> lacking;
      for (const auto& [number, row] : rows) {
        after = number;
        known.insert(row.id);
        if (!written.contains(row.id)) lacking.push_back(row);
      }
      added += lacking.size();
      return ledger.AppendActs(lacking);
    }));
    if (taken < kActsAtOnce) break;
  }
  if (added > 0 && operations.log()) {
    operations.log()(Severity::kWarning, "the ledger lacked " + std::to_string(added) +
                                             " acts that protect, or that take that back: they "
                                             "were written to it again");
  }
  return {};
}

// Of a vault that neither has acts nor a ledger with any: what it holds and restricts was placed by
// a version that wrote no lines of it.
Status AddOlder(const Operations& operations) {
  return operations.Store([](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto holds, transaction.Of<DeletionState>().stores.holds.LoadLive());
    for (const Hold& hold : holds) ActHeld(transaction, hold);
    RestrictionStore& store = transaction.Of<AccessState>().stores.restrictions;
    COFFER_ASSIGN(const auto restrictions, store.Load());
    for (const Restriction& restriction : restrictions) {
      COFFER_ASSIGN(const auto bases, store.BasesOf(restriction.client));
      const auto basis =
          std::ranges::find(bases, restriction.id, &std::pair<RestrictionId, Bytes>::first);
      ActRestricted(transaction, restriction, basis == bases.end() ? ByteView() : basis->second);
    }
    return {};
  });
}

// In the order of the last lines, but roles in front of who has them.
std::vector<ActsOfOne> UnknownActs(const ErasureLedger& ledger,
                                   const std::unordered_set<ActId, IdHash>& known) {
  struct Last {
    std::size_t at = 0;
    ActsOfOne acts;
  };
  std::map<std::tuple<ActKind, std::string, std::optional<ClientId>>, Last> by_subject;
  std::size_t at = 0;
  for (const ActRow& row : ledger.found_acts()) {
    ++at;
    if (known.contains(row.id)) continue;
    Last& last = by_subject[{SubjectOf(row.kind), row.object, row.client}];
    last.at = at;
    last.acts.push_back(row);
  }
  std::vector<Last> ordered;
  for (auto& [subject, last] : by_subject) ordered.push_back(std::move(last));
  std::ranges::sort(ordered, {}, [](const Last& last) {
    return std::pair(last.acts.back().kind != ActKind::kRolePut, last.at);
  });
  std::vector<ActsOfOne> acts;
  for (Last& last : ordered) acts.push_back(std::move(last.acts));
  return acts;
}

Result<Replayed> Again(const Operations& operations, Transaction& transaction, const ActRow& row) {
  const auto text = OpenAct(operations.keyring(), row);
  if (!text) return Replayed::kImpossible;
  const json content = text->empty() ? json() : json::parse(*text, nullptr, false);
  if (content.is_discarded()) return Replayed::kImpossible;
  try {
    const bool of_hold = SubjectOf(row.kind) == ActKind::kHoldPlaced;
    auto replayed = of_hold ? ReplayHold(operations, transaction, row, content)
                            : ReplayAccessAct(operations, transaction, row, content);
    // An id that is none: the line says what cannot be.
    if (!replayed && replayed.error().code == Code::kNotFound) return Replayed::kImpossible;
    return replayed;
  } catch (const json::exception&) {
    return Replayed::kImpossible;  // also of a content that did not fit into its line
  }
}

std::string InWords(const ActRow& row) {
  return std::string(Name(row.kind)) + " " + row.object + " of " +
         audit::FormatTimestamp(row.acted) + ", entry " + std::to_string(row.seq);
}

// What people are told of it, in the log and in the operator's; nothing where nothing was lost.
std::optional<audit::Entry> EntryOf(const Operations& operations, const ActRow& row,
                                    Replayed replayed) {
  std::string_view told;
  audit::Entry entry;
  switch (replayed) {
    case Replayed::kInForce:
    case Replayed::kNothingThere:
      return std::nullopt;
    case Replayed::kDone:
      entry.action = kActReplayed;
      told = " is in force again, as the ledger says";
      break;
    case Replayed::kNotRepeated:
      entry.action = kActNotRepeated;
      told = " is not repeated, since it gives more than this state: somebody has to do it again";
      break;
    case Replayed::kImpossible:
      entry.action = "integrity.alarm";
      entry.outcome = "act_not_replayed";
      told = " could NOT be put in force again: somebody has to do it";
      break;
  }
  if (row.client) entry.client = row.client->Text();
  entry.detail = InWords(row);
  if (operations.log()) {
    operations.log()(Severity::kWarning, "an older state was opened: " + entry.detail +
                                             (row.client ? " on " + entry.client : std::string()) +
                                             std::string(told));
  }
  return entry;
}

Status ReplayOne(const Operations& operations, const ActsOfOne& acts) {
  audit::Entry actor = VaultEntry({});
  return operations.engine().Run(
      OperationKind::kWrite, EntryRule::kAlways, actor, [&](Transaction& transaction) -> Status {
        transaction.LeaveNoOwnEntry();
        for (const ActRow& row : acts) COFFER_TRY(transaction.stores().acts.Insert(row));
        COFFER_ASSIGN(const Replayed replayed, Again(operations, transaction, acts.back()));
        if (auto entry = EntryOf(operations, acts.back(), replayed)) {
          transaction.Also(*std::move(entry));
        }
        return {};
      });
}

Status EndSessions(const Operations& operations) {
  audit::Entry actor = VaultEntry({});
  return operations.engine().Run(
      OperationKind::kWrite, EntryRule::kAlways, actor, [&](Transaction& transaction) -> Status {
        transaction.LeaveNoOwnEntry();
        COFFER_ASSIGN(const std::size_t ended, EndAllSessions(transaction));
        if (ended == 0) return {};
        audit::Entry entry;
        entry.action = kActReplayed;
        entry.detail = "sessions ended: " + std::to_string(ended);
        transaction.Also(std::move(entry));
        return {};
      });
}

}  // namespace

Status ReconcileActs(const Operations& operations, ErasureLedger& ledger) {
  std::unordered_set<ActId, IdHash> known;
  COFFER_TRY(AddLacking(operations, ledger, known));
  if (known.empty() && ledger.found_acts().empty()) return AddOlder(operations);
  const auto unknown = UnknownActs(ledger, known);
  // First: a crash behind the last act must not leave them.
  if (!unknown.empty()) COFFER_TRY(EndSessions(operations));
  for (const ActsOfOne& acts : unknown) COFFER_TRY(ReplayOne(operations, acts));
  ledger.DropFoundActs();
  return {};
}

Result<Repeated> ReadRepeated(audit::LogSource& log, std::uint64_t from,
                              const std::function<void(const audit::Entry&)>& each) {
  Repeated repeated;
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  COFFER_TRY(log.ReadEntries(from, size, [&](std::uint64_t, std::string_view bytes) -> Status {
    COFFER_ASSIGN(const auto entry, audit::ParseEntry(bytes));
    if (entry.action == "erasure.replayed") ++repeated.erasures;
    if (entry.action == kActReplayed) ++repeated.acts;
    if (entry.action == kActNotRepeated) ++repeated.acts_left;
    if (each) each(entry);
    return {};
  }));
  return repeated;
}

}  // namespace coffer::vault
