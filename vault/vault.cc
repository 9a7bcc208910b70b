// Opening a vault: its rooms from the bottom up, and what runs beside them.
#include "vault/vault.h"

#include <new>
#include <optional>

#include "crypto/atomic_file.h"
#include "vault/access/approvals.h"
#include "vault/access/assignments.h"
#include "vault/access/call.h"
#include "vault/access/emergencies.h"
#include "vault/access/leases.h"
#include "vault/access/operations.h"
#include "vault/access/principals.h"
#include "vault/access/restriction_bases.h"
#include "vault/access/restrictions.h"
#include "vault/access/roles.h"
#include "vault/access/sessions.h"
#include "vault/access/teams.h"
#include "vault/access/tokens.h"
#include "vault/backup/restored_copy.h"
#include "vault/base/operator_log.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/access_explanations.h"
#include "vault/clients/caseloads.h"
#include "vault/clients/classes.h"
#include "vault/clients/client_key_exchange.h"
#include "vault/clients/clients.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/exports.h"
#include "vault/clients/imports.h"
#include "vault/clients/index_exchange_request.h"
#include "vault/clients/names_of_ids.h"
#include "vault/clients/purposes.h"
#include "vault/clients/records.h"
#include "vault/clients/searches.h"
#include "vault/deletion/act_replay.h"
#include "vault/deletion/erasure_acts.h"
#include "vault/deletion/erasures.h"
#include "vault/deletion/holds.h"
#include "vault/deletion/older_holds.h"
#include "vault/deletion/retention.h"
#include "vault/engine/keyring_log.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/log_length.h"
#include "vault/log_key_exchange.h"
#include "vault/opening.h"
#include "vault/oversight/access_log.h"
#include "vault/oversight/emergency_reports.h"
#include "vault/oversight/evidence_bundles.h"
#include "vault/oversight/keys.h"
#include "vault/oversight/monitoring.h"
#include "vault/oversight/reader_reports.h"
#include "vault/oversight/traces.h"
#include "vault/oversight/verification.h"
#include "vault/room_states.h"
#include "vault/rooms.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"
#include "vault/storage/vault_database.h"
#include "vault/vault_options.h"

