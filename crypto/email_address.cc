#include "crypto/email_address.h"

#include <unicode/idna.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>

#include "crypto/internal/folding.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kMailto = "mailto:";
constexpr std::string_view kListMarks = ",;<>\"";

// At the ends of what is copied out of pages and tables.
bool IsEdge(UChar32 c) {
  if (c > 0x20 && c < 0x7F) return false;
  return u_isUWhiteSpace(c) || c == 0x200B || c == 0x200E || c == 0x2060 || c == 0xFEFF ||
         c == 0xAD;
}

UChar32 CharacterAt(std::string_view text, std::size_t& at) {
  UChar32 c = 0;
  U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), at, text.size(), c);
  return c;
}

std::string_view Trimmed(std::string_view text) {
  std::size_t begin = text.size(), end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    if (IsEdge(CharacterAt(text, at))) continue;
    begin = std::min(begin, from);
    end = at;
  }
  return begin < end ? text.substr(begin, end - begin) : text.substr(text.size());
}

bool IsUnseenMark(UChar32 c) {
  return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
         u_charType(c) == U_FORMAT_CHAR || u_iscntrl(c);
}

// Of the characters of ASCII those that are in names of hosts, and in addresses in brackets.
bool IsDomainCharacter(UChar32 c) {
  return c > 0x7F || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(".-_[]:").contains(static_cast<char>(c));
}

// Persian and Indic domains have them between letters.
bool IsJoiner(UChar32 c) { return c == 0x200C || c == 0x200D; }

const icu::IDNA& Uts46() {
  static const std::unique_ptr<const icu::IDNA> idna = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<const icu::IDNA> made(icu::IDNA::createUTS46Instance(
        UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
        status));
    internal::Require(U_SUCCESS(status) && made != nullptr, "ICU's domain names");
    return made;
  }();
  return *idna;
}

// Whether UTS 46 makes nothing of it but small letters, valid or not.
bool IsPlainDomain(std::string_view domain) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  return std::ranges::all_of(domain, [](char c) { return c > 0x20 && c < 0x7F; }) &&
         std::ranges::search(domain, std::string_view("xn--"), {}, small).empty();
}

std::string DomainForm(std::string_view domain) {
  std::string ascii;
  if (IsPlainDomain(domain)) {
    ascii = internal::FoldedText(domain);
    if (ascii.size() > 1 && ascii.ends_with('.')) ascii.pop_back();
    return ascii;
  }
  icu::IDNAInfo info;
  UErrorCode status = U_ZERO_ERROR;
  icu::StringByteSink<std::string> sink(&ascii);
  Uts46().nameToASCII_UTF8(
      icu::StringPiece(domain.data(), static_cast<std::int32_t>(domain.size())), sink, info,
      status);
  if (U_FAILURE(status) || info.hasErrors()) ascii = internal::FoldedText(domain);
  if (ascii.size() > 1 && ascii.ends_with('.')) ascii.pop_back();
  return ascii;
}

}  // namespace

std::string_view BareEmail(std::string_view typed) {
  std::string_view bare = Trimmed(typed);
  if (bare.size() >= kMailto.size() &&
      std::ranges::equal(bare.substr(0, kMailto.size()), kMailto, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
      })) {
    bare = Trimmed(bare.substr(kMailto.size()));
  }
  return bare;
}

std::optional<std::string> EmailFault(std::string_view typed) {
  if (!internal::IsUtf8(typed)) return "is not UTF-8";
  const std::string_view bare = BareEmail(typed);
  std::size_t character = 0, ats = 0, last_at = 0;
  for (std::size_t at = 0; at < static_cast<std::size_t>(bare.data() - typed.data());) {
    (void)CharacterAt(typed, at);
    ++character;
  }
  for (std::size_t at = 0; at < bare.size();) {
    const std::size_t from = at;
    const UChar32 c = CharacterAt(bare, at);
    ++character;
    if (c == '@') {
      last_at = from;
      if (++ats > 1) return "has a second '@' at character " + std::to_string(character);
      continue;
    }
    if (c > 0x20 && c < 0x7F && !kListMarks.contains(static_cast<char>(c)) &&
        (ats == 0 || IsDomainCharacter(c))) {
      continue;
    }
    const bool lists = c < 0x7F && kListMarks.contains(static_cast<char>(c));
    if (lists && ats > 0 && c != '>' && bare.substr(at).contains('@')) {
      return "has a second address, from character " + std::to_string(character) + " on";
    }
    if (lists || (ats > 0 && !IsDomainCharacter(c)) || u_isUWhiteSpace(c) ||
        (IsUnseenMark(c) && !(ats > 0 && IsJoiner(c)))) {
      return internal::NameOfCharacter(c) + " at character " + std::to_string(character) +
             " is no part of an e-mail address";
    }
  }
  if (ats == 0) return "has no '@'";
  if (last_at == 0) return "has nothing before its '@'";
  if (last_at + 1 == bare.size()) return "has no domain behind its '@'";
  return std::nullopt;
}

std::string EmailForm(std::string_view typed) {
  std::string_view bare = BareEmail(typed);
  std::string folded;
  if (EmailFault(bare)) {
    // An '@' of full width, and what is not seen, are no more when it is folded.
    folded = internal::FoldedText(bare);
    if (EmailFault(folded)) return internal::FoldedText(typed);
    bare = folded;
  }
  const auto at = bare.find('@');
  return internal::FoldedText(bare.substr(0, at)) + "@" + DomainForm(bare.substr(at + 1));
}

}  // namespace coffer::crypto
