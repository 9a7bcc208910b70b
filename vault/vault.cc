// Opening, closing and making a vault, and what concerns it as a whole.
#include "vault/vault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/keys_database_key.h"
#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/access/token_expiry.h"
#include "vault/base/file_account.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/log_length.h"
#include "vault/engine/secrets.h"
#include "vault/opening.h"
#include "vault/rooms.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"
#include "vault/unfinished_vault.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kTwoPersonSetting = "two_person";
constexpr std::int64_t kFirstTokenLifetimeMs = std::int64_t{365} * 24 * 3600 * 1000;

// 0: there is none.
std::uint64_t SizeOfFile(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!synced) return Fail(Code::kUnavailable, "file_not_written", "cannot sync " + path);
  return {};
}

// A service with its first token, and the entry that says so.
Result<audit::Entry> MakeFirstToken(const crypto::Keyring& keyring, PrincipalStore& store,
                                    std::string_view role, Timestamp now, NewToken& token) {
  PrincipalRow service;
  service.id = PrincipalId::New(now, PrincipalKind::kService);
  service.name = "first " + std::string(role);
  service.role = role;
  service.created = now;
  TokenRow row = NewBearer(keyring, service.id, "cft_", now, token.secret);
  row.name = service.name;
  row.expires = Timestamp{now.ms + kFirstTokenLifetimeMs};
  token.info = InfoOf(row, service);
  COFFER_TRY(store.Put(service));
  COFFER_TRY(store.Insert(row));
  audit::Entry entry;
  entry.action = Name(Action::kTokenCreate);
  entry.actor = "genesis";
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "ok";
  entry.detail = row.id.Text() + " " + service.id.Text() + " " + service.role;
  return entry;
}

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

// As whom a new vault is made, and whose it is to be.
struct Making {
  std::optional<FileAccount> owner;  // nothing: this process's own
  std::optional<FileAccount> maker;
};

// In another account's directory root does nothing as root: by the time it followed a path, the
// account could have put other files of root's there. In root's own, the vault is given away.
Result<Making> MakingOf(const std::string& directory, const std::string& above) {
  Making making{AccountForNewVault(directory), std::nullopt};
  const auto account_above = AccountForNewVault(above);
  if (!account_above) return making;
  if (!making.owner) {
    return Fail(Code::kPermissionDenied, "owners_differ",
                directory + " is root's in a directory of the account " +
                    std::to_string(account_above->user) +
                    ": give it to the account that is to have the vault (chown " +
                    std::to_string(account_above->user) + " " + directory + ")");
  }
  making.maker = making.owner;
  return making;
}

// Files that are there are nobody's to replace.
Status CheckNew(const std::string& directory, const std::string& anchor) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    return Fail(Code::kConflict, "vault_exists",
                directory + " is not empty; choose a new directory");
  }
  if (fs::exists(anchor, error)) {
    return Fail(Code::kConflict, "vault_exists",
                anchor + " is the anchor of another vault; choose another path");
  }
  return {};
}

// The tokens go where whoever started this may write.
Status HandOver(const InitOptions& options, FirstTokens& tokens, std::optional<ActingAs>& acting,
                const std::optional<FileAccount>& maker) {
  if (!options.hand_over) return {};
  acting.reset();
  const Status handed_over = options.hand_over(tokens);
  COFFER_ASSIGN(auto again, ActingAs::Begin(maker));
  acting.emplace(std::move(again));
  return handed_over;
}

}  // namespace

