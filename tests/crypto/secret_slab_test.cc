#include "crypto/secret_slab.h"

#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "tests/crypto/child_process.h"

namespace coffer::crypto {
namespace {

#ifdef COFFER_SANITIZED
constexpr bool kLockingIsReal = false;  // the sanitizers replace mlock by nothing
#else
constexpr bool kLockingIsReal = true;
#endif

bool ForbidLocking() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  return setrlimit(RLIMIT_MEMLOCK, &none) == 0 && DropPrivileges();
}

// Whether touching the byte ends the process, whichever signal a sanitizer makes of it.
bool Faults(volatile std::uint8_t* byte) {
  const int status = StatusOfChild([&] {
    std::signal(SIGSEGV, SIG_DFL);
    *byte = 1;
    return 0;
  });
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("slots are zero, of their size, and do not overlap") {
  const auto slab = SecretSlab::Create(1000, 32, false);
  REQUIRE(slab);
  CHECK((*slab)->slots() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto slot = (*slab)->ExposeSlot(i);
    REQUIRE(slot.size() == 32);
    REQUIRE(std::ranges::all_of(slot, [](std::uint8_t byte) { return byte == 0; }));
    std::ranges::fill(slot, static_cast<std::uint8_t>(i % 251 + 1));
  }
  for (std::size_t i = 0; i < 1000; ++i) {
    REQUIRE(std::ranges::all_of((*slab)->ExposeSlot(i), [&](std::uint8_t byte) {
      return byte == static_cast<std::uint8_t>(i % 251 + 1);
    }));
  }
}

TEST_CASE("a small slab is locked") {
  const auto slab = SecretSlab::Create(100, 32, true);
  REQUIRE(slab);
  CHECK((*slab)->locked());
}

TEST_CASE("a slot outside the slab aborts") {
  const auto slab = SecretSlab::Create(10, 32, false);
  REQUIRE(slab);
  CHECK(Aborts([&] { (*slab)->ExposeSlot(10); }));
  CHECK(Aborts([&] { (*slab)->ExposeSlot(std::numeric_limits<std::size_t>::max()); }));
}

TEST_CASE("writing past the last slot faults at once") {
  const auto slab = SecretSlab::Create(3, 40, false);
  REQUIRE(slab);
  const auto last = (*slab)->ExposeSlot(2);
  CHECK_FALSE(Faults(last.data() + 39));
  CHECK(Faults(last.data() + 40));
}

TEST_CASE("a slab that may not be locked is refused when locking is required") {
  if (!kLockingIsReal) SKIP("a sanitizer is in the way");
  CHECK(SucceedsInChild([] {
    if (!ForbidLocking()) return false;
    const auto slab = SecretSlab::Create(10, 32, true);
    return !slab && slab.error().code == Code::kUnavailable &&
           slab.error().reason == "memory_lock_refused" &&
           slab.error().detail.contains("RLIMIT_MEMLOCK");
  }));
}

TEST_CASE("a slab that may not be locked says so when locking is not required") {
  if (!kLockingIsReal) SKIP("a sanitizer is in the way");
  CHECK(SucceedsInChild([] {
    if (!ForbidLocking()) return false;
    const auto slab = SecretSlab::Create(10, 32, false);
    if (!slab || (*slab)->locked()) return false;
    (*slab)->ExposeSlot(9)[31] = 1;
    return true;
  }));
}

TEST_CASE("a slab of no or of impossible size is refused") {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  for (const auto& [slots, bytes] : std::initializer_list<std::pair<std::size_t, std::size_t>>{
           {0, 32}, {10, 0}, {kMost, 32}, {kMost / 32, 32}, {kMost / 4, 4}, {1, kMost}}) {
    INFO(slots << " x " << bytes);
    CHECK_FALSE(SecretSlab::Create(slots, bytes, false));
  }
}

}  // namespace coffer::crypto
