#include "vault/ids.h"

#include <algorithm>
#include <atomic>
#include <span>

#include "crypto/random.h"

namespace coffer::vault {

Id128 NewId(audit::Timestamp now) {
  static std::atomic<std::uint64_t> last{0};
  Id128 id;
  crypto::FillRandom(id);

  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms, 0)) & 0xffff'ffff'ffff;
  // A fresh millisecond starts low in the sequence's range, which leaves room to count upwards.
  const std::uint64_t fresh = ms << 15 | (static_cast<std::uint64_t>(id[6]) << 5 | id[7] >> 3);
  std::uint64_t previous = last.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = std::max(fresh, previous + 1);
  } while (!last.compare_exchange_weak(previous, next, std::memory_order_relaxed));

  std::uint64_t high = next << 1 | (id[7] & 1);
  for (int i = 7; i >= 0; --i, high >>= 8) {
    id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(high);
  }
  return id;
}

}  // namespace coffer::vault
