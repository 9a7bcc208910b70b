#include "crypto/blind_index.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/internal/folding.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto {
namespace {

using internal::Require;

std::unexpected<Error> RefuseValue(std::string detail) {
  return Fail(Code::kUnprocessable, "value_not_normalisable", std::move(detail));
}

const icu::Normalizer2& NfcNormalizer() {
  static const icu::Normalizer2* const nfc = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* const loaded = icu::Normalizer2::getNFCInstance(status);
    Require(U_SUCCESS(status), "ICU's normalisation data");
    return loaded;
  }();
  return *nfc;
}

icu::UnicodeString Nfc(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString composed = NfcNormalizer().normalize(text, status);
  Require(U_SUCCESS(status) && !composed.isBogus(), "Unicode normalisation");
  return composed;
}

// Folding can take a composed character apart (U+0390, for one), hence NFC a second time.
icu::UnicodeString Fold(const icu::UnicodeString& text) {
  icu::UnicodeString folded = Nfc(text);
  folded.foldCase(U_FOLD_CASE_DEFAULT);
  return Nfc(folded);
}

// To be done before Fold, as what then meets may compose.
icu::UnicodeString JoinWords(const icu::UnicodeString& text, std::u16string_view between) {
  const std::u16string joined =
      internal::JoinWords({text.getBuffer(), static_cast<std::size_t>(text.length())}, between);
  return {joined.data(), static_cast<std::int32_t>(joined.size())};
}

Result<std::string> NormalisePhone(std::string_view value) {
  std::string digits;
  bool international = false;
  for (const char c : value) {
    if (std::string_view(" -.()/").contains(c)) continue;
    if (c == '+' && digits.empty() && !international) {
      international = true;
    } else if (c >= '0' && c <= '9') {
      digits += c;
    } else {
      return RefuseValue("a telephone number with a character that is neither digit nor separator");
    }
  }
  if (!international && digits.starts_with("00")) {
    international = true;
    digits.erase(0, 2);
  }
  if (digits.size() < 7 || digits.size() > 15) {
    return RefuseValue("a telephone number has 7 to 15 digits");
  }
  return international ? "+" + digits : digits;
}

icu::UnicodeString Apply(Normalisation rule, const icu::UnicodeString& text) {
  switch (rule) {
    case Normalisation::kExact:
      return Nfc(text);
    case Normalisation::kText:
    case Normalisation::kLoose:
      return Fold(JoinWords(text, u" "));
    case Normalisation::kEmail:
      return Fold(JoinWords(text, u""));
    case Normalisation::kPhone:
      break;
  }
  internal::Die("a normalisation rule of Unicode text");
}

}  // namespace

Result<std::string> Normalise(Normalisation rule, std::string_view value) {
  // A run of combining marks takes its square: half a megabyte of them sixteen seconds.
  if (value.size() > kMaxNormalisedBytes) return RefuseValue("a value too long");
  if (rule == Normalisation::kPhone) return NormalisePhone(value);
  if (!internal::IsUtf8(value)) return RefuseValue("a value that is not valid UTF-8");
  internal::CountNormalised(value.size());
  const auto text = icu::UnicodeString::fromUTF8(
      icu::StringPiece(value.data(), static_cast<std::int32_t>(value.size())));
  std::string normalised;
  Apply(rule, text).toUTF8String(normalised);
  if (normalised.empty()) return RefuseValue("a value with nothing in it to look up");
  return normalised;
}

BlindToken ComputeBlindToken(const SecretBytes& index_key, std::string_view domain,
                             std::string_view normalised) {
  const Hash hash = KeyedHash(index_key, {AsBytes(domain), AsBytes(normalised)});
  BlindToken token;
  std::copy_n(hash.begin(), token.size(), token.begin());
  return token;
}

}  // namespace coffer::crypto
