// The few reads that rebuilding and verifying a log need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::audit {

// Bytes of an entry, which is read whole.
inline constexpr std::size_t kMaxEntryBytes = 8192;

// Implemented by the vault's log store and by files of exported entries.
class LogSource {
 public:
  virtual ~LogSource() = default;
  virtual Result<std::uint64_t> Size() = 0;  // highest sequence number + 1
  // Calls `each(seq, bytes)` for [from, to) in order; stops at its first error. kNotFound: no more.
  virtual Status ReadEntries(
      std::uint64_t from, std::uint64_t to,
      const std::function<Status(std::uint64_t, std::string_view)>& each) = 0;
  // A full tile's 256*32 bytes; kNotFound when it was never stored.
  virtual Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) = 0;
};

}  // namespace coffer::audit
