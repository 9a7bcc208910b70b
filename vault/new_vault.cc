// Making a vault.
#include "vault/new_vault.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/keys_database_key.h"
#include "vault/access/call.h"
#include "vault/access/secrets.h"
#include "vault/access/token.h"
#include "vault/base/file_account.h"
#include "vault/engine/log_keys.h"
#include "vault/opening.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"
#include "vault/unfinished_vault.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kFirstTokenLifetimeMs = std::int64_t{365} * 24 * 3600 * 1000;

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
  if (audit::SuccessionNumber(options.log_origin) != 1) {
    return Fail(Code::kInvalidArgument, "log_origin_invalid",
                "the log's origin must not end in '~' and a number: successors of a log are named "
                "so");
  }
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
    COFFER_ASSIGN(created.detail, DetailOf(keyring, keyring.log_signing_key()->public_key()));
    COFFER_TRY(settings.Put(kAnnouncedSetting, AnnouncedNote(keyring, keyring.log_keys().front())));
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
        *keyring.log_signing_key());
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

}  // namespace coffer::vault
