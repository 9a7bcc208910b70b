#include "vault/log_key_rotation.h"

#include <unistd.h>

#include <string>
#include <string_view>
#include <thread>

#include "crypto/atomic_file.h"
#include "crypto/keyring.h"
#include "vault/backup/repository.h"
#include "vault/backup/restored_copy.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/setting_store.h"
#include "vault/opening.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/vault_database.h"
#include "vault/vault.h"
#include "vault/vault_options.h"

namespace coffer::vault {
namespace {

constexpr std::chrono::milliseconds kLookAgain{100};

Result<LogKeyNotes> NotesOf(const std::string& directory, const crypto::Keyring& keyring) {
  const std::string path = VaultDatabasePath(directory);
  COFFER_ASSIGN(VaultDatabase vault,
                Reading(path, OpenVaultDatabase(path, keyring, {.read_only = true})));
  COFFER_ASSIGN(auto settings, Reading(path, SettingStore::Open(vault.database)));
  return Reading(path, ReadLogKeyNotes(settings));
}

std::unexpected<Error> ServerIsBehind(std::string_view what) {
  return Fail(Code::kConflict, "rotation_unfinished",
              "the server has not yet " + std::string(what) +
                  ": it does so while it runs; try the same again, or restart it");
}

Result<LogKeyRotated> AddBesideServer(const std::string& directory, crypto::RootKeyProvider& root) {
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  LogKeyRotated rotated{.begun = true, .served = true};
  {
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    const auto keys = keyring.log_keys();
    rotated.begun = keys.size() < 2 || keys.front().retiring;
  }
  // Durable before anything can be signed by it.
  if (rotated.begun) COFFER_TRY(crypto::Keyring::AddLogKey(path, root));
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  COFFER_ASSIGN(const auto sealed, keyring.signing_keys().SealNewest(keyring.note_key()));
  COFFER_TRY(crypto::WriteFileAtomically(HandedOverKeyPath(directory, kLogSigningName), sealed));
  return rotated;
}

Result<LogKeyRotated> RetireBesideServer(const std::string& directory,
                                         crypto::RootKeyProvider& root,
                                         std::chrono::milliseconds patience) {
  const std::string path = KeyringPath(directory);
  std::uint32_t old = 0;
  {
    COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    const auto keys = keyring.log_keys();
    old = keys.front().version;
    COFFER_ASSIGN(const LogKeyNotes notes, NotesOf(directory, keyring));
    const std::string handed_over = HandedOverKeyPath(directory, kLogSigningName);
    if (keys.size() > 1 &&
        (notes.announced < keys.back().version || access(handed_over.c_str(), F_OK) == 0)) {
      return ServerIsBehind("taken up the new key");
    }
    COFFER_TRY(crypto::Keyring::RetireLogKey(path, root));
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    if (keyring.log_keys().size() < 2) break;  // by a start
    COFFER_ASSIGN(const LogKeyNotes notes, NotesOf(directory, keyring));
    if (notes.left >= old) break;
    if (std::chrono::steady_clock::now() >= until) {
      return ServerIsBehind("signed a checkpoint without the old key");
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  COFFER_TRY(crypto::Keyring::DropRetiredLogKey(path, root));
  return LogKeyRotated{.begun = true, .served = true};
}

}  // namespace

Result<LogKeyRotated> RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root,
                                   LogKeyStep step, std::chrono::milliseconds patience) {
  COFFER_TRY(CheckThere(options.directory));
  {
    const auto lock = DirectoryLock::Acquire(options.directory);
    if (!lock && lock.error().code == Code::kConflict) {
      return step == LogKeyStep::kAdd ? AddBesideServer(options.directory, root)
                                      : RetireBesideServer(options.directory, root, patience);
    }
    if (!lock) return std::unexpected(lock.error());
    // The new key has to vouch for it: with another one in its place, the next start would refuse
    // what the old key signed.
    const std::string ledger = LedgerPath(options.directory, options.ledger_path);
    if (access(ledger.c_str(), F_OK) != 0) {
      return Fail(Code::kNotFound, "ledger_missing",
                  "there is no ledger of erasures at " + ledger +
                      "; say where the server has it, which makes it when it is first started");
    }
    COFFER_TRY(CheckNoCopy(options.directory));
    COFFER_ASSIGN(const auto keyring_lock, KeyringLock::Acquire(options.directory));
    const std::string path = KeyringPath(options.directory);
    {
      // Without it the vault would not open afterwards, and the key would be another already.
      COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
      const std::string anchor_path = AnchorPath(options.directory, options.anchor_path);
      COFFER_ASSIGN(const auto anchor, Reading(anchor_path, ReadAnchor(anchor_path)));
      COFFER_TRY(Reading(anchor_path, VerifyByAnyKey(anchor.note, keyring)));
    }
    COFFER_TRY(step == LogKeyStep::kAdd ? crypto::Keyring::AddLogKey(path, root)
                                        : crypto::Keyring::RetireLogKey(path, root));
  }
  if (auto vault = Vault::Open(options, root); !vault) {
    Error why = std::move(vault).error();
    return Fail(why.code, "log_key_changed",
                std::string(step == LogKeyStep::kAdd ? "keyring.json has the new key"
                                                     : "the old key is retired in keyring.json") +
                    ", and the log does not say so yet: the vault does not open: " + InWords(why));
  }
  return LogKeyRotated{};
}

}  // namespace coffer::vault