namespace coffer::vault {
namespace {

// They were stored when more was accepted, and give less than they read until they are put anew.
void WarnOfRoles(const Catalog& catalog, const OperatorLog& log) {
  for (const auto& [name, role] : catalog.roles) {
    if (role->not_evaluated.empty()) continue;
    std::string text = "the role " + name + " says what is not evaluated and gives less for it:";
    for (const Issue& issue : role->not_evaluated)
      text += " " + issue.pointer + " " + issue.message + ";";
    text.back() = '.';
    log(Severity::kWarning, text);
  }
}

// It is made anew, and must not be what the older key is kept for.
void RemoveIndexOfOlderKey(const std::string& path, const crypto::Keyring& keyring) {
  const crypto::VersionedKeys& keys = keyring.vault_db_keys();
  if (keys.versions().size() < 2 || LogIndexReader::Open(path, keys.Newest())) return;
  LogIndex::Remove(path);
}

Status FollowIndexRequest(IndexBuilder& builder, const crypto::Keyring& keyring,
                          const std::string& directory) {
  const std::string path = HandedOverKeyPath(directory, kSearchIndexName);
  if (!IsHandedOver(path)) return {};
  COFFER_ASSIGN(const std::uint64_t generation, ReadIndexExchangeRequest(path, keyring));
  return builder.ExchangeKeyOf(generation) ? Status()
                                           : RemoveHandedOver(directory, kSearchIndexName);
}

}  // namespace

Vault::Vault(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}

Result<OpenedRooms> OpenRooms(const VaultOptions& options, crypto::RootKeyProvider& root,
                              OpenFor purpose) {
  VaultOptions settled = options;
  if (settled.clock == nullptr) settled.clock = &audit::SystemClock();
  settled.anchor_path = AnchorPath(options.directory, options.anchor_path);
  COFFER_TRY(CheckThere(options.directory));
  COFFER_ASSIGN(auto lock, DirectoryLock::Acquire(options.directory));
  const std::string keyring_path = KeyringPath(options.directory);
  if (!options.open_restored_copy) COFFER_TRY(CheckNoCopy(options.directory));
  const std::string vault_path = VaultDatabasePath(options.directory);
  const std::string keys_path = KeysDatabasePath(options.directory);
  std::optional<KeyringLock> keyring_lock;
  {
    COFFER_ASSIGN(auto held, KeyringLock::Acquire(options.directory));
    keyring_lock.emplace(std::move(held));
  }
  COFFER_ASSIGN(auto keyring, Reading(keyring_path, crypto::Keyring::Open(keyring_path, root)));
  auto rooms = std::make_unique<Rooms>(settled, std::move(lock), std::move(keyring));
  if (purpose == OpenFor::kServing) {
    COFFER_ASSIGN(auto held, AnchorLock::Acquire(settled.anchor_path));
    rooms->anchor_lock.emplace(std::move(held));
  }

  // Of an exchange of its key that did not come to its end, which is begun anew.
  COFFER_TRY(Reading(vault_path, RemoveNextVaultDatabase(vault_path)));
  const int cache_kib = options.page_cache_mib * 1024;
  COFFER_ASSIGN(
      VaultDatabase opened,
      Reading(vault_path, OpenVaultDatabase(vault_path, rooms->keyring, {.cache_kib = cache_kib})));
  Database vault = std::move(opened.database);
  COFFER_TRY(Reading(keys_path, SettleKeysDatabase(keys_path, rooms->keyring)));
  COFFER_ASSIGN(auto keys, Reading(keys_path, OpenKeysDatabase(keys_path, rooms->keyring,
                                                               {.cache_kib = kKeysCacheKib})));
  COFFER_TRY(Reading(vault_path, Migrate(vault, VaultMigrations())));
  COFFER_TRY(Reading(keys_path, Migrate(keys, KeysMigrations())));
  COFFER_ASSIGN(auto anchor, Reading(settled.anchor_path, ReadAnchor(settled.anchor_path)));
  {
    COFFER_ASSIGN(const auto checkpoint,
                  Reading(settled.anchor_path, VerifyByAnyKey(anchor.note, rooms->keyring)));
    COFFER_ASSIGN(auto log, Reading(vault_path, LogStore::Open(vault)));
    COFFER_TRY(Reading(vault_path, CheckLogName(*log, rooms->keyring)));
    COFFER_TRY(Reading(vault_path, CheckAnchor(*log, checkpoint, rooms->keyring.log_origin())));
    COFFER_TRY(Reading(vault_path, CheckLogLength(vault, *log, rooms->keyring)));
  }
  bool authority_made = false, two_person_needed = true;
  {
    COFFER_ASSIGN(auto settings, Reading(vault_path, SettingStore::Open(vault)));
    COFFER_ASSIGN(const auto two_person, Reading(vault_path, settings.Find(kTwoPersonSetting)));
    two_person_needed = two_person != "off";
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault));
    COFFER_ASSIGN(rooms->authority,
                  Reading(vault_path, OpenAuthority(settings, rooms->keyring, settled.clock->Now(),
                                                    authority_made)));
    COFFER_TRY(transaction.Commit());
  }
  COFFER_ASSIGN(auto cache,
                KeyCache::Create(options.key_cache_entries, options.require_locked_memory));
  {
    COFFER_ASSIGN(auto settings, Reading(vault_path, SettingStore::Open(vault)));
    const std::string ledger_path = LedgerPath(options.directory, options.ledger_path);
    if (options.open_restored_copy) {
      COFFER_ASSIGN(const auto copy, ReadRestoredCopy(options.directory));
      if (copy) {
        COFFER_ASSIGN(const auto later, copy->LaterKeys(rooms->keyring));
        COFFER_TRY(ErasureLedger::TrustOnce(settings, later));
      }
    }
    COFFER_ASSIGN(
        rooms->ledger,
        Reading(ledger_path,
                purpose == OpenFor::kServing
                    ? ErasureLedger::Open(ledger_path, rooms->keyring, settings)
                    : ErasureLedger::OpenForRehearsal(ledger_path, rooms->keyring, settings)));
  }
  const auto append = [ledger = rooms->ledger.get()](std::span<ErasureRow> rows) {
    return ledger->Append(rows);
  };
  const auto append_acts = [ledger = rooms->ledger.get()](std::span<const ActRow> rows) {
    return ledger->AppendActs(rows);
  };
  KeyStoreRewrite::Options rewrite;
  rewrite.after_ms = options.keys_rewrite_after_ms;
  rewrite.interval_ms = options.keys_rewrite_interval_ms;
  VaultRewrite::Options vault_rewrite;
  vault_rewrite.key_version = opened.key_version;
  vault_rewrite.cache_kib = cache_kib;
  COFFER_ASSIGN(rooms->engine,
                Reading(vault_path, Engine::Create(std::move(vault), std::move(keys),
                                                   rooms->keyring, std::move(cache),
                                                   {.queue_limit = options.queue_limit,
                                                    .log = options.log,
                                                    .clock = settled.clock,
                                                    .origin = rooms->keyring.log_origin(),
                                                    .append_to_ledger = append,
                                                    .append_acts = append_acts,
                                                    .open_rooms = OpenRoomStates,
                                                    .keys_rewrite = rewrite,
                                                    .vault_rewrite = vault_rewrite,
                                                    .take_over_state = options.take_over_state})));
  rooms->Furnish(two_person_needed);
  if (options.log) WarnOfRoles(*rooms->engine->Of<CatalogState>().Published(), options.log);
  rooms->engine->Of<ClientsState>().stores.index.MergeAfter(settled.index_arrivals);
  rooms->engine->Start();
  rooms->started = settled.clock->Now();
  if (const auto& difference = rooms->engine->state_difference()) {
    COFFER_TRY(rooms->operations->LogSystemEvent("integrity.alarm", "stored_data_differs",
                                                 "taken over; " + *difference));
  }
  audit::Entry start = VaultEntry("vault.start");
  start.outcome = "ok";
  COFFER_TRY(rooms->operations->Record(std::move(start), [&](Transaction& transaction) -> Status {
    return NoteKeysFirst(transaction.stores().settings, rooms->keyring.header());
  }));
  if (authority_made) COFFER_TRY(rooms->operations->LogSystemEvent("authority.created", "ok"));
  COFFER_TRY(AnnounceLogKeys(*rooms->engine, rooms->keyring));
  COFFER_TRY(rooms->procedure->ReconcileLedger());
  COFFER_TRY(rooms->procedure->CompleteInterruptedErasures());
  COFFER_TRY(ReconcileActs(*rooms->operations, *rooms->ledger));
  // Before anybody is answered: until then nothing is stopped by them.
  COFFER_TRY(MoveOlderRestrictions(*rooms->operations));
  return OpenedRooms{std::move(rooms), *std::move(keyring_lock), std::move(anchor)};
}