Result<FirstTokens> InitializeVault(const InitOptions& options, crypto::RootKeyProvider& root) {
  namespace fs = std::filesystem;
  const audit::Clock& clock = options.clock ? *options.clock : audit::SystemClock();
  const std::string anchor_path = AnchorPath(options.directory, options.anchor_path);
  COFFER_TRY(CheckNew(options.directory, anchor_path));
  // Everything is made beside the directory and renamed into place, so that a crash leaves no half
  // vault behind under the real name.
  fs::path target = fs::path(options.directory).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const std::string work = target.string() + ".initialising";
  const std::string above = target.has_parent_path() ? target.parent_path().string() : ".";
  COFFER_ASSIGN(const Making making, MakingOf(target.string(), above));
  std::optional<ActingAs> acting;
  COFFER_ASSIGN(auto begun, ActingAs::Begin(making.maker));
  acting.emplace(std::move(begun));
  std::error_code ignored;  // told by what is made in it
  fs::create_directories(above, ignored);
  COFFER_ASSIGN(auto unfinished, UnfinishedVault::Make(work));
  // Again: another process may have finished one until this one had the lock.
  COFFER_TRY(CheckNew(options.directory, anchor_path));

  COFFER_ASSIGN(
      const auto keyring,
      crypto::Keyring::Create(KeyringPath(work), root, options.passphrase, options.log_origin));
  FirstTokens tokens;
  audit::Anchor anchor{1, {}};
  {
    COFFER_ASSIGN(auto vault, Database::Open(VaultDatabasePath(work), keyring.vault_db_key(),
                                             {.create = true}));
    const std::string keys_path = KeysDatabasePath(work);
    COFFER_ASSIGN(const auto keys_key,
                  crypto::CreateKeysDatabaseKey(KeysDatabaseKeyPath(keys_path), keyring));
    COFFER_ASSIGN(auto keys, Database::Open(keys_path, keys_key, {.create = true}));
    COFFER_TRY(Migrate(vault, VaultMigrations()));
    COFFER_TRY(Migrate(keys, KeysMigrations()));
    COFFER_ASSIGN(auto principals, PrincipalStore::Open(vault));
    COFFER_ASSIGN(auto log, LogStore::Open(vault));

    COFFER_ASSIGN(auto settings, SettingStore::Open(vault));
    const Timestamp now = clock.Now();
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault));
    std::vector<audit::Entry> entries(1);
    audit::Entry& created = entries.front();
    created.action = "log.created";
    created.actor = "genesis";
    created.decision = audit::Decision::kAllow;
    created.outcome = "ok";
    bool authority_made = false;
    COFFER_TRY(OpenAuthority(settings, keyring, now, authority_made));
    COFFER_ASSIGN(created.detail, DetailOf(keyring, keyring.log_signing_key().public_key()));
    COFFER_TRY(settings.Put(kAnnouncedSetting, "1"));
    if (!options.two_person) {
      AddDetail(created, "one person decides alone");
      COFFER_TRY(settings.Put(kTwoPersonSetting, "off"));
    }
    COFFER_ASSIGN(auto made,
                  MakeFirstToken(keyring, principals, "administrator", now, tokens.administrator));
    entries.push_back(std::move(made));
    if (options.two_person) {
      COFFER_ASSIGN(made, MakeFirstToken(keyring, principals, "security-officer", now,
                                         tokens.security_officer.emplace()));
      entries.push_back(std::move(made));
    }
    audit::LogWriter writer(keyring.log_origin(), {});
    std::string bytes;
    std::vector<audit::FullTile> tiles;
    for (audit::Entry& entry : entries) {
      writer.Append(entry, now, bytes, tiles);
      COFFER_TRY(log->AppendEntry(entry.seq, bytes));
    }
    anchor.note = audit::SignCheckpoint(
        {keyring.log_origin(), writer.head().size, writer.head().frontier.Root()},
        keyring.log_signing_key());
    COFFER_TRY(log->PutCheckpoint(anchor.note));
    // The key in the keyring cannot be destroyed: the first index is under one that can.
    const auto index_key = crypto::SecretBytes::Random(crypto::kAeadKeyBytes);
    IndexState index_state;
    index_state.live = 1;
    index_state.rules = crypto::SearchRules();
    COFFER_ASSIGN(auto key_store, KeyStore::Open(keys));
    COFFER_TRY(key_store.PutIndexKey(
        index_state.live,
        SearchIndex::WrapKey(keyring, index_state.live, index_key.ExposeSecret())));
    COFFER_ASSIGN(auto index, SearchIndex::Open(vault));
    COFFER_TRY(index.Store(index_state));
    COFFER_TRY(transaction.Commit());
    COFFER_TRY(vault.Checkpoint(true));
    COFFER_TRY(keys.Checkpoint(true));
  }
  const std::string first_anchor =
      options.anchor_path.empty() ? AnchorPath(work, {}) : options.anchor_path;
  {
    // One that lies elsewhere is written as the account that will replace it; no more is wanted
    // where this is that account already.
    const bool elsewhere = !options.anchor_path.empty() && !making.maker;
    COFFER_ASSIGN(const auto writing, ActingAs::Begin(elsewhere ? making.owner : std::nullopt));
    COFFER_TRY(
        crypto::WriteFileAtomically(first_anchor, crypto::AsBytes(audit::FormatAnchor(anchor))));
  }
  if (!options.anchor_path.empty()) unfinished.AddAnchor(first_anchor, making.owner);
  if (making.owner && !making.maker) {
    COFFER_TRY(GiveTo(*making.owner, unfinished.directory(), work));
  }
  COFFER_TRY(SyncDirectory(work));
  COFFER_TRY(HandOver(options, tokens, acting, making.maker));
  COFFER_TRY(unfinished.Rename(target.string()));
  COFFER_TRY(SyncDirectory(above));
  unfinished.Finish();
  return tokens;
}

