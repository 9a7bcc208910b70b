// A write-ahead log of SQLite, as far as we read it: https://sqlite.org/fileformat2.html#walformat
#pragma once

#include <cstddef>
#include <cstdint>

namespace coffer::vault {

inline constexpr std::size_t kDatabasePageBytes = 4096;  // of every database of a vault
inline constexpr std::size_t kWalHeaderBytes = 32;
inline constexpr std::size_t kWalSaltsAt = 16;  // in the header
inline constexpr std::size_t kWalSaltsBytes = 8;
// A frame's header: page, pages of the database after a commit or zero, the salts, two sums.
inline constexpr std::size_t kWalFrameHeaderBytes = 24;
inline constexpr std::size_t kWalFrameCommitAt = 4;
inline constexpr std::size_t kWalFrameSaltsAt = 8;
inline constexpr std::size_t kWalFrameBytes = kWalFrameHeaderBytes + kDatabasePageBytes;

inline std::uint32_t ReadWalNumber(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace coffer::vault
