#include "vault/log_key_rotation.h"

#include <unistd.h>

#include <string>
#include <string_view>
#include <thread>

#include "crypto/atomic_file.h"
#include "crypto/keyring.h"
#include "vault/backup/repository.h"
#include "vault/backup/restored_copy.h"
#include "vault/base/function_ref.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/setting_store.h"
#include "vault/opening.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/migrations.h"
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

// Of what comes after keyring.json was written.
std::unexpected<Error> ChangedAlready(std::string_view what, const Error& why) {
  return Fail(why.code, "log_key_changed", std::string(what) + ", and then: " + InWords(why));
}

// False: not before that moment.
Result<bool> Await(std::chrono::steady_clock::time_point until, FunctionRef<Result<bool>()> there) {
  for (;;) {
    COFFER_ASSIGN(const bool is_there, there());
    if (is_there) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
}

bool IsLogKeyHandedOver(const std::string& directory) {
  return IsHandedOver(HandedOverKeyPath(directory, kLogSigningName));
}

Status HandOverLogKey(const std::string& directory, crypto::RootKeyProvider& root) {
  const std::string path = KeyringPath(directory);
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  COFFER_ASSIGN(const auto sealed, keyring.signing_keys().SealNewest(keyring.note_key()));
  return crypto::WriteFileAtomically(HandedOverKeyPath(directory, kLogSigningName), sealed);
}

// False: two keys are there, and the exchange goes on.
bool BeginsAnother(const crypto::Keyring& keyring) {
  const auto keys = keyring.log_keys();
  return keys.size() < 2 || keys.front().retiring;
}

Result<LogKeyRotated> AddBesideServer(const std::string& directory, crypto::RootKeyProvider& root,
                                      std::chrono::steady_clock::time_point until) {
  LogKeyRotated rotated{.begun = true, .served = true};
  {
    COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
    const std::string path = KeyringPath(directory);
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    rotated.begun = BeginsAnother(keyring);
    // Durable before anything can be signed by it.
    if (rotated.begun) COFFER_TRY(crypto::Keyring::AddLogKey(path, root));
    if (const auto handed = HandOverLogKey(directory, root); !handed) {
      return ChangedAlready("keyring.json has the new key", handed.error());
    }
  }
  COFFER_ASSIGN(rotated.taken_up,
                Await(until, [&]() -> Result<bool> { return !IsLogKeyHandedOver(directory); }));
  return rotated;
}

// Under the lock of the keyring.
Status DropOnly(const std::string& path, crypto::RootKeyProvider& root, std::uint32_t version) {
  COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(path));
  const auto& versions = header.VersionsOf(kLogSigningName);
  // Somebody else did, or a start; and what is retiring by now is another.
  if (versions.size() < 2 || versions.front() != version) return {};
  return crypto::Keyring::DropRetiredLogKey(path, root);
}

Result<LogKeyRotated> RetireBesideServer(const std::string& directory,
                                         crypto::RootKeyProvider& root,
                                         std::chrono::steady_clock::time_point until) {
  const std::string path = KeyringPath(directory);
  std::uint32_t old = 0;
  {
    COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    const auto keys = keyring.log_keys();
    old = keys.front().version;
    COFFER_ASSIGN(const LogKeyNotes notes, NotesOf(directory, keyring));
    if (keys.size() > 1 &&
        (!IsAnnounced(notes, keyring, keys.back()) || IsLogKeyHandedOver(directory))) {
      return ServerIsBehind("taken up the new key");
    }
    COFFER_TRY(crypto::Keyring::RetireLogKey(path, root));
  }
  const auto retired = Await(until, [&]() -> Result<bool> {
    COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    if (keyring.log_keys().front().version != old) return true;  // by a start
    COFFER_ASSIGN(const LogKeyNotes notes, NotesOf(directory, keyring));
    return notes.retired >= old;
  });
  if (!retired) return ChangedAlready("the old key is retired in keyring.json", retired.error());
  if (!*retired) return ServerIsBehind("said in the log that the old key is retired");
  const auto lock = KeyringLock::Acquire(directory);
  const Status dropped = lock ? DropOnly(path, root, old) : std::unexpected(lock.error());
  if (!dropped) return ChangedAlready("the old key is retired in keyring.json", dropped.error());
  return LogKeyRotated{.begun = true, .served = true, .taken_up = true};
}

}  // namespace

Result<LogKeyRotated> RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root,
                                   LogKeyStep step, std::chrono::milliseconds patience) {
  COFFER_TRY(CheckThere(options.directory));
  LogKeyRotated rotated{.begun = true, .served = false, .taken_up = true};
  {
    const auto lock = DirectoryLock::Acquire(options.directory);
    if (!lock && lock.error().code == Code::kConflict) {
      const auto until = std::chrono::steady_clock::now() + patience;
      return step == LogKeyStep::kAdd ? AddBesideServer(options.directory, root, until)
                                      : RetireBesideServer(options.directory, root, until);
    }
    if (!lock) return std::unexpected(lock.error());
    // The new key has to vouch for it: with another one in its place, the next start would refuse
    // what the old key signed.
    const std::string ledger = LedgerPath(options.directory, options.ledger_path);
    const Status there = crypto::CheckIsFile(ledger);
    if (!there && there.error().code != Code::kNotFound) return std::unexpected(there.error());
    if (!there) {
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
      rotated.begun = step == LogKeyStep::kRetire || BeginsAnother(keyring);
      {
        const std::string vault_path = VaultDatabasePath(options.directory);
        COFFER_ASSIGN(
            VaultDatabase opened,
            Reading(vault_path, OpenVaultDatabase(vault_path, keyring, {.read_only = true})));
        // What a migration brings first cannot be read before it.
        COFFER_ASSIGN(const bool migrated,
                      Reading(vault_path, IsMigrated(opened.database, VaultMigrations())));
        if (migrated) {
          COFFER_TRY(
              Reading(ledger, ErasureLedger::CheckIsNewest(ledger, keyring, opened.database)));
        }
      }
      COFFER_ASSIGN(const LogKeyNotes notes, NotesOf(options.directory, keyring));
      const auto keys = keyring.log_keys();
      if (step == LogKeyStep::kRetire && keys.size() > 1 &&
          !IsAnnounced(notes, keyring, keys.back())) {
        return Fail(Code::kConflict, "rotation_unfinished",
                    "the log does not announce the new key yet: add it once more, and let those "
                    "who verify see both before the old one goes");
      }
    }
    if (step == LogKeyStep::kRetire) {
      COFFER_TRY(crypto::Keyring::RetireLogKey(path, root));
    } else if (rotated.begun) {
      COFFER_TRY(crypto::Keyring::AddLogKey(path, root));
    }
  }
  if (auto vault = Vault::Open(options, root); !vault) {
    Error why = std::move(vault).error();
    return Fail(why.code, "log_key_changed",
                std::string(step == LogKeyStep::kAdd ? "keyring.json has the new key"
                                                     : "the old key is retired in keyring.json") +
                    ", and the log does not say so yet: the vault does not open: " + InWords(why));
  }
  return rotated;
}

}  // namespace coffer::vault