Result<std::unique_ptr<Vault>> Vault::Open(const VaultOptions& options,
                                           crypto::RootKeyProvider& root) {
  COFFER_ASSIGN(OpenedRooms opened, OpenRooms(options, root, OpenFor::kServing));
  auto rooms = std::move(opened.rooms);
  std::optional<KeyringLock> keyring_lock(std::move(opened.keyring_lock));
  const VaultOptions& settled = rooms->options;
  const std::string keyring_path = KeyringPath(options.directory);
  const std::string vault_path = VaultDatabasePath(options.directory);
  const auto read = [&] {
    return Reading(vault_path, ReadVaultDatabase(vault_path, rooms->keyring,
                                                 rooms->engine->vault_rewrite().in_use()));
  };
  COFFER_ASSIGN(auto reader, read());
  COFFER_ASSIGN(
      rooms->publisher,
      Reading(vault_path, LogPublisher::Create(*rooms->engine, rooms->keyring, std::move(reader),
                                               std::move(opened.anchor),
                                               {.anchor_path = settled.anchor_path,
                                                .interval_ms = options.checkpoint_interval_ms,
                                                .heartbeat_s = options.heartbeat_interval_s,
                                                .log = options.log})));
  COFFER_TRY(Reading(vault_path, rooms->publisher->Publish(false)));
  // Signed by the others, with the entry that retires it.
  if (rooms->keyring.log_keys().front().retiring) {
    COFFER_TRY(Reading(keyring_path, crypto::Keyring::DropRetiredLogKey(keyring_path, root)));
  } else {
    // A crash behind that may have left the key.
    COFFER_TRY(Reading(keyring_path, crypto::RemoveTemporariesOf(keyring_path)));
  }
  rooms->key_exchange = std::make_unique<ClientKeyExchange>(*rooms->operations, rooms->keyring,
                                                            options.directory, settled);
  rooms->key_exchange->AlsoFollow(
      kLogSigningName, [at = rooms.get()](const crypto::KeyringHeader& header) {
        return FollowLogKeys({*at->engine, at->keyring, *at->publisher, *at->ledger},
                             at->options.directory, header);
      });
  rooms->key_exchange->AlsoFollow(
      kSearchIndexName, [at = rooms.get()](const crypto::KeyringHeader&) {
        return FollowIndexRequest(*at->index_builder, at->keyring, at->options.directory);
      });
  RemoveIndexOfOlderKey(LogIndexPath(options.directory), rooms->keyring);
  COFFER_TRY(Reading(keyring_path, rooms->key_exchange->FinishAtStart(root)));
  keyring_lock.reset();
  rooms->trees.emplace(*rooms->engine, *rooms->publisher, rooms->keyring);
  rooms->publisher->Start();
  COFFER_ASSIGN(auto follower_reader, read());
  COFFER_ASSIGN(
      rooms->follower,
      Reading(vault_path, LogFollower::Create(std::move(follower_reader), rooms->keyring,
                                              {.index_path = LogIndexPath(options.directory),
                                               .interval_ms = options.checkpoint_interval_ms,
                                               .log = options.log})));
  rooms->log_readers.emplace(*rooms->snapshots, *rooms->follower);
  rooms->follower->Start();
  rooms->key_exchange->AlsoUnderNewest([at = rooms.get()] {
    at->snapshots->DropIdle();
    return at->follower->FollowsNewestKey();
  });
  COFFER_ASSIGN(auto scrub_reader, read());
  COFFER_ASSIGN(
      rooms->scrubber,
      Reading(vault_path, Scrubber::Create(
                              *rooms->engine, rooms->keyring, std::move(scrub_reader),
                              *rooms->follower, rooms->damaged,
                              {.entries_per_s = options.scrub_entries_per_s, .log = options.log})));
  rooms->scrubber->Start();
  COFFER_ASSIGN(auto retention_reader, read());
  COFFER_ASSIGN(
      rooms->retention,
      Reading(vault_path, RetentionRunner::Create(*rooms->procedure, std::move(retention_reader))));
  rooms->retention->Start();
  rooms->index_builder = std::make_unique<IndexBuilder>(
      *rooms->operations, settled,
      [&keyring = rooms->keyring](Transaction& transaction, const Id128& after) {
        return SealHolds(keyring, transaction, HoldId{after});
      });
  rooms->index_builder->Start();
  rooms->key_exchange->Start();
  rooms->backup_runner = std::make_unique<BackupRunner>(
      *rooms->operations, rooms->options,
      VaultFiles{options.directory, settled.anchor_path,
                 LedgerPath(options.directory, options.ledger_path)},
      [retention = rooms->retention.get()] { return retention->waiting_for_clock(); });
  rooms->HandOut();
  rooms->backup_runner->Start();
  return std::unique_ptr<Vault>(new Vault(std::move(rooms)));
}