Status RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root, LogKeyStep step) {
  {
    COFFER_ASSIGN(const auto lock, DirectoryLock::Acquire(options.directory));
    // The new key has to vouch for it: with another one in its place, the next start would refuse
    // what the old key signed.
    const std::string ledger = LedgerPath(options.directory, options.ledger_path);
    if (access(ledger.c_str(), F_OK) != 0) {
      return Fail(Code::kNotFound, "ledger_missing",
                  "there is no ledger of erasures at " + ledger +
                      "; say where the server has it, which makes it when it is first started");
    }
    const std::string path = KeyringPath(options.directory);
    COFFER_TRY(step == LogKeyStep::kAdd ? crypto::Keyring::AddLogKey(path, root)
                                        : crypto::Keyring::RetireLogKey(path, root));
  }
  COFFER_ASSIGN(const auto vault, Vault::Open(options, root));
  return {};
}

Vault::Vault(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Result<std::unique_ptr<Vault>> Vault::Open(const VaultOptions& options,
                                           crypto::RootKeyProvider& root) {
  VaultOptions settled = options;
  if (settled.clock == nullptr) settled.clock = &audit::SystemClock();
  settled.anchor_path = AnchorPath(options.directory, options.anchor_path);
  COFFER_TRY(CheckThere(options.directory));
  COFFER_ASSIGN(auto lock, DirectoryLock::Acquire(options.directory));
  const std::string keyring_path = KeyringPath(options.directory);
  const std::string vault_path = VaultDatabasePath(options.directory);
  const std::string keys_path = KeysDatabasePath(options.directory);
  COFFER_ASSIGN(auto keyring, Reading(keyring_path, crypto::Keyring::Open(keyring_path, root)));
  auto core = std::make_unique<Core>(settled, std::move(lock), std::move(keyring));

  COFFER_ASSIGN(auto vault,
                Reading(vault_path, Database::Open(vault_path, core->keyring.vault_db_key(),
                                                   {.cache_kib = options.page_cache_mib * 1024})));
  COFFER_TRY(Reading(keys_path, SettleKeysDatabase(keys_path, core->keyring)));
  COFFER_ASSIGN(auto keys, Reading(keys_path, OpenKeysDatabase(keys_path, core->keyring,
                                                               {.cache_kib = kKeysCacheKib})));
  COFFER_TRY(Reading(vault_path, Migrate(vault, VaultMigrations())));
  COFFER_TRY(Reading(keys_path, Migrate(keys, KeysMigrations())));
  COFFER_ASSIGN(auto anchor, Reading(settled.anchor_path, ReadAnchor(settled.anchor_path)));
  {
    COFFER_ASSIGN(const auto checkpoint,
                  Reading(settled.anchor_path, VerifyByAnyKey(anchor.note, core->keyring)));
    COFFER_ASSIGN(auto log, Reading(vault_path, LogStore::Open(vault)));
    COFFER_TRY(Reading(vault_path, CheckAnchor(*log, checkpoint)));
    COFFER_TRY(Reading(vault_path, CheckLogLength(vault, *log, core->keyring)));
  }
  bool authority_made = false;
  {
    COFFER_ASSIGN(auto settings, Reading(vault_path, SettingStore::Open(vault)));
    COFFER_ASSIGN(const auto two_person, Reading(vault_path, settings.Find(kTwoPersonSetting)));
    core->two_person = two_person != "off";
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault));
    COFFER_ASSIGN(core->authority,
                  Reading(vault_path, OpenAuthority(settings, core->keyring, settled.clock->Now(),
                                                    authority_made)));
    COFFER_TRY(transaction.Commit());
  }
  COFFER_ASSIGN(auto cache,
                KeyCache::Create(options.key_cache_entries, options.require_locked_memory));
  {
    COFFER_ASSIGN(auto settings, Reading(vault_path, SettingStore::Open(vault)));
    const std::string ledger_path = LedgerPath(options.directory, options.ledger_path);
    COFFER_ASSIGN(core->ledger,
                  Reading(ledger_path, ErasureLedger::Open(ledger_path, core->keyring, settings)));
  }
  const auto append = [ledger = core->ledger.get()](std::span<ErasureRow> rows) {
    return ledger->Append(rows);
  };
  KeyStoreRewrite::Options rewrite;
  rewrite.after_ms = options.keys_rewrite_after_ms;
  rewrite.interval_ms = options.keys_rewrite_interval_ms;
  COFFER_ASSIGN(core->engine,
                Reading(vault_path, Engine::Create(std::move(vault), std::move(keys), core->keyring,
                                                   std::move(cache),
                                                   {.queue_limit = options.queue_limit,
                                                    .log = options.log,
                                                    .clock = settled.clock,
                                                    .origin = core->keyring.log_origin(),
                                                    .append_to_ledger = append,
                                                    .open_rooms = OpenRooms,
                                                    .keys_rewrite = rewrite,
                                                    .take_over_state = options.take_over_state})));
  if (options.log) WarnOfRoles(*core->engine->Of<CatalogState>().Published(), options.log);
  core->engine->Start();
  core->started = core->Now();
  if (const auto& difference = core->engine->state_difference()) {
    COFFER_TRY(core->LogSystemEvent("integrity.alarm", "stored_data_differs",
                                    "taken over; " + *difference));
  }
  COFFER_TRY(core->LogSystemEvent("vault.start", "ok"));
  if (authority_made) COFFER_TRY(core->LogSystemEvent("authority.created", "ok"));
  COFFER_TRY(AnnounceLogKeys(*core));
  COFFER_TRY(core->ReconcileLedger());
  COFFER_TRY(core->CompleteInterruptedErasures());
  // Before anybody is answered: until then nothing is stopped by them.
  COFFER_TRY(core->MoveOlderRestrictions());

  COFFER_ASSIGN(auto reader,
                Reading(vault_path, Database::Open(vault_path, core->keyring.vault_db_key(),
                                                   {.read_only = true})));
  COFFER_ASSIGN(
      core->publisher,
      Reading(vault_path, LogPublisher::Create(*core->engine, core->keyring, std::move(reader),
                                               std::move(anchor),
                                               {.anchor_path = settled.anchor_path,
                                                .interval_ms = options.checkpoint_interval_ms,
                                                .heartbeat_s = options.heartbeat_interval_s,
                                                .log = options.log})));
  COFFER_TRY(Reading(vault_path, core->publisher->Publish(false)));
  // Signed by the others, with the entry that retires it.
  if (core->keyring.log_keys().front().retiring) {
    COFFER_TRY(Reading(keyring_path, crypto::Keyring::DropRetiredLogKey(keyring_path, root)));
  } else {
    // A crash behind that may have left the key.
    COFFER_TRY(Reading(keyring_path, crypto::RemoveTemporariesOf(keyring_path)));
  }
  core->publisher->Start();
  COFFER_ASSIGN(auto follower_reader,
                Reading(vault_path, Database::Open(vault_path, core->keyring.vault_db_key(),
                                                   {.read_only = true})));
  COFFER_ASSIGN(core->follower,
                Reading(vault_path, LogFollower::Create(
                                        std::move(follower_reader), core->keyring.vault_db_key(),
                                        {.index_path = LogIndexPath(options.directory),
                                         .interval_ms = options.checkpoint_interval_ms,
                                         .log = options.log})));
  core->follower->Start();
  COFFER_ASSIGN(auto scrub_reader,
                Reading(vault_path, Database::Open(vault_path, core->keyring.vault_db_key(),
                                                   {.read_only = true})));
  COFFER_ASSIGN(
      core->scrubber,
      Reading(vault_path, Scrubber::Create(*core->engine, core->keyring, std::move(scrub_reader),
                                           {.entries_per_s = options.scrub_entries_per_s,
                                            .log = options.log,
                                            .index_path = LogIndexPath(options.directory),
                                            .index_size = [follower = core->follower.get()] {
                                              return follower->size();
                                            }})));
  core->scrubber->Start();
  COFFER_ASSIGN(auto retention_reader,
                Reading(vault_path, Database::Open(vault_path, core->keyring.vault_db_key(),
                                                   {.read_only = true})));
  COFFER_ASSIGN(core->retention,
                Reading(vault_path, RetentionRunner::Create(*core, std::move(retention_reader))));
  core->retention->Start();
  core->index_builder = std::make_unique<IndexBuilder>(*core);
  core->index_builder->Start();
  return std::unique_ptr<Vault>(new Vault(std::move(core)));
}

