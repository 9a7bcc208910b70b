#include "crypto/totp.h"

#include <oath.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "crypto/bytes.h"
#include "crypto/internal/invariant.h"

namespace coffer::crypto {
namespace {

using internal::Require;

constexpr std::size_t kDigits = 6;
constexpr std::size_t kLeastSecretBytes = 16;  // RFC 4226 section 4, R6

// In front of everything of liboath; idempotent.
void StartLiboath() {
  static const bool started = oath_init() == OATH_OK;
  Require(started, "liboath's start");
}

const char* CharactersOf(const SecretBytes& secret) {
  return reinterpret_cast<const char*>(secret.ExposeSecret().data());
}

// RFC 6238 section 4.2: a TOTP is the HOTP of its step.
bool IsCodeOf(const SecretBytes& secret, std::uint64_t step, std::string_view code) {
  std::array<char, kDigits + 1> expected{};
  Require(oath_hotp_generate(CharactersOf(secret), secret.size(), step, kDigits, false,
                             OATH_HOTP_DYNAMIC_TRUNCATION, expected.data()) == OATH_OK,
          "HMAC-SHA-1 of a time step");
  const bool same = ConstantTimeEqual(AsBytes({expected.data(), kDigits}), AsBytes(code));
  Wipe({reinterpret_cast<std::uint8_t*>(expected.data()), expected.size()});
  return same;
}

// RFC 3986 section 2.3: what is not unreserved is encoded, byte by byte.
std::string PercentEncode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || std::string_view("-._~").contains(c);
    if (unreserved) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::string LabelOf(std::string_view name) {
  std::string label(name);
  std::ranges::replace(label, ':', '-');
  return PercentEncode(label);
}

}  // namespace

SecretBytes NewTotpSecret() { return SecretBytes::Random(kTotpSecretBytes); }

std::optional<std::uint64_t> MatchTotp(const SecretBytes& secret, std::string_view code,
                                       std::int64_t now_s, std::uint64_t last_used_step) {
  StartLiboath();
  if (code.size() != kDigits || now_s < 0 || secret.size() < kLeastSecretBytes) return std::nullopt;
  const auto now = static_cast<std::uint64_t>(now_s / kTotpStepSeconds);
  std::optional<std::uint64_t> matched;
  for (std::uint64_t step = now == 0 ? 0 : now - 1; step <= now + 1; ++step) {
    if (IsCodeOf(secret, step, code) && step > last_used_step) matched = step;
  }
  return matched;
}

std::string TotpUri(std::string_view issuer, std::string_view account, const SecretBytes& secret) {
  StartLiboath();
  char* text = nullptr;
  std::size_t size = 0;
  Require(oath_base32_encode(CharactersOf(secret), secret.size(), &text, &size) == OATH_OK,
          "memory for Base32");
  const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
  const std::string_view base32(text, size);
  std::string uri = "otpauth://totp/" + LabelOf(issuer) + ":" + LabelOf(account) + "?secret=";
  uri += base32.substr(0, base32.find('='));  // apps want no padding
  uri += "&issuer=" + LabelOf(issuer) + "&algorithm=SHA1&digits=6&period=30";
  Wipe({reinterpret_cast<std::uint8_t*>(text), size});
  return uri;
}

}  // namespace coffer::crypto
