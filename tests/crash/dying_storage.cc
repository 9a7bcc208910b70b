#include "tests/crash/dying_storage.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::testing {
namespace {

// libc's own, which the definitions below stand in front of.
template <class Function>
Function* RealOf(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
auto* RealWrite() {
  static auto* const real = RealOf<ssize_t(int, const void*, std::size_t)>("write");
  return real;
}
auto* RealPwrite() {
  static auto* const real = RealOf<ssize_t(int, const void*, std::size_t, off_t)>("pwrite");
  return real;
}
auto* RealFtruncate() {
  static auto* const real = RealOf<int(int, off_t)>("ftruncate");
  return real;
}
auto* RealRename() {
  static auto* const real = RealOf<int(const char*, const char*)>("rename");
  return real;
}
auto* RealLink() {
  static auto* const real = RealOf<int(const char*, const char*)>("link");
  return real;
}
auto* RealUnlink() {
  static auto* const real = RealOf<int(const char*)>("unlink");
  return real;
}

struct File {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const File&) const = default;
};

// What a power failure takes back, the newest last.
struct Unsynced {
  File file;  // or the directory of a name
  std::function<void()> undo;
};

struct Storage {
  std::mutex mutex;
  std::string folder;  // with a slash at its end
  std::uint64_t before = 0;
  Death death = Death::kOfProcess;
  std::vector<Unsynced> unsynced;
  std::vector<std::pair<File, int>>
      opened;  // for taking back, never closed: POSIX drops locks then
  std::uint64_t hidden = 0;
};
std::atomic<bool> armed{false};
std::atomic<std::uint64_t> calls{0};

Storage& TheStorage() {
  static Storage storage;
  return storage;
}

std::string PathOf(int descriptor) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path, sizeof path);
  return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

bool IsCounted(const Storage& storage, std::string_view path) {
  return (path.starts_with(storage.folder) || std::string(path) + "/" == storage.folder) &&
         !path.ends_with("-shm");
}

File FileOf(int descriptor) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) std::abort();
  return {status.st_dev, status.st_ino};
}

File DirectoryOf(const std::string& path) {
  struct stat status{};
  if (stat(path.substr(0, path.rfind('/')).c_str(), &status) != 0) std::abort();
  return {status.st_dev, status.st_ino};
}

int DescriptorOf(Storage& storage, int descriptor, const File& file) {
  const auto found = std::ranges::find(storage.opened, file, &std::pair<File, int>::first);
  if (found != storage.opened.end()) return found->second;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const int own = open(link.c_str(), O_RDWR | O_CLOEXEC);
  if (own < 0) std::abort();
  storage.opened.emplace_back(file, own);
  return own;
}

// What stands from `offset` on, up to `size` bytes, and how long the file is.
void KeepContent(Storage& storage, int descriptor, off_t offset, std::size_t size) {
  const File file = FileOf(descriptor);
  const int own = DescriptorOf(storage, descriptor, file);
  struct stat status{};
  if (fstat(own, &status) != 0) std::abort();
  const off_t end = std::min<off_t>(status.st_size, offset + static_cast<off_t>(size));
  std::string old(static_cast<std::size_t>(std::max<off_t>(end - offset, 0)), '\0');
  if (pread(own, old.data(), old.size(), offset) != static_cast<ssize_t>(old.size())) std::abort();
  storage.unsynced.push_back({file, [own, offset, old = std::move(old), length = status.st_size] {
                                if (RealFtruncate()(own, length) != 0 ||
                                    RealPwrite()(own, old.data(), old.size(), offset) !=
                                        static_cast<ssize_t>(old.size())) {
                                  std::abort();
                                }
                              }});
}

