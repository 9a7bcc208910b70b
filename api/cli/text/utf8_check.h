// UTF-8, checked as it comes in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace coffer::cli {

class Utf8Check {
 public:
  // Of the first byte of all pieces that cannot stand there, or nothing. U+0000 is a fault: no text
  // has it. After a fault the rest is not looked at.
  std::optional<std::uint64_t> Take(std::string_view piece);
  // The same at the end, where no character may be half.
  std::optional<std::uint64_t> Finish() const;

  std::uint64_t wide_characters() const { return wide_; }  // of several bytes

 private:
  bool Begin(std::uint8_t byte);

  std::uint64_t taken_ = 0;
  std::uint64_t wide_ = 0;
  unsigned missing_ = 0;                     // bytes of the character that has begun
  std::uint8_t least_ = 0x80, most_ = 0xbf;  // of its next byte
};

}  // namespace coffer::cli
