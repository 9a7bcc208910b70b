// Where something of a client could be.
#include "vault/oversight/traces.h"

#include <algorithm>
#include <limits>
#include <map>

#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/index_status.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure.h"
#include "vault/oversight/log_summary.h"
#include "vault/oversight/oversight_state.h"
#include "vault/oversight/trace.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

// What copies of vault.db from before the last erasure (none: of now) still answer.
Trace IndexTrace(const IndexStatus& index, const std::optional<Timestamp>& erased) {
  // The key of generation 0 is in the keyring, and stays.
  const bool covered = erased && index.generation != 0 && !index.retiring &&
                       (!index.oldest_uncovered || *erased < *index.oldest_uncovered);
  if (covered) {
    return {"index-copies", "unreadable", 0,
            "keyed hashes in older copies of vault.db; their key is destroyed, but for copies from "
            "before the index had a key of its own, which the keyring answers"};
  }
  std::string detail =
      "keyed hashes of indexed values and the reference in copies of vault.db, for who has the "
      "index's key";
  if (erased && index.due) {
    detail += "; it is exchanged from " + audit::FormatTimestamp(*index.due) + " on";
  }
  return {"index-copies", "present", 0, std::move(detail)};
}

// By which it would be noticed that the client comes back.
Trace OfErasedReference(const std::vector<ErasureRow>& erasures) {
  const auto last = std::ranges::find(erasures, ErasureScope::kClient, &ErasureRow::scope);
  if (last == erasures.end() || !last->ref_token) return {"erased-reference", "absent", 0, {}};
  return {"erased-reference", "present", 1,
          "keyed hash of the external reference, until " +
              audit::FormatTimestamp(Timestamp{last->erased.ms + kActLifetimeMs})};
}

Result<std::uint64_t> CountPackages(Transaction& transaction, const ClientId& client) {
  constexpr std::size_t kAtOnce = 500;
  std::uint64_t count = 0;
  for (std::int64_t before = std::numeric_limits<std::int64_t>::max();;) {
    COFFER_ASSIGN(const auto rows,
                  transaction.Of<OversightState>().packages.List(before, client, kAtOnce));
    count += rows.size();
    if (rows.size() < kAtOnce) return count;
    before = rows.back().id.Row();
  }
}

}  // namespace