Vault::~Vault() { (void)Close(); }

Status Vault::Close() {
  if (!core_->publisher) return {};
  core_->index_builder->Stop();
  core_->retention->Stop();
  core_->scrubber->Stop();
  core_->follower.reset();
  core_->publisher->Stop();
  auto sealed = core_->LogSystemEvent("vault.stop", "ok");
  if (sealed) sealed = core_->publisher->Publish(false);
  if (core_->options.log) {
    sealed ? core_->options.log(Severity::kInfo, "the log is sealed")
           : core_->options.log(Severity::kError,
                                "the log could not be sealed: " + sealed.error().detail);
  }
  core_->publisher.reset();
  core_->engine->Stop();
  return sealed;
}

Status Vault::Authenticate(const Caller& caller, Action action, std::optional<ClientId> client) {
  if (!caller.token.empty() || caller.certificate) {
    Call call = core_->StartCall(caller, action);
    const auto looked = core_->engine->Run(OperationKind::kRead, EntryRule::kNever, call.entry,
                                           [&](Transaction& transaction) -> Status {
                                             core_->Identify(transaction, call);
                                             return {};
                                           });
    if (!looked) return looked;
    if (caller.authenticated) return {};
  }
  return std::unexpected(Refuse(caller, action, client, std::nullopt,
                                Error{Code::kUnauthenticated, "unauthenticated", {}, {}}));
}