// Whatever has this name now has it again. A name that was removed is not given back where there is
// a new file of it by then: the system may reorder much, but not that.
void KeepName(Storage& storage, const std::string& path, bool removed) {
  const std::string kept = storage.folder.substr(0, storage.folder.size() - 1) + ".kept" +
                           std::to_string(getpid()) + "." + std::to_string(++storage.hidden);
  const bool was_there = RealLink()(path.c_str(), kept.c_str()) == 0;
  storage.unsynced.push_back({DirectoryOf(path), [path, kept, removed, was_there] {
                                if (!was_there) {
                                  RealUnlink()(path.c_str());
                                } else if (!removed || access(path.c_str(), F_OK) != 0) {
                                  RealRename()(kept.c_str(), path.c_str());
                                }
                              }});
}

void Synced(Storage& storage, const File& file) {
  std::erase_if(storage.unsynced, [&](const Unsynced& one) { return one.file == file; });
}

// Held while the call is made, so that what one thread syncs is what all have written.
class Call {
 public:
  explicit Call(int descriptor) {
    if (armed.load(std::memory_order_acquire)) Begin(PathOf(descriptor));
  }
  explicit Call(const char* path) {
    if (armed.load(std::memory_order_acquire)) Begin(path);
  }
  // Null: it is not counted, or nothing is taken back.
  Storage* keeping() const {
    return counted_ && storage_.death == Death::kOfMachine ? &storage_ : nullptr;
  }

 private:
  void Begin(const std::string& path) {
    lock_ = std::unique_lock(storage_.mutex);
    counted_ = IsCounted(storage_, path);
    if (!counted_ || ++calls != storage_.before) return;
    for (auto one = storage_.unsynced.rbegin(); one != storage_.unsynced.rend(); ++one) one->undo();
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }

  Storage& storage_ = TheStorage();
  std::unique_lock<std::mutex> lock_;
  bool counted_ = false;
};

}  // namespace

void DieOnStorage(const std::string& folder, std::uint64_t before, Death death) {
  Storage& storage = TheStorage();
  storage.folder = folder + "/";
  storage.before = before;
  storage.death = death;
  armed.store(true, std::memory_order_release);
}

std::uint64_t CountedCalls() { return calls.load(); }

}  // namespace coffer::testing

using coffer::testing::Call;

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
  const Call call(descriptor);
  if (auto* storage = call.keeping()) {
    const bool appends = (fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
    KeepContent(*storage, descriptor, lseek(descriptor, 0, appends ? SEEK_END : SEEK_CUR), size);
  }
  return coffer::testing::RealWrite()(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  const Call call(descriptor);
  if (auto* storage = call.keeping()) KeepContent(*storage, descriptor, offset, size);
  return coffer::testing::RealPwrite()(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off_t offset) {
  return pwrite(descriptor, bytes, size, offset);
}

int ftruncate(int descriptor, off_t length) noexcept {
  const Call call(descriptor);
  if (auto* storage = call.keeping()) {
    KeepContent(*storage, descriptor, length, std::size_t{1} << 40U);
  }
  return coffer::testing::RealFtruncate()(descriptor, length);
}

int ftruncate64(int descriptor, off_t length) noexcept { return ftruncate(descriptor, length); }

// Nothing here has to survive this machine: the disk is left in peace.
int fsync(int descriptor) {
  const Call call(descriptor);
  if (auto* storage = call.keeping()) Synced(*storage, coffer::testing::FileOf(descriptor));
  return 0;
}

int fdatasync(int descriptor) {
  const Call call(descriptor);
  if (auto* storage = call.keeping()) Synced(*storage, coffer::testing::FileOf(descriptor));
  return 0;
}

int rename(const char* from, const char* to) noexcept {
  const Call call(from);
  if (auto* storage = call.keeping()) {
    KeepName(*storage, to, false);
    KeepName(*storage, from, true);
  }
  return coffer::testing::RealRename()(from, to);
}

int link(const char* from, const char* to) noexcept {
  const Call call(to);
  return coffer::testing::RealLink()(from, to);
}

int unlink(const char* path) noexcept {
  const Call call(path);
  if (auto* storage = call.keeping()) KeepName(*storage, path, true);
  return coffer::testing::RealUnlink()(path);
}
}
