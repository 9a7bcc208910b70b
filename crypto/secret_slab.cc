#include "crypto/secret_slab.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "crypto/internal/invariant.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {
namespace {

std::size_t PageBytes() {
  static const long bytes = sysconf(_SC_PAGESIZE);
  internal::Require(bytes > 0, "a page size");
  return static_cast<std::size_t>(bytes);
}

std::string ErrnoText(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

// Layout: inaccessible page ‖ usable pages ‖ inaccessible page. The slots end where the last page
// begins, so that the first byte past them faults.
Result<std::unique_ptr<SecretSlab>> SecretSlab::Create(std::size_t slots, std::size_t slot_bytes,
                                                       bool require_lock) {
  const std::size_t page = PageBytes();
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max() / 2;
  if (slots == 0 || slot_bytes == 0 || slots > kMost / slot_bytes) {
    return Fail(Code::kInvalidArgument, "slab_size_invalid",
                "the key cache needs at least one slot and a size that memory can hold");
  }
  const std::size_t used = slots * slot_bytes;
  const std::size_t usable = (used + page - 1) / page * page;
  const std::size_t mapped = usable + 2 * page;
  void* const memory = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Fail(Code::kUnavailable, "memory_exhausted", ErrnoText("no memory for the key cache"));
  }
  auto* const first = static_cast<std::uint8_t*>(memory) + page;
  if (mprotect(first, usable, PROT_READ | PROT_WRITE) != 0 ||
      madvise(first, usable, MADV_DONTDUMP) != 0) {
    auto error = Fail(Code::kUnavailable, "memory_exhausted",
                      ErrnoText("the key cache's memory could not be set up"));
    internal::Require(munmap(memory, mapped) == 0, "unmapping of the key cache");
    return error;
  }
  std::unique_ptr<SecretSlab> slab(new SecretSlab);  // owns the mapping from here on
  slab->base_ = first + (usable - used);
  slab->mapped_ = mapped;
  slab->slots_ = slots;
  slab->slot_bytes_ = slot_bytes;
  slab->locked_ = mlock(first, usable) == 0;
  if (!slab->locked_ && require_lock) {
    return Fail(Code::kUnavailable, "memory_lock_refused",
                ErrnoText("the key cache could not be locked into memory; raise RLIMIT_MEMLOCK "
                          "(systemd: LimitMEMLOCK) or make the cache smaller"));
  }
  return slab;
}

SecretSlab::~SecretSlab() {
  const std::size_t page = PageBytes();
  const std::size_t usable = mapped_ - 2 * page;
  std::uint8_t* const end = base_ + slots_ * slot_bytes_;
  Wipe({base_, slots_ * slot_bytes_});
  internal::Require(munmap(end - usable - page, mapped_) == 0, "unmapping of the key cache");
}

std::span<std::uint8_t> SecretSlab::ExposeSlot(std::size_t index) {
  internal::Require(index < slots_, "a slot of the key cache");
  return {base_ + index * slot_bytes_, slot_bytes_};
}

}  // namespace coffer::crypto