Error Vault::Refuse(const Caller& caller, Action action, std::optional<ClientId> client,
                    std::optional<RecordId> record, Error error) {
  if (KindOf(action) == ActionKind::kOpen) {
    // Nobody is known yet, and nobody has to be to be told what is wrong with the request.
    Call open = core_->StartOpenCall(caller, action, "none");
    return core_->RefuseOpen(open, "input", std::move(error));
  }
  Call call = core_->StartCall(caller, action);
  if (client) call.About(*client);
  if (record) call.entry.record = record->Text();
  auto refused =
      core_->Perform(OperationKind::kRead, call, client, nullptr, [&](Transaction&) -> Status {
        call.entry.decision = audit::Decision::kDeny;
        call.entry.rule = "check:input";
        return Fail(error.code, error.reason);
      });
  if (refused || refused.error().reason == error.reason) return error;
  return refused.error();
}

const std::string& Vault::ClientAuthority() const { return core_->authority->certificate_pem(); }

Health Vault::CheckHealth() const {
  if (!core_->engine->healthy()) return {false, "storage_unavailable"};
  if (!core_->publisher->healthy()) return {false, "log_mismatch"};
  return {true, "ok"};
}

Result<EngineStatistics> Vault::ReadStatistics(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kMetricsRead);
  VaultStatus waiting;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr,
      [&](Transaction& transaction) -> Status {
        waiting.tokens = ExpiryOf(transaction.Of<AccessState>().principals(), core_->latest);
        return core_->CountWaiting(transaction, waiting);
      },
      EntryRule::kOnRefusal));
  auto statistics = core_->engine->Statistics();
  statistics.tokens = std::move(waiting.tokens);
  statistics.wal_bytes = SizeOfFile(VaultDatabasePath(core_->options.directory) + "-wal");
  statistics.keys_wal_bytes = SizeOfFile(KeysDatabasePath(core_->options.directory) + "-wal");
  statistics.open_approvals = waiting.open_approvals;
  statistics.unreviewed_emergencies = waiting.unreviewed_emergencies;
  statistics.overdue_emergencies = waiting.overdue_emergencies;
  statistics.holds = waiting.holds;
  statistics.overdue_holds = waiting.overdue_holds;
  statistics.restrictions = waiting.restrictions;
  statistics.checkpoint_size = core_->publisher->published_size();
  statistics.log_index_size = core_->follower->size();
  statistics.scrub = core_->scrubber->state();
  statistics.retention_erased = core_->retention->erased();
  statistics.retention_running = core_->retention->running();
  statistics.waiting_for_clock = core_->retention->waiting_for_clock();
  const auto schedule = core_->engine->Of<CatalogState>().Published()->retention;
  statistics.time_zone_unknown = schedule && !schedule->schedule.zone_is_known();
  statistics.index = core_->IndexStatusNow();
  return statistics;
}