Result<std::vector<Trace>> Traces::FindTraces(const Caller& caller, const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kClientTrace, OperationKind::kRead, client});
  std::vector<Trace> traces;
  const auto counted = [&](std::string place, std::uint64_t count, std::string detail) {
    traces.push_back(
        {std::move(place), count > 0 ? "present" : "absent", count, std::move(detail)});
  };
  bool erased = false;
  std::optional<Timestamp> last;  // erasure
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    traces.clear();
    auto& stores = transaction.Of<ClientsState>().stores;
    COFFER_ASSIGN(const auto row, stores.clients.Find(client));
    COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(client));
    if (!row && erasures.empty()) return NotFound(call);
    erased = !row;
    for (const auto& erasure : erasures)
      last = std::max(last.value_or(Timestamp{}), erasure.erased);
    counted("profile", row ? 1 : 0, "external reference (sealed), tags, dates");
    std::map<std::string, std::uint64_t> classes;
    std::uint64_t versions = 0, indexed = 0;
    COFFER_ASSIGN(const auto records, stores.records.ListOf(client.Row(), {}, -1, 1U << 30));
    for (const std::int64_t id : records) {
      COFFER_ASSIGN(const auto record, stores.records.FindRow(id));
      if (!record) continue;
      ++classes[record->class_name];
      if (!record->tokens.empty() || record->import_token) ++indexed;
      COFFER_ASSIGN(const auto old, stores.records.ListVersions(id));
      versions += old.size();
    }
    std::string by_class;
    for (const auto& [name, count] : classes) {
      by_class += (by_class.empty() ? "" : ", ") + name + ": " + std::to_string(count);
    }
    counted("records", records.size(), by_class);
    counted("old-versions", versions, "of these records");
    counted("search-index", indexed, "records with keyed hashes of indexed fields");
    COFFER_ASSIGN(const auto notes, transaction.stores().log->ListNotes(client.Row()));
    counted("reasons", notes.size(), "free text given with requests, sealed");
    COFFER_ASSIGN(const auto oldest, transaction.stores().keys.OldestGeneration(client));
    traces.push_back(
        {"key", oldest ? "present" : "absent", oldest ? 1U : 0U,
         oldest ? "in keys.db, wrapped" : "destroyed; what it sealed can be read by nobody"});
    const auto* const assignments = transaction.Of<AccessState>().access().AssignmentsOf(client);
    counted("assignments", assignments == nullptr ? 0 : assignments->size(),
            "who the client is given to");
    const auto* const leases = transaction.Of<AccessState>().access().LeasesOf(client);
    counted("leases", leases == nullptr ? 0 : leases->size(), "fields shown for a time");
    counted("holds", row ? transaction.Of<DeletionState>().holds().Covering(*row, {}).size() : 0,
            "that stop its deletion; also those by its tags");
    COFFER_ASSIGN(const auto restrictions,
                  transaction.Of<AccessState>().stores.restrictions.CountOf(client));
    counted("restrictions", restrictions,
            "of its processing, lifted ones too, with their basis in words, sealed");
    COFFER_ASSIGN(const auto consents,
                  transaction.Of<AccessState>().stores.consents.CountOf(client));
    counted("consents", consents, "given or withdrawn, with their evidence in words, sealed");
    COFFER_ASSIGN(const auto told, transaction.Of<RightsState>().notices.CountTellingsOf(client));
    counted("notices", told, "that the client was told");
    DisclosureStore& disclosures = transaction.Of<AccessState>().stores.disclosures;
    COFFER_ASSIGN(const auto given, disclosures.CountOf(client));
    counted("disclosures", given.disclosures,
            "to recipients: its id, which stays when it is erased");
    counted("recipients-to-tell", given.tellings,
            "acts that recipients are told of, or were: its id, which stays");
    COFFER_ASSIGN(const std::uint64_t waiting, disclosures.CountActsOf(client));
    counted("acts-to-settle", waiting,
            "of which it is not known yet who is to be told: its id, until it is");
    COFFER_ASSIGN(const auto packages, CountPackages(transaction, client));
    counted("packages", packages, "access packages, when and by whom: its id, which stays");
    std::string ids;
    for (const auto& erasure : erasures) ids += (ids.empty() ? "" : ", ") + erasure.id.Text();
    counted("erasures", erasures.size(), ids);
    traces.push_back(OfErasedReference(erasures));
    traces.push_back(
        {"ledger", erasures.empty() ? "absent" : "pseudonymous", erasures.size(), "ids only"});
    return {};
  }));
  // Beside the engine.
  LogSummaryRequest about;
  about.filter.client = client.Text();
  LogSummary summary;
  const auto summed = log_.CountLog(about, true, summary);
  std::uint64_t entries = 0, exports = 0;
  for (const LogCount& count : summary.counts) {
    entries += count.count;
    if (count.value == Name(Action::kClientExport) || count.value == Name(Action::kClientPackage)) {
      exports += count.count;
    }
  }
  if (summed) {
    traces.push_back({"access-log", "pseudonymous", entries, "entries with the client's id"});
    traces.push_back({"exports", exports > 0 ? "unknown" : "absent", exports,
                      "entries of exports: what was handed out is where it was taken to"});
  } else {
    traces.push_back(
        {"access-log", "pseudonymous", 0, "the log's index is being made: not counted"});
    traces.push_back({"exports", "unknown", 0, "the log's index is being made: not counted"});
  }
  const bool wal_pending = operations_.engine().Statistics().wal_truncation_pending;
  traces.push_back(
      {"write-ahead-logs", erased && !wal_pending ? "unreadable" : "present", 0,
       erased && wal_pending
           ? "a long read holds pages of before in vault.db-wal; it is emptied after it"
           : "earlier pages of vault.db and in free pages, sealed under the client's key"});
  traces.push_back(IndexTrace(index_builder_.status(), last));
  const auto& horizon = backup_horizon_days_;
  traces.push_back({"backups", "unknown", 0,
                    (horizon ? "backups of keys.db are kept for " + std::to_string(*horizon) +
                                   " days, as configured: until then they hold the key"
                             : "how long backups of keys.db are kept is not configured") +
                        std::string("; backups of vault.db have ids, tags and dates in clear")});
  return traces;
}

}  // namespace coffer::vault
