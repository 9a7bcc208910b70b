#include "audit/text/json_string.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "audit/text/utf8.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kHexDigits = "0123456789abcdef";
// Escapes of one letter: what they stand for, and the letter at the same place.
constexpr std::string_view kShortMeanings = "\b\t\n\f\r\"\\";
constexpr std::string_view kShortLetters = "btnfr\"\\";

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

bool IsPlain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

// Whether any of eight characters needs an escape or lies outside ASCII. Subtracting makes a byte
// borrow into its top bit where it was too small; a byte behind such a one may then err, but only
// towards true when that is the answer anyway.
bool AnySpecial(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTopBits = 0x80 * kOnes;
  const std::uint64_t control = (eight - 0x20 * kOnes) & ~eight;
  const std::uint64_t from_quote = eight ^ ('"' * kOnes);
  const std::uint64_t from_backslash = eight ^ ('\\' * kOnes);
  const std::uint64_t quote = (from_quote - kOnes) & ~from_quote;
  const std::uint64_t backslash = (from_backslash - kOnes) & ~from_backslash;
  return ((eight | control | quote | backslash) & kTopBits) != 0;
}

// How many characters at the front need no escape.
std::size_t PlainPrefix(std::string_view text) {
  std::size_t plain = 0;
  for (std::uint64_t eight = 0; text.size() - plain >= sizeof eight; plain += sizeof eight) {
    std::memcpy(&eight, text.data() + plain, sizeof eight);
    if (AnySpecial(eight)) break;
  }
  while (plain < text.size() && IsPlain(text[plain])) ++plain;
  return plain;
}

// `c` is a quote, a backslash or a control character.
std::string_view Escape(char c, std::array<char, 6>& buffer) {
  if (const auto at = kShortMeanings.find(c); at != std::string_view::npos) {
    buffer = {'\\', kShortLetters[at]};
    return {buffer.data(), 2};
  }
  const auto byte = static_cast<unsigned char>(c);
  buffer = {'\\', 'u', '0', '0', kHexDigits[byte >> 4], kHexDigits[byte & 0x0F]};
  return {buffer.data(), 6};
}

void AppendEscaped(std::string_view text, std::size_t room, std::string& out) {
  std::array<char, 6> buffer{};
  while (!text.empty()) {
    std::string_view written;
    std::size_t read = 1;
    if (IsPlain(text.front())) {
      written = text.substr(0, 1);
    } else if (static_cast<unsigned char>(text.front()) < 0x80) {
      written = Escape(text.front(), buffer);
    } else {
      const Utf8Sequence sequence = NextUtf8(text);
      read = sequence.length;
      written = sequence.valid ? text.substr(0, read) : kReplacement;
    }
    if (written.size() > room) return;
    out.append(written);
    room -= written.size();
    text.remove_prefix(read);
  }
}

// The character an escape stands for, its backslash already taken; `text` moves past it.
std::optional<char> TakeEscape(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  if (const auto at = kShortLetters.find(text.front()); at != std::string_view::npos) {
    text.remove_prefix(1);
    return kShortMeanings[at];
  }
  if (text.size() < 5 || !text.starts_with("u00")) return std::nullopt;
  const auto high = kHexDigits.find(text[3]);
  const auto low = kHexDigits.find(text[4]);
  if (high > 1 || low == std::string_view::npos) return std::nullopt;
  text.remove_prefix(5);
  return static_cast<char>(high * 16 + low);
}

}  // namespace

void AppendJsonString(std::string_view text, std::size_t limit, std::string& out) {
  const std::size_t plain = PlainPrefix(text.substr(0, limit));
  if (plain == text.size()) {
    const std::size_t before = out.size();
    out.resize(before + plain + 2, '"');
    std::copy_n(text.data(), plain, out.data() + before + 1);
    return;
  }
  out.push_back('"');
  out.append(text.data(), plain);
  AppendEscaped(text.substr(plain), limit - plain, out);
  out.push_back('"');
}

std::optional<std::size_t> ReadJsonString(std::string_view text, std::string& out) {
  const auto quote = text.find('"');
  if (quote == std::string_view::npos) return std::nullopt;
  if (std::memchr(text.data(), '\\', quote) == nullptr) {
    out.assign(text.data(), quote);
    return quote + 1;
  }
  out.clear();
  std::string_view rest = text;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return text.size() - rest.size();
    if (c != '\\') {
      out.push_back(c);
    } else if (const auto meaning = TakeEscape(rest)) {
      out.push_back(*meaning);
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace coffer::audit
