#include "crypto/secret_text.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>

#include "crypto/internal/invariant.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto {
namespace {

using internal::Require;

// NFC and full case folding each make a text of UTF-16 at most three times as long (UAX 15
// section 9; SpecialCasing.txt), and UTF-8 has at most three bytes for each unit.
constexpr std::size_t kGrowth = 3;

std::unexpected<Error> RefuseText(std::string detail) {
  return Fail(Code::kUnprocessable, "text_not_normalisable", std::move(detail));
}

// UTF-16 in locked memory. Its size in bytes is even, so that sodium_malloc aligns it.
class SecretUnits {
 public:
  explicit SecretUnits(std::size_t capacity) : bytes_(std::max<std::size_t>(capacity, 1) * 2) {}

  UChar* data() { return reinterpret_cast<UChar*>(bytes_.ExposeSecretForWriting().data()); }
  std::int32_t capacity() const { return static_cast<std::int32_t>(bytes_.size() / 2); }
  std::int32_t length() const { return length_; }
  void SetLength(std::int32_t length) { length_ = length; }

 private:
  SecretBytes bytes_;
  std::int32_t length_ = 0;
};

// Whole lengths are known before, so that nothing can fail but ICU itself: that it fills the buffer
// without a terminator is the one warning there may be.
void RequireIcu(UErrorCode status, const char* what) { Require(U_SUCCESS(status), what); }

SecretUnits FromUtf8(const SecretBytes& text) {
  internal::CountNormalised(text.size());
  SecretUnits units(text.size());
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t length = 0;
  u_strFromUTF8(units.data(), units.capacity(), &length,
                reinterpret_cast<const char*>(text.ExposeSecret().data()),
                static_cast<std::int32_t>(text.size()), &status);
  RequireIcu(status, "UTF-16 of valid UTF-8");
  units.SetLength(length);
  return units;
}

SecretBytes ToUtf8(SecretUnits units) {
  SecretBytes wide(static_cast<std::size_t>(units.length()) * kGrowth);
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t length = 0;
  u_strToUTF8(reinterpret_cast<char*>(wide.ExposeSecretForWriting().data()),
              static_cast<std::int32_t>(wide.size()), &length, units.data(), units.length(),
              &status);
  RequireIcu(status, "UTF-8 of valid UTF-16");
  return SecretBytes::CopyOf(wide.ExposeSecret().first(static_cast<std::size_t>(length)));
}

SecretUnits Nfc(SecretUnits units) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* const nfc = unorm2_getNFCInstance(&status);
  RequireIcu(status, "ICU's normalisation data");
  SecretUnits composed(static_cast<std::size_t>(units.length()) * kGrowth);
  composed.SetLength(unorm2_normalize(nfc, units.data(), units.length(), composed.data(),
                                      composed.capacity(), &status));
  RequireIcu(status, "Unicode normalisation");
  return composed;
}

SecretUnits Fold(SecretUnits units) {
  UErrorCode status = U_ZERO_ERROR;
  SecretUnits folded(static_cast<std::size_t>(units.length()) * kGrowth);
  folded.SetLength(u_strFoldCase(folded.data(), folded.capacity(), units.data(), units.length(),
                                 U_FOLD_CASE_DEFAULT, &status));
  RequireIcu(status, "case folding");
  return folded;
}

Status CheckText(const SecretBytes& text) {
  if (text.size() > kMaxSecretTextBytes) return RefuseText("a secret text that is too long");
  const std::string_view bytes = AsText(text.ExposeSecret());
  if (!internal::IsUtf8(bytes)) return RefuseText("a secret text that is not valid UTF-8");
  if (bytes.contains('\0')) return RefuseText("a secret text with U+0000");
  return {};
}

}  // namespace

Result<SecretBytes> NormaliseSecretText(const SecretBytes& text) {
  COFFER_TRY(CheckText(text));
  if (text.empty()) return SecretBytes();
  return ToUtf8(Nfc(FromUtf8(text)));
}

// Folding can take a composed character apart (U+0390, for one), hence NFC a second time.
Result<SecretBytes> FoldSecretText(const SecretBytes& text) {
  COFFER_TRY(CheckText(text));
  if (text.empty()) return SecretBytes();
  return ToUtf8(Nfc(Fold(Nfc(FromUtf8(text)))));
}

}  // namespace coffer::crypto
