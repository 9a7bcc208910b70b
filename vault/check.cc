// Whether a start would go well, told beside a server that may run: everything is read as a start
// reads it, in its order, and nothing written stays.
#include "vault/check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "vault/backup/restored_copy.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/engine/engine.h"
#include "vault/engine/key_cache.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/log_length.h"
#include "vault/opening.h"
#include "vault/room_states.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"
#include "vault/storage/vault_database.h"
#include "vault/vault_options.h"

namespace coffer::vault {
namespace {

// `reason`: a start's for what it cannot write there.
std::unexpected<Error> NotWritable(const std::string& path, std::string_view reason) {
  return Fail(Code::kUnavailable, reason,
              "cannot write to " + path + ": " + std::strerror(errno) +
                  "; it must exist and be writable by this user");
}

// Whether files can be made there, and there is room: by one that never has a name.
Status TryToWrite(const std::string& folder, std::string_view reason) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {  // the file system knows no such files
    return access(folder.c_str(), W_OK | X_OK) == 0 ? Status() : NotWritable(folder, reason);
  }
  if (fd < 0) return NotWritable(folder, reason);
  const Bytes some(64UZ * 1024);
  const bool written = write(fd, some.data(), some.size()) == static_cast<ssize_t>(some.size()) &&
                       fdatasync(fd) == 0;
  const int error = errno;
  close(fd);
  if (written) return {};
  return Fail(Code::kUnavailable, "storage_full",
              "cannot write 64 KiB to " + folder + ": " + std::strerror(error));
}

// The lock of a directory that no server has is free again on return.
Result<bool> IsServed(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) {
    COFFER_TRY(TryToWrite(directory, "directory_not_writable"));
    return false;
  }
  if (fd < 0) return NotWritable(path, "directory_not_writable");
  const bool served = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return served;
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

// Beside the databases, which SQLite opens for reading alone where it may not write.
Status CheckWritable(const VaultOptions& options) {
  for (const std::string& database :
       {VaultDatabasePath(options.directory), KeysDatabasePath(options.directory),
        LogIndexPath(options.directory)}) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      const std::string path = database + suffix;
      if (access(path.c_str(), F_OK) != 0 || access(path.c_str(), R_OK | W_OK) == 0) continue;
      return NotWritable(path, "storage_unavailable");
    }
  }
  return TryToWrite(options.directory, "storage_unavailable");
}

// As far as the log is where anchor and databases say.
Status CheckLog(Database& vault, const audit::Anchor& anchor, const std::string& anchor_path,
                const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const auto checkpoint, Reading(anchor_path, VerifyByAnyKey(anchor.note, keyring)));
  COFFER_ASSIGN(auto log, Reading(vault.path(), LogStore::Open(vault)));
  COFFER_TRY(Reading(vault.path(), CheckLogName(*log, keyring)));
  COFFER_TRY(Reading(vault.path(), CheckAnchor(*log, checkpoint, keyring.log_origin())));
  return Reading(vault.path(), CheckLogLength(vault, *log, keyring));
}

}  // namespace

Result<bool> CheckDirectory(const VaultOptions& options, crypto::RootKeyProvider& root) {
  COFFER_TRY(CheckThere(options.directory));
  COFFER_TRY(CheckNoCopy(options.directory));
  COFFER_ASSIGN(const bool served, IsServed(options.directory));
  const std::string keyring_path = KeyringPath(options.directory);
  const std::string vault_path = VaultDatabasePath(options.directory);
  const std::string keys_path = KeysDatabasePath(options.directory);
  const std::string anchor_path = AnchorPath(options.directory, options.anchor_path);
  const std::string ledger_path = LedgerPath(options.directory, options.ledger_path);
  COFFER_ASSIGN(const auto keyring,
                Reading(keyring_path, crypto::Keyring::Open(keyring_path, root)));

  COFFER_ASSIGN(VaultDatabase opened,
                Reading(vault_path, OpenVaultDatabase(vault_path, keyring, {.read_only = true})));
  Database vault = std::move(opened.database);
  COFFER_ASSIGN(auto keys,
                Reading(keys_path, OpenKeysDatabase(keys_path, keyring, {.read_only = true})));
  COFFER_TRY(CheckWritable(options));
  // Ahead of what it is compared with: a server goes on meanwhile.
  COFFER_ASSIGN(const auto anchor, Reading(anchor_path, ReadAnchor(anchor_path)));
  COFFER_TRY(vault.Execute("BEGIN"));
  COFFER_TRY(keys.Execute("BEGIN"));
  COFFER_ASSIGN(const bool vault_current,
                Reading(vault_path, IsMigrated(vault, VaultMigrations())));
  COFFER_ASSIGN(const bool keys_current, Reading(keys_path, IsMigrated(keys, KeysMigrations())));
  // What a migration changes first can only be read by who migrates.
  if (!vault_current || !keys_current) return served;
  COFFER_TRY(CheckLog(vault, anchor, anchor_path, keyring));
  {
    COFFER_ASSIGN(auto settings, Reading(vault_path, SettingStore::Open(vault)));
    COFFER_TRY(Reading(vault_path, ReadAuthority(settings, keyring)));
    COFFER_TRY(KeyCache::Create(options.key_cache_entries, options.require_locked_memory));
    COFFER_TRY(Reading(ledger_path, ErasureLedger::Check(ledger_path, keyring, settings, served)));
    if (access(ledger_path.c_str(), F_OK) != 0) {
      COFFER_TRY(TryToWrite(FolderOf(ledger_path), "ledger_not_opened"));
    }
  }
  Engine::Options opening;
  opening.clock = options.clock != nullptr ? options.clock : &audit::SystemClock();
  opening.origin = keyring.log_origin();
  opening.open_rooms = OpenRoomStates;
  opening.take_over_state = options.take_over_state;
  COFFER_TRY(Reading(
      vault_path, Engine::Check(std::move(vault), std::move(keys), keyring, std::move(opening))));
  COFFER_TRY(TryToWrite(FolderOf(anchor_path), "file_not_written"));
  return served;
}

}  // namespace coffer::vault