Vault::~Vault() {
  try {
    (void)Close();
  } catch (const std::bad_alloc&) {
    // Nor is there memory to say so: the log is whole up to the anchor before.
  }
}

Status Vault::Close() {
  if (!rooms_->publisher) return {};
  rooms_->backup_runner->Stop();
  rooms_->key_exchange->Stop();
  rooms_->index_builder->Stop();
  rooms_->retention->Stop();
  rooms_->scrubber->Stop();
  rooms_->follower.reset();
  rooms_->publisher->Stop();
  auto sealed = rooms_->operations->LogSystemEvent("vault.stop", "ok");
  if (sealed) sealed = rooms_->publisher->Publish(false);
  if (rooms_->options.log) {
    sealed ? rooms_->options.log(Severity::kInfo, "the log is sealed")
           : rooms_->options.log(Severity::kError,
                                 "the log could not be sealed: " + sealed.error().detail);
  }
  rooms_->publisher.reset();
  rooms_->backup_runner->Finish();
  rooms_->engine->Stop();
  return sealed;
}

const Operations& Vault::operations() const { return *rooms_->operations; }
IndexBuilder& Vault::index_builder() const { return *rooms_->index_builder; }
ClientKeyExchange& Vault::key_exchange() const { return *rooms_->key_exchange; }
Roles& Vault::roles() const { return rooms_->services->roles; }
Assignments& Vault::assignments() const { return rooms_->services->assignments; }
Leases& Vault::leases() const { return rooms_->services->leases; }
Principals& Vault::principals() const { return rooms_->services->principals; }
Teams& Vault::teams() const { return rooms_->services->teams; }
Tokens& Vault::tokens() const { return rooms_->services->tokens; }
Sessions& Vault::sessions() const { return rooms_->services->sessions; }
Approvals& Vault::approvals() const { return rooms_->services->approvals; }
Emergencies& Vault::emergencies() const { return rooms_->services->emergencies; }
Requests& Vault::requests() const { return rooms_->services->requests; }
Notices& Vault::notices() const { return rooms_->services->notices; }
Recipients& Vault::recipients() const { return rooms_->services->recipients; }
Disclosures& Vault::disclosures() const { return rooms_->services->disclosures; }