Status Vault::Core::CountWaiting(Transaction& transaction, VaultStatus& status) const {
  auto& stores = transaction.Of<AccessState>().stores;
  COFFER_ASSIGN(status.open_approvals, stores.approvals.CountOpen(latest));
  COFFER_ASSIGN(const auto emergencies, stores.access.CountUnreviewed(latest));
  status.unreviewed_emergencies = emergencies.all;
  status.overdue_emergencies = emergencies.overdue;
  status.holds = transaction.Of<DeletionState>().holds().Count();
  status.overdue_holds = transaction.Of<DeletionState>().holds().CountOverdue(latest);
  status.restrictions = transaction.Of<AccessState>().restrictions().Count();
  return {};
}

IndexStatus Vault::Core::IndexStatusNow() const {
  const IndexState state = engine->Of<ClientsState>().PublishedIndex();
  IndexStatus status;
  status.generation = state.live;
  status.whole = state.live_usable && state.fields_whole;
  status.building = state.building();
  status.built = state.building() ? state.done : 0;
  status.retiring = state.phase == IndexPhase::kRetiring || state.phase == IndexPhase::kClearing;
  status.exchanged = state.exchanged;
  status.oldest_uncovered = state.uncovered;
  if (state.uncovered) {
    status.due = Timestamp{state.uncovered->ms + IndexBuilder::DueAfterMs(options)};
    status.overdue = Now().ms - state.uncovered->ms > IndexBuilder::OverdueAfterMs(options);
  }
  return status;
}

Result<bool> Vault::StepIndex() { return core_->index_builder->Step(); }

Result<VaultStatus> Vault::ReadStatus(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kStatusRead);
  VaultStatus status;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const TokenRow* token : transaction.Of<AccessState>().principals().Tokens()) {
          if (!token->is_session() && !token->revoked && token->expires > core_->latest) {
            ++status.active_tokens;
          }
        }
        status.now = core_->latest;
        status.tokens = ExpiryOf(transaction.Of<AccessState>().principals(), core_->latest);
        for (const auto* row : transaction.Of<AccessState>().principals().Principals()) {
          if (row->disabled) continue;
          const bool user = row->id.kind() == PrincipalKind::kUser;
          ++(user ? status.users : status.services);
        }
        COFFER_TRY(core_->CountWaiting(transaction, status));
        status.classes = transaction.Of<CatalogState>().current().classes.size();
        status.purposes = transaction.Of<CatalogState>().current().purposes.size();
        const auto& retention = transaction.Of<CatalogState>().current().retention;
        if (retention) status.retention_schedule = retention->version;
        if (retention && !retention->schedule.zone_is_known()) {
          status.unknown_time_zone = retention->schedule.time_zone();
        }
        for (const auto& schema : transaction.Of<CatalogState>().current().NewestClasses()) {
          const bool named = retention ? retention->schedule.IssuesOfClass(*schema).empty()
                                       : !schema->keep.empty();
          if (!named) ++status.classes_without_policy;
        }
        return {};
      }));
  // Counting walks the tables: on a connection of its own, beside the engine.
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  COFFER_ASSIGN(auto clients, ClientStore::Open(reader->database()));
  COFFER_ASSIGN(auto records, RecordStore::Open(reader->database()));
  COFFER_ASSIGN(status.clients, clients.Count());
  COFFER_ASSIGN(status.records, records.Count());
  COFFER_ASSIGN(auto erasures, ErasureStore::Open(reader->database()));
  COFFER_ASSIGN(status.erasures, erasures.Count());
  COFFER_ASSIGN(status.log_size, reader->log().Size());
  status.scrub = core_->scrubber->state();
  status.vault_id = "vlt_" + crypto::Base32Encode(core_->keyring.vault_id());
  status.log_origin = core_->keyring.log_origin();
  status.log_key = audit::FormatVerifierKey(
      {core_->keyring.log_origin(), core_->keyring.log_signing_key().public_key()});
  status.checkpoint = core_->publisher->published();
  status.waiting_for_clock = core_->retention->waiting_for_clock();
  status.two_person = core_->two_person;
  status.memory_locked = core_->engine->key_cache().locked();
  const auto statistics = core_->engine->Statistics();
  status.keys_rewrite_pending = statistics.keys_rewrite_pending;
  status.wal_truncation_pending = statistics.wal_truncation_pending;
  status.index = core_->IndexStatusNow();
  status.started = core_->started;
  return status;
}

}  // namespace coffer::vault
