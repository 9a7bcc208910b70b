#include "crypto/encoding.h"

#include <array>

#include "crypto/internal/encoding_internal.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr std::uint8_t kNone = 0xff;
using Values = std::array<std::uint8_t, 256>;

constexpr Values ValuesOf(std::string_view alphabet) {
  Values values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr Values kBase64Values = ValuesOf(kBase64);
constexpr Values kBase64UrlValues = ValuesOf(kBase64Url);
constexpr Values kBase32Values = ValuesOf(kBase32);

std::unexpected<Error> Malformed(std::string detail) {
  return Fail(Code::kInvalidArgument, "encoding_malformed", std::move(detail));
}

// Without padding.
std::string Encode64(ByteView bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += alphabet[bits >> held & 63];
    }
  }
  if (held > 0) text += alphabet[bits << (6 - held) & 63];
  return text;
}

// Without padding. Bits left over must be zero: otherwise four spellings would decode to one value,
// and a comparison of texts would take one value for several.
Result<Bytes> Decode64(std::string_view text, const Values& values) {
  if (text.size() % 4 == 1) return Malformed("base64 of an impossible length");
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == kNone) return Malformed("a character outside the base64 alphabet");
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> held));
    }
  }
  if ((bits & ((1U << held) - 1)) != 0) return Malformed("base64 with bits left over");
  return bytes;
}

}  // namespace

std::string HexEncode(ByteView bytes) {
  std::string text(bytes.size() * 2, '\0');
  internal::HexEncodeInto(bytes, text);
  return text;
}

Result<Bytes> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) return Malformed("hexadecimal of odd length");
  Bytes bytes(text.size() / 2);
  if (!internal::HexDecodeInto(text, bytes)) {
    return Malformed("a character that is no lower-case hexadecimal digit");
  }
  return bytes;
}

std::string Base64Encode(ByteView bytes) {
  std::string text = Encode64(bytes, kBase64);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Result<Bytes> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) return Malformed("base64 without its padding");
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  return Decode64(text, kBase64Values);
}

std::string Base64UrlEncode(ByteView bytes) { return Encode64(bytes, kBase64Url); }

Result<Bytes> Base64UrlDecode(std::string_view text) { return Decode64(text, kBase64UrlValues); }

std::string Base32Encode(const Id128& id) {
  std::string text(26, '\0');
  Base32EncodeTo(id, text.data());
  return text;
}

// 26 characters hold 130 bits: two zero bits stand in front.
void Base32EncodeTo(const Id128& id, char* out26) {
  std::uint32_t bits = 0;
  unsigned held = 2;
  for (const std::uint8_t byte : id) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      *out26++ = kBase32[bits >> held & 31];
    }
  }
}

Result<Id128> Base32Decode(std::string_view text) {
  if (text.size() != 26) return Malformed("an id has 26 characters");
  if (text.front() > '7') return Malformed("an id above 128 bits");
  Id128 id{};
  std::size_t next = 0;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t value = kBase32Values[static_cast<std::uint8_t>(text[i])];
    if (value == kNone) return Malformed("a character outside the id alphabet");
    bits = bits << 5 | value;
    held += i == 0 ? 3 : 5;
    if (held >= 8) {
      held -= 8;
      id[next++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  return id;
}

}  // namespace coffer::crypto
