#include "crypto/search_form.h"

#include <elf.h>
#include <link.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstring>

#include "crypto/email_address.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/internal/folding.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/unicode.h"
#include "crypto/phone_number.h"

namespace coffer::crypto {
namespace {

// Of this file, of folding.cc, email_address.cc and phone_number.cc: another number when any of
// them gives any value another form.
constexpr std::string_view kFormRules = "coffer-search-form-2";

std::unexpected<Error> RefuseForm(std::string message) {
  return std::unexpected(
      Error{Code::kUnprocessable, "value_not_normalisable", {}, {{"/value", std::move(message)}}});
}

std::string ExactForm(std::string_view value) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(status);
  internal::Require(U_SUCCESS(status), "ICU's normalisation data");
  std::string form;
  icu::StringByteSink<std::string> sink(&form);
  nfc->normalizeUTF8(0, icu::StringPiece(value.data(), static_cast<std::int32_t>(value.size())),
                     sink, nullptr, status);
  internal::Require(U_SUCCESS(status), "Unicode normalisation");
  return form;
}

// Of any region's numbers, from what stands in front abroad on: the field may have had it before.
constexpr std::size_t kLeastStored = 4, kMostStored = 40;

// What was stored before "74955550120.0" and the like were refused is still found as it stands.
Result<std::string> PhoneForm(std::string_view region, std::string_view value) {
  const auto number = ToE164(value, region);
  if (number) return number->Text();
  if (auto digits = PhoneDigits(value, kLeastStored, kMostStored)) return *std::move(digits);
  if (Normalise(Normalisation::kPhone, value)) return internal::FoldedText(value);
  return RefuseForm(number.error().message);
}

Result<std::string> FormOf(Normalisation rule, std::string_view region, std::string_view value) {
  switch (rule) {
    case Normalisation::kExact:
      return ExactForm(value);
    case Normalisation::kText:
      return internal::FoldedText(value);
    case Normalisation::kLoose:
      return internal::LooseText(value);
    case Normalisation::kEmail:
      return EmailForm(value);
    case Normalisation::kPhone:
      return PhoneForm(region, value);
  }
  internal::Die("a rule of search forms");
}

// The build of a shared library tells its metadata, of which its version says nothing.
int NoteBuild(dl_phdr_info* object, std::size_t, void* into) {
  if (!std::string_view(object->dlpi_name).contains("libphonenumber")) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& header = object->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const std::uint8_t*>(object->dlpi_addr + header.p_vaddr);
    const auto* const end = at + header.p_memsz;
    while (end - at >= static_cast<std::ptrdiff_t>(sizeof(ElfW(Nhdr)))) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
      const std::uint8_t* const name = at + sizeof note;
      const std::uint8_t* const content = name + padded(note.n_namesz);
      const std::uint8_t* const next = content + padded(note.n_descsz);
      if (next > end) break;
      if (note.n_type == NT_GNU_BUILD_ID) {
        *static_cast<std::string*>(into) = HexEncode(ByteView(content, note.n_descsz));
        return 1;
      }
      at = next;
    }
  }
  return 0;
}

std::uint32_t MakeSearchRules() {
  std::string made_of(kFormRules);
  UVersionInfo unicode;
  u_getUnicodeVersion(unicode);
  made_of += '|' + HexEncode(ByteView(unicode, sizeof unicode)) + '|';
  std::string phones;
  (void)dl_iterate_phdr(NoteBuild, &phones);
  made_of += phones;
  const Hash hash = Sha256(AsBytes(made_of));
  std::uint32_t rules = 0;
  for (std::size_t i = 0; i < 4; ++i) rules = rules << 8 | hash[i];
  // A few numbers below were given out before, one by one.
  return rules | 0x80000000U;
}

}  // namespace

Result<std::string> SearchForm(Normalisation rule, std::string_view region,
                               std::string_view value) {
  // A run of combining marks takes its square: half a megabyte of them sixteen seconds.
  if (value.size() > kMaxNormalisedBytes) return RefuseForm("is too long to be searched for");
  if (!internal::IsUtf8(value)) return RefuseForm("is not UTF-8");
  internal::CountNormalised(value.size());
  COFFER_ASSIGN(std::string form, FormOf(rule, region, value));
  if (form.empty()) return RefuseForm("has nothing in it to look up");
  return form;
}

std::uint32_t SearchRules() {
  static const std::uint32_t rules = MakeSearchRules();
  return rules;
}

}  // namespace coffer::crypto
