#include "api/cli/import/seen_keys.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "api/cli/import/cell_text.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"

namespace coffer::cli {
namespace {

constexpr char kSeparator = '\0';  // in no key

bool IsAsciiKey(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void AppendWithoutBlanks(std::string& out, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t at = 0; at < size;) {
    const std::int32_t begin = at;
    UChar32 c = 0;
    U8_NEXT(bytes, at, size, c);
    if (c >= 0 && u_isUWhiteSpace(c) != 0) continue;
    out.append(text, static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
  }
}

void AppendReading(std::string& out, std::string_view text) {
  if (IsAsciiKey(text)) {
    for (const char c : text) {
      if (c > 0x20) out += LowerAscii(c);
    }
    return;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* folding = icu::Normalizer2::getNFKCCasefoldInstance(error);
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  if (U_SUCCESS(error)) {
    folding->normalizeUTF8(0, {text.data(), static_cast<std::int32_t>(text.size())}, sink, nullptr,
                           error);
  }
  if (U_FAILURE(error)) throw std::bad_alloc();
  AppendWithoutBlanks(out, folded);
}

}  // namespace

SeenBefore SeenTexts::Insert(std::string_view first, std::string_view second, std::uint64_t line) {
  buffer_.clear();
  buffer_.append(first).push_back(kSeparator);
  buffer_.append(second);
  const std::size_t spelling = std::hash<std::string>{}(buffer_);
  buffer_.clear();
  AppendReading(buffer_, first);
  buffer_ += kSeparator;
  AppendReading(buffer_, second);
  const crypto::Hash hash = crypto::Sha256({crypto::AsBytes(buffer_)});
  Reading reading;
  std::memcpy(reading.data(), hash.data(), sizeof reading);

  const auto [at, is_first] = first_.emplace(reading, Seen{spelling, line});
  if (is_first) return {};
  if (at->second.spelling == spelling) return {.same = at->second.line, .alike = {}};
  const auto [other, is_new] = other_.emplace(std::pair(reading, spelling), line);
  if (!is_new) return {.same = other->second, .alike = {}};
  return {.same = {}, .alike = at->second.line};
}

SeenBefore SeenKeys::Insert(std::string_view key, std::optional<std::string_view> record_key,
                            std::uint64_t line) {
  SeenBefore row = rows_.Insert(key, record_key.value_or(""), line);
  if (!record_key || row.same) return row;
  const SeenBefore client = clients_.Insert(key, "", line);
  if (client.alike) row.alike = client.alike;
  return row;
}

}  // namespace coffer::cli
