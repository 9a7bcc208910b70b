#include "vault/oversight/monitoring.h"

#include <sys/stat.h>

#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/token_expiry.h"
#include "vault/catalog/catalog_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/oversight/status.h"
#include "vault/rights/request_rules.h"
#include "vault/rights/rights_state.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

// 0: there is none.
std::uint64_t SizeOfFile(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

Result<VaultStatistics> Monitoring::ReadStatistics(const Caller& caller) {
  Call call =
      operations_.Start(caller, {.action = Action::kMetricsRead, .entry = EntryRule::kOnRefusal});
  VaultStatus waiting;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    waiting.tokens = ExpiryOf(transaction.Of<AccessState>().principals(), operations_.latest());
    return CountWaiting(transaction, waiting);
  }));
  VaultStatistics statistics;
  static_cast<EngineStatistics&>(statistics) = operations_.engine().Statistics();
  statistics.tokens = std::move(waiting.tokens);
  statistics.wal_bytes = SizeOfFile(VaultDatabasePath(directory_) + "-wal");
  statistics.keys_wal_bytes = SizeOfFile(KeysDatabasePath(directory_) + "-wal");
  statistics.open_approvals = waiting.open_approvals;
  statistics.unreviewed_emergencies = waiting.unreviewed_emergencies;
  statistics.overdue_emergencies = waiting.overdue_emergencies;
  statistics.holds = waiting.holds;
  statistics.overdue_holds = waiting.overdue_holds;
  statistics.restrictions = waiting.restrictions;
  statistics.requests = waiting.requests;
  statistics.notices = waiting.notices;
  statistics.tellings = waiting.tellings;
  statistics.checkpoint_size = watched_.publisher.published_size();
  statistics.log_index_size = watched_.follower.size();
  statistics.scrub = watched_.scrubber.state();
  statistics.retention_erased = watched_.retention.erased();
  statistics.retention_running = watched_.retention.running();
  statistics.waiting_for_clock = watched_.retention.waiting_for_clock();
  const auto schedule = operations_.engine().Of<CatalogState>().Published()->retention;
  statistics.time_zone_unknown = schedule && !schedule->schedule.zone_is_known();
  statistics.index = watched_.index_builder.status();
  statistics.backups = watched_.backups();
  return statistics;
}

Status Monitoring::CountWaiting(Transaction& transaction, VaultStatus& status) const {
  auto& stores = transaction.Of<AccessState>().stores;
  COFFER_ASSIGN(status.open_approvals, stores.approvals.CountOpen(operations_.latest()));
  COFFER_ASSIGN(const auto emergencies, stores.access.CountUnreviewed(operations_.latest()));
  status.unreviewed_emergencies = emergencies.all;
  status.overdue_emergencies = emergencies.overdue;
  status.holds = transaction.Of<DeletionState>().holds().Count();
  status.overdue_holds = transaction.Of<DeletionState>().holds().CountOverdue(operations_.latest());
  status.restrictions = transaction.Of<AccessState>().restrictions().Count();
  const Timestamp now = operations_.latest();
  COFFER_ASSIGN(status.requests,
                transaction.Of<RightsState>().requests.Count(now, Timestamp{now.ms + kSoonMs}));
  COFFER_ASSIGN(status.notices,
                transaction.Of<RightsState>().notices.Count(Timestamp{now.ms + kSoonMs}));
  COFFER_ASSIGN(status.tellings, stores.disclosures.Count());
  return {};
}

Result<VaultStatus> Monitoring::ReadStatus(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kStatusRead});
  VaultStatus status;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    for (const TokenRow* token : transaction.Of<AccessState>().principals().Tokens()) {
      if (!token->is_session() && !token->revoked && token->expires > operations_.latest()) {
        ++status.active_tokens;
      }
    }
    status.now = operations_.latest();
    status.tokens = ExpiryOf(transaction.Of<AccessState>().principals(), operations_.latest());
    for (const auto* row : transaction.Of<AccessState>().principals().Principals()) {
      if (row->disabled) continue;
      const bool user = row->id.kind() == PrincipalKind::kUser;
      ++(user ? status.users : status.services);
    }
    COFFER_TRY(CountWaiting(transaction, status));
    status.classes = transaction.Of<CatalogState>().current().classes.size();
    status.purposes = transaction.Of<CatalogState>().current().purposes.size();
    const auto& retention = transaction.Of<CatalogState>().current().retention;
    if (retention) status.retention_schedule = retention->version;
    if (retention && !retention->schedule.zone_is_known()) {
      status.unknown_time_zone = retention->schedule.time_zone();
    }
    for (const auto& schema : transaction.Of<CatalogState>().current().NewestClasses()) {
      const bool named =
          retention ? retention->schedule.IssuesOfClass(*schema).empty() : !schema->keep.empty();
      if (!named) ++status.classes_without_policy;
    }
    return {};
  }));
  // Counting walks the tables: on a connection of its own, beside the engine.
  COFFER_ASSIGN(auto reader, snapshots_.Open());
  COFFER_ASSIGN(auto clients, ClientStore::Open(reader->database()));
  COFFER_ASSIGN(auto records, RecordStore::Open(reader->database()));
  COFFER_ASSIGN(status.clients, clients.Count());
  COFFER_ASSIGN(status.records, records.Count());
  COFFER_ASSIGN(auto erasures, ErasureStore::Open(reader->database()));
  COFFER_ASSIGN(status.erasures, erasures.Count());
  COFFER_ASSIGN(status.log_size, reader->log().Size());
  status.scrub = watched_.scrubber.state();
  status.vault_id = "vlt_" + crypto::Base32Encode(operations_.keyring().vault_id());
  status.log_origin = operations_.keyring().log_origin();
  status.log_key = audit::FormatVerifierKey(
      {operations_.keyring().log_origin(), operations_.keyring().log_signing_key()->public_key()});
  status.checkpoint = watched_.publisher.published();
  status.waiting_for_clock = watched_.retention.waiting_for_clock();
  status.two_person = watched_.two_person.needed();
  status.memory_locked = operations_.engine().key_cache().locked();
  const auto statistics = operations_.engine().Statistics();
  status.keys_rewrite_pending = statistics.keys_rewrite_pending;
  status.wal_truncation_pending = statistics.wal_truncation_pending;
  status.index = watched_.index_builder.status();
  status.backups = watched_.backups();
  status.started = started_;
  return status;
}

Health Monitoring::CheckHealth() const {
  if (!operations_.engine().healthy()) return {false, "storage_unavailable"};
  if (!watched_.publisher.healthy()) return {false, "log_mismatch"};
  return {true, "ok"};
}

bool Monitoring::AwaitEngine() const {
  const auto looked = operations_.Look([](Transaction&) -> Status { return {}; });
  return looked || (looked.error().reason != "queue_full" && looked.error().reason != "stopping");
}

}  // namespace coffer::vault
