// SQLite's own file system with a fault in front of it: from the nth write (or sync) of a file on,
// writing fails. Registered as the default for the whole process when it is first asked for.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

namespace coffer::vault {

enum class Fault {
  kFull,         // a write fails with SQLITE_FULL and leaves nothing
  kWrite,        // a write fails with SQLITE_IOERR_WRITE and leaves nothing
  kWriteAndLie,  // a write reaches the file and fails with SQLITE_IOERR_WRITE
  kSync,         // a sync fails with SQLITE_IOERR_FSYNC
};

class FaultyStorage {
 public:
  static FaultyStorage& Instance() {
    static FaultyStorage storage;
    return storage;
  }

  // Files whose path ends in `file` fail after `first` more operations of the fault's kind.
  void Break(std::string_view file, Fault fault, int first = 0) {
    const std::lock_guard lock(mutex_);
    file_ = file;
    fault_ = fault;
    left_ = first;
    failures_ = 0;
    broken_.store(true);
  }
  void Mend() {
    const std::lock_guard lock(mutex_);
    broken_.store(false);
  }
  // How often it struck since Break().
  int failures() const { return failures_.load(); }

 private:
  struct File {
    sqlite3_file base;
    const char* path;
    sqlite3_file* real;
  };

  FaultyStorage() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "faulty";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = Open;
    sqlite3_vfs_register(&vfs_, 1);
  }

  int Strike(const char* path, bool sync) {
    if (!broken_.load(std::memory_order_relaxed)) return SQLITE_OK;
    const std::lock_guard lock(mutex_);
    if (!broken_ || path == nullptr || !std::string_view(path).ends_with(file_)) return SQLITE_OK;
    if ((fault_ == Fault::kSync) != sync) return SQLITE_OK;
    if (left_ > 0) {
      --left_;
      return SQLITE_OK;
    }
    ++failures_;
    return sync ? SQLITE_IOERR_FSYNC : fault_ == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  bool lies() {
    const std::lock_guard lock(mutex_);
    return fault_ == Fault::kWriteAndLie;
  }

  static sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

  static int Open(sqlite3_vfs*, const char* path, sqlite3_file* raw, int flags, int* out_flags) {
    sqlite3_vfs* real = Instance().real_;
    auto* file = new (raw)
        File{{nullptr},
             path,
             reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(raw) + sizeof(File))};
    const int code = real->xOpen(real, path, file->real, flags, out_flags);
    if (file->real->pMethods != nullptr) file->base.pMethods = Methods();
    return code;
  }
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    FaultyStorage& storage = Instance();
    const int code = storage.Strike(reinterpret_cast<File*>(file)->path, false);
    if (code != SQLITE_OK && !storage.lies()) return code;
    const int written = Real(file)->pMethods->xWrite(Real(file), data, size, at);
    return code != SQLITE_OK ? code : written;
  }
  static int Sync(sqlite3_file* file, int flags) {
    const int code = Instance().Strike(reinterpret_cast<File*>(file)->path, true);
    return code != SQLITE_OK ? code : Real(file)->pMethods->xSync(Real(file), flags);
  }

  // Everything else is passed on as it is.
  template <auto Member, class R, class... Args>
  static constexpr auto Passing(R (*sqlite3_io_methods::*)(sqlite3_file*, Args...)) {
    return +[](sqlite3_file* file, Args... args) -> R {
      return (Real(file)->pMethods->*Member)(Real(file), args...);
    };
  }
  template <auto Member>
  static constexpr auto Pass() {
    return Passing<Member>(Member);
  }

  static const sqlite3_io_methods* Methods() {
    using M = sqlite3_io_methods;
    static constexpr M kMethods = {
        3,
        Pass<&M::xClose>(),
        Pass<&M::xRead>(),
        Write,
        Pass<&M::xTruncate>(),
        Sync,
        Pass<&M::xFileSize>(),
        Pass<&M::xLock>(),
        Pass<&M::xUnlock>(),
        Pass<&M::xCheckReservedLock>(),
        Pass<&M::xFileControl>(),
        Pass<&M::xSectorSize>(),
        Pass<&M::xDeviceCharacteristics>(),
        Pass<&M::xShmMap>(),
        Pass<&M::xShmLock>(),
        Pass<&M::xShmBarrier>(),
        Pass<&M::xShmUnmap>(),
        Pass<&M::xFetch>(),
        Pass<&M::xUnfetch>(),
    };
    return &kMethods;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  std::mutex mutex_;
  std::string file_;
  Fault fault_ = Fault::kFull;
  int left_ = 0;
  std::atomic<int> failures_{0};
  std::atomic<bool> broken_{false};
};

}  // namespace coffer::vault
