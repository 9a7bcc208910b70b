// What bounds an entry's size, whatever the input was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "audit/tlog/log_source.h"

namespace coffer::audit {

inline constexpr std::size_t kMaxStringBytes = 256;  // escaped
inline constexpr std::size_t kMaxFieldNames = 64;
inline constexpr std::size_t kMaxFieldNameBytes = 64;  // escaped; of `auth` as well

// 2^53 - 1: RFC 8785 numbers are doubles, and other readers would round a greater one. Such a
// number is written as this one.
inline constexpr std::uint64_t kMaxNumber = 9'007'199'254'740'991;

// The largest entry: every member present and as long as it may be.
inline constexpr std::size_t kMemberNames = 152 + 25 * 4;  // 25 names, each with quotes, ":", ","
inline constexpr std::size_t kFreeStrings = 12 * (kMaxStringBytes + 2) + kMaxFieldNameBytes + 2;
inline constexpr std::size_t kFieldNames = kMaxFieldNames * (kMaxFieldNameBytes + 3) + 1;
inline constexpr std::size_t kHashes = 4 * (64 + 2);
inline constexpr std::size_t kWords = 7 + 5 + 4;     // "service", "allow"
inline constexpr std::size_t kNumbers = 3 * 16 + 1;  // seq, skew_ms, version; v
inline constexpr std::size_t kTime = 24 + 2;
static_assert(kMemberNames + kFreeStrings + kFieldNames + kHashes + kWords + kNumbers + kTime + 1 <=
              kMaxEntryBytes);

}  // namespace coffer::audit
