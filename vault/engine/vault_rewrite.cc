#include "vault/engine/vault_rewrite.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

namespace coffer::vault {
namespace {

constexpr auto kPagesStepTime = std::chrono::milliseconds(2);
constexpr int kPagesAtOnce = 32;
// So many may be left for the step that ends it, in which nobody is served.
constexpr std::uint64_t kLastPages = 128;
// Between steps while others ask, and between looks at what is waited for.
constexpr auto kRestBetweenPages = std::chrono::milliseconds(10);
constexpr auto kWaitForReaders = std::chrono::milliseconds(100);
constexpr auto kSyncAgainAfter = std::chrono::seconds(5);
// Of opening the new file, which there is no going back from.
constexpr int kOpenVaultTries = 15;

std::unexpected<Error> VaultFileFailed(const char* doing, const std::string& path) {
  return Fail(Code::kUnavailable, "file_not_written",
              std::string(doing) + " " + path + ": " + std::strerror(errno));
}

Status RemoveBeside(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return VaultFileFailed("cannot remove", path);
  return {};
}

}  // namespace

VaultRewrite::VaultRewrite(Database& vault, const crypto::Keyring& keyring,
                           std::function<Status()> exchanged, Options options)
    : vault_(vault),
      keyring_(keyring),
      exchanged_(std::move(exchanged)),
      options_(std::move(options)) {
  in_use_.version =
      options_.key_version != 0 ? options_.key_version : keyring.vault_db_keys().newest();
}

VaultRewrite::~VaultRewrite() {
  if (syncing_.valid()) syncing_.wait();
}

bool VaultRewrite::Due() const {
  if (key_version() == keyring_.vault_db_keys().newest()) return false;
  return !failed_ || Clock::now() - *failed_ >= std::chrono::milliseconds(options_.retry_ms);
}

Status VaultRewrite::Step(bool idle) {
  if (!copy_ && !Due()) return {};
  const auto rest = waiting_ ? kWaitForReaders : kRestBetweenPages;
  if (copy_ && (waiting_ || !idle) && Clock::now() - stepped_ < rest) return {};
  auto complete = GoOn();
  stepped_ = Clock::now();
  if (!complete) {
    if (IsFsyncFailure(vault_.ExtendedError())) return std::unexpected(complete.error());
    GiveUp(complete.error());
    return {};
  }
  Tell();
  if (!*complete) return {};
  // Half of it is nothing that anybody could be served with.
  try {
    return Exchange();
  } catch (const std::bad_alloc&) {
    return Fail(Code::kUnavailable, "memory_exhausted", "no memory");
  }
}

// True: all that is left is to take the name.
Result<bool> VaultRewrite::GoOn() try {
  if (!copy_) COFFER_TRY(Begin());
  COFFER_TRY(Copy());
  waiting_ = copy_->left() <= kLastPages;
  if (!waiting_) {
    synced_ = false;
    return false;
  }
  if (!synced_ && !syncing_.valid()) COFFER_TRY(StartSync());
  return Complete();
} catch (const std::bad_alloc&) {
  return Fail(Code::kUnavailable, "memory_exhausted", "no memory");
}

Status VaultRewrite::Begin() {
  failed_.reset();
  synced_ = waiting_ = false;
  const std::string path = vault_.path();
  const std::string next_path = NextVaultDatabasePath(path);
  // What an attempt that failed could not remove.
  COFFER_TRY(RemoveNextVaultDatabase(path));
  COFFER_ASSIGN(const std::uint64_t bytes, vault_.FileBytes());
  COFFER_TRY(CheckRoom(bytes));
  next_version_ = keyring_.vault_db_keys().newest();
  const auto key = keyring_.vault_db_keys().Find(next_version_);
  if (!key) return Fail(Code::kInternal, "internal_error", "the newest key is gone");
  COFFER_ASSIGN(auto copy, PageCopy::Begin(vault_, next_path, *key));
  copy_.emplace(std::move(copy));
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (!directory_.Open(directory.empty() ? "." : directory.string(), O_RDONLY | O_DIRECTORY)) {
    return VaultFileFailed("cannot open the directory of", path);
  }
  // Open before there is anything in it that matters: a write that the system could not do later on
  // shows at its next sync.
  if (!file_.Open(next_path, O_RDONLY)) return VaultFileFailed("cannot open", next_path);
  Log(Severity::kInfo,
      "vault.db is being copied under vault-db version " + std::to_string(next_version_));
  return {};
}

Status VaultRewrite::CheckRoom(std::uint64_t more_bytes) const {
  struct statvfs room{};
  const std::filesystem::path directory = std::filesystem::path(vault_.path()).parent_path();
  if (statvfs(directory.empty() ? "." : directory.c_str(), &room) != 0) {
    return VaultFileFailed("cannot look for room beside", vault_.path());
  }
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (free >= more_bytes + options_.spare_bytes) return {};
  return Fail(Code::kUnavailable, "storage_full",
              "a copy of vault.db takes " + std::to_string(more_bytes >> 20) + " MiB, and " +
                  std::to_string(options_.spare_bytes >> 20) + " MiB more have to stay free; " +
                  std::to_string(free >> 20) + " MiB are");
}

// All but the last pages: what is left is copied where nobody commits any more.
Status VaultRewrite::Copy() {
  COFFER_TRY(CheckRoom(0));
  const auto until = Clock::now() + kPagesStepTime;
  // Also while a reader is waited for the database grows.
  for (int pages = 0;; pages = kPagesAtOnce) {
    COFFER_ASSIGN(const bool more, copy_->Step(pages));
    if (!more) return Fail(Code::kUnavailable, "storage_unavailable", "the copy ended too early");
    if (copy_->left() <= kLastPages || Clock::now() >= until) return {};
  }
}

// Most of the file, while requests go on.
Status VaultRewrite::StartSync() {
  try {
    syncing_ = std::async(std::launch::async, [fd = file_.get()] { return fsync(fd) == 0; });
  } catch (const std::system_error& error) {
    return Fail(Code::kUnavailable, "storage_unavailable",
                std::string("no thread to sync vault.db.next: ") + error.what());
  }
  return {};
}

Result<bool> VaultRewrite::Complete() {
  if (!synced_) {
    if (syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    synced_ = syncing_.get();
    if (!synced_) {
      return Fail(Code::kUnavailable, "file_not_written", "vault.db.next could not be synced");
    }
    synced_at_ = Clock::now();
  }
  // Its WAL is removed before vault.db is replaced: a crash in between must find all in vault.db.
  COFFER_ASSIGN(const bool emptied, vault_.TruncateWal());
  if (!emptied) {
    // What changes while it waits is not left for the last step either.
    synced_ = Clock::now() - synced_at_ < kSyncAgainAfter;
    return false;
  }
  COFFER_ASSIGN(const bool more, copy_->Step(-1));
  if (more) return Fail(Code::kUnavailable, "storage_unavailable", "the copy does not end");
  COFFER_TRY(copy_->Close());
  if (fsync(file_.get()) != 0) return VaultFileFailed("cannot sync", "vault.db.next");
  return true;
}

Status VaultRewrite::Exchange() {
  const std::string path = vault_.path();
  copy_.reset();
  file_.Close();
  waiting_ = false;
  {
    const std::unique_lock nobody_opens(in_use_.exchanging);
    vault_.Suspend();
    COFFER_TRY(Replace());
    const auto open = [&] {
      return OpenVaultDatabase(path, keyring_, {.cache_kib = options_.cache_kib});
    };
    auto opened = open();
    for (int tried = 1; !opened && IsBusy(opened.error()) && tried < kOpenVaultTries; ++tried) {
      opened = open();
    }
    if (!opened) return std::unexpected(std::move(opened).error());
    COFFER_TRY(vault_.Resume(std::move(opened->database)));
    COFFER_TRY(exchanged_());
    in_use_.version = opened->key_version;
  }
  directory_.Close();
  Log(Severity::kInfo,
      "vault.db was written anew under vault-db version " + std::to_string(key_version()));
  return {};
}

// Who still reads the old database keeps its files, which have no name then.
Status VaultRewrite::Replace() {
  const std::string path = vault_.path();
  const auto sync = [&]() -> Status {
    if (fsync(directory_.get()) != 0) return VaultFileFailed("cannot sync the directory of", path);
    return {};
  };
  COFFER_TRY(RemoveBeside(path + "-wal"));
  COFFER_TRY(RemoveBeside(path + "-shm"));
  COFFER_TRY(sync());
  if (rename(NextVaultDatabasePath(path).c_str(), path.c_str()) != 0) {
    return VaultFileFailed("cannot replace", path);
  }
  // Otherwise a power failure could bring back the old file, without what is committed from now on.
  return sync();
}

void VaultRewrite::GiveUp(const Error& why) {
  Log(Severity::kWarning,
      "vault.db could not be written anew under the newer key, and will be "
      "tried again: " +
          why.detail);
  failed_ = Clock::now();
  Drop();
}

void VaultRewrite::Abandon() {
  if (copy_) Drop();
}

void VaultRewrite::Drop() {
  if (syncing_.valid()) syncing_.wait();
  syncing_ = {};
  copy_.reset();
  file_.Close();
  directory_.Close();
  waiting_ = synced_ = false;
  Tell();
  // What cannot be removed now is in the way of nothing: the next attempt, or start, does it.
  if (const auto removed = RemoveNextVaultDatabase(vault_.path()); !removed) {
    Log(Severity::kWarning, removed.error().detail);
  }
}

void VaultRewrite::Tell() {
  total_ = copy_ ? copy_->total() : 0;
  copied_ = copy_ ? copy_->total() - copy_->left() : 0;
}

void VaultRewrite::Log(Severity severity, const std::string& message) const {
  if (options_.log) options_.log(severity, message);
}

}  // namespace coffer::vault
