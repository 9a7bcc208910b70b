#include "crypto/internal/unicode.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <atomic>
#include <cstdint>

namespace coffer::crypto::internal {
namespace {

std::atomic<std::uint64_t> normalised_bytes{0};

// Whether `holds` is true of every code point; ill-formed sequences are given to it as negative.
template <class Predicate>
bool AllOf(std::string_view text, Predicate holds) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    UChar32 c = 0;
    U8_NEXT(bytes, i, text.size(), c);
    if (!holds(c)) return false;
  }
  return true;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  return AllOf(text, [](UChar32 c) { return c >= 0; });
}

bool HasSpaceOrControl(std::string_view text) {
  return !AllOf(text, [](UChar32 c) { return !u_isUWhiteSpace(c) && !u_iscntrl(c); });
}

void CountNormalised(std::size_t bytes) {
  normalised_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

std::uint64_t NormalisedBytes() { return normalised_bytes.load(std::memory_order_relaxed); }

}  // namespace coffer::crypto::internal