Restrictions& Vault::restrictions() const { return rooms_->services->restrictions; }
Consents& Vault::consents() const { return rooms_->services->consents; }
ConsentTexts& Vault::consent_texts() const { return rooms_->services->consent_texts; }
Clients& Vault::clients() const { return rooms_->services->clients; }
Searches& Vault::searches() const { return rooms_->services->searches; }
Records& Vault::records() const { return rooms_->services->records; }
Exports& Vault::exports() const { return rooms_->services->exports; }
Imports& Vault::imports() const { return rooms_->services->imports; }
Classes& Vault::classes() const { return rooms_->services->classes; }
Purposes& Vault::purposes() const { return rooms_->services->purposes; }
Caseloads& Vault::caseloads() const { return rooms_->services->caseloads; }
NamesOfIds& Vault::names() const { return rooms_->services->names; }
AccessExplanations& Vault::access_explanations() const {
  return rooms_->services->access_explanations;
}
Holds& Vault::holds() const { return rooms_->services->holds; }
Erasures& Vault::erasures() const { return rooms_->services->erasures; }
ErasureActs& Vault::erasure_acts() const { return rooms_->services->erasure_acts; }
Retention& Vault::retention() const { return rooms_->services->retention; }
AccessLog& Vault::access_log() const { return rooms_->services->access_log; }
ReaderReports& Vault::reader_reports() const { return rooms_->services->reader_reports; }
EvidenceBundles& Vault::evidence() const { return rooms_->services->evidence; }
Verification& Vault::verification() const { return rooms_->services->verification; }
EmergencyReports& Vault::emergency_reports() const { return rooms_->services->emergency_reports; }
BreachScopes& Vault::breach_scopes() const { return rooms_->services->breach_scopes; }
Breaches& Vault::breaches() const { return rooms_->services->breaches; }
Packages& Vault::packages() const { return rooms_->services->packages; }
Processing& Vault::processing() const { return rooms_->services->processing; }
Tellings& Vault::tellings() const { return rooms_->services->tellings; }
ClientOverviews& Vault::client_overviews() const { return rooms_->services->client_overviews; }
Traces& Vault::traces() const { return rooms_->services->traces; }
Monitoring& Vault::monitoring() const { return rooms_->services->monitoring; }
BackupRunner& Vault::backup_runner() const { return *rooms_->backup_runner; }
Keys& Vault::keys() const { return rooms_->services->keys; }
Backups& Vault::backups() const { return rooms_->services->backups; }

}  // namespace coffer::vault
