#include "api/cli/text/utf8_check.h"

#include <cstring>

namespace coffer::cli {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;
constexpr std::uint64_t kLowBits = 0x0101010101010101;

// Eight characters of ASCII, none of which is U+0000.
bool IsPlain(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return ((word | (word - kLowBits)) & kHighBits) == 0;
}

}  // namespace

// RFC 3629, section 4: no surrogates, nothing longer than it needs to be.
bool Utf8Check::Begin(std::uint8_t byte) {
  least_ = 0x80;
  most_ = 0xbf;
  if (byte < 0x80) return byte != 0;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) least_ = 0xa0;
  if (byte == 0xed) most_ = 0x9f;
  if (byte == 0xf0) least_ = 0x90;
  if (byte == 0xf4) most_ = 0x8f;
  ++wide_;
  return true;
}

std::optional<std::uint64_t> Utf8Check::Take(std::string_view piece) {
  std::size_t at = 0;
  while (at < piece.size()) {
    if (missing_ == 0 && piece.size() - at >= 8 && IsPlain(piece.data() + at)) {
      at += 8;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(piece[at]);
    if (missing_ == 0) {
      if (byte >= 0xc2 && byte < 0xe0 && at + 1 < piece.size() &&
          (static_cast<std::uint8_t>(piece[at + 1]) & 0xc0) == 0x80) {
        ++wide_;
        at += 2;
        continue;
      }
      if (!Begin(byte)) return taken_ + at;
    } else {
      if (byte < least_ || byte > most_) return taken_ + at;
      --missing_;
      least_ = 0x80;
      most_ = 0xbf;
    }
    ++at;
  }
  taken_ += piece.size();
  return std::nullopt;
}

std::optional<std::uint64_t> Utf8Check::Finish() const {
  if (missing_ == 0) return std::nullopt;
  return taken_;
}

}  // namespace coffer::cli
