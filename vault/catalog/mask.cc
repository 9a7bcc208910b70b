#include "vault/catalog/mask.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "crypto/blind_index.h"
#include "crypto/email_address.h"
#include "crypto/encoding.h"
#include "crypto/phone_number.h"
#include "crypto/search_form.h"
#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kConstant = "***";
constexpr std::size_t kShownCharacters = 4;
constexpr std::size_t kLeastCharacters = 8;  // of a value whose last four are shown
constexpr std::size_t kHashBytes = 12;       // 16 characters

using Texts = std::vector<std::string_view>;

// Made once for each thread, as it takes some microseconds. Null when ICU has no rules for it.
icu::BreakIterator* CharacterIterator() {
  thread_local const std::unique_ptr<icu::BreakIterator> iterator = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(
        icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    return U_SUCCESS(status) ? std::move(made) : nullptr;
  }();
  return iterator.get();
}

// The characters of valid UTF-8 in their order; none when ICU cannot say, which shows nothing.
Texts CharactersOf(std::string_view text) {
  icu::BreakIterator* const iterator = CharacterIterator();
  if (iterator == nullptr) return {};
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UText, decltype(&utext_close)> opened(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status),
      &utext_close);
  if (U_SUCCESS(status)) iterator->setText(opened.get(), status);
  if (U_FAILURE(status)) return {};
  Texts characters;
  std::int32_t begin = iterator->first();
  for (std::int32_t end = iterator->next(); end != icu::BreakIterator::DONE;
       begin = end, end = iterator->next()) {
    characters.push_back(
        text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  }
  return characters;
}

template <class Predicate>
bool AnyCodePoint(std::string_view text, Predicate holds) {
  for (std::size_t i = 0; i < text.size();) {
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), i, text.size(), c);
    if (holds(c)) return true;
  }
  return false;
}

bool IsSpace(std::string_view character) {
  return AnyCodePoint(character, [](UChar32 c) { return u_isUWhiteSpace(c) != 0; });
}

// Something to see, and not only marks that would sit on what is in front of them.
bool IsVisible(std::string_view character) {
  return AnyCodePoint(character, [](UChar32 c) {
    return u_isgraph(c) && !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) &&
           !u_hasBinaryProperty(c, UCHAR_GRAPHEME_EXTEND);
  });
}

bool IsAlphanumeric(std::string_view character) {
  return AnyCodePoint(character, [](UChar32 c) { return u_isalnum(c) != 0; });
}

template <class Predicate>
Texts Select(Texts characters, Predicate holds) {
  std::erase_if(characters, [&](std::string_view character) { return !holds(character); });
  return characters;
}

// Letters, digits, hyphens and dots, in whatever script.
bool IsDomain(std::string_view text) {
  const Texts characters = CharactersOf(text);
  return std::ranges::any_of(characters, IsAlphanumeric) &&
         std::ranges::all_of(characters, [](std::string_view character) {
           return character == "." || character == "-" || IsAlphanumeric(character);
         });
}

// Nothing when the text is no address: what stands behind an @ could then be anything.
std::optional<std::string> MaskEmail(std::string_view text) {
  text = crypto::BareEmail(text);
  const auto at = text.find('@');
  if (at == text.npos || !IsDomain(text.substr(at + 1))) return std::nullopt;
  const Texts local = CharactersOf(text.substr(0, at));
  if (std::ranges::any_of(local, IsSpace)) return std::nullopt;
  const Texts letters = Select(local, IsAlphanumeric);
  if (letters.empty()) return std::nullopt;
  const std::string_view first = letters.size() > 1 ? letters.front() : std::string_view();
  return std::string(first) + std::string(kConstant) + std::string(text.substr(at));
}

// Of the number, and not of its extension.
std::optional<std::string> MaskPhone(std::string_view text) {
  auto digits = crypto::PhoneDigits(text);
  if (digits) {
    digits->resize(std::min(digits->find(';'), digits->size()));
    return std::string(kConstant) + digits->substr(digits->size() - 2);
  }
  const auto before = crypto::Normalise(crypto::Normalisation::kPhone, text);
  if (!before) return std::nullopt;
  return std::string(kConstant) + before->substr(before->size() - 2);
}

std::optional<std::string> MaskLastFour(std::string_view text) {
  const Texts characters = Select(CharactersOf(text), IsVisible);
  if (characters.size() < kLeastCharacters) return std::nullopt;
  std::string masked = "****";
  for (std::size_t i = characters.size() - kShownCharacters; i < characters.size(); ++i) {
    masked += characters[i];
  }
  return masked;
}

std::optional<std::string> MaskYear(const Field& field, std::string_view text) {
  const bool dated = field.type == FieldType::kDate || field.type == FieldType::kDateTime;
  const std::string_view year = text.substr(0, 4);
  const bool written = text.size() >= 10 && text[4] == '-' &&
                       std::ranges::all_of(year, [](char c) { return c >= '0' && c <= '9'; });
  if (!dated || !written) return std::nullopt;
  return std::string(year);
}

std::optional<std::string> MaskInitials(std::string_view text) {
  std::string initials;
  bool shown = false;  // any letter at all
  auto add_word = [&](const Texts& letters) {
    if (letters.empty()) return;
    if (!initials.empty()) initials += ' ';
    shown = shown || letters.size() > 1;
    initials += letters.size() > 1 ? letters.front() : std::string_view("*");
    initials += '.';
  };
  Texts letters;
  for (const std::string_view character : CharactersOf(text)) {
    if (IsSpace(character)) {
      add_word(letters);
      letters.clear();
    } else if (IsAlphanumeric(character)) {
      letters.push_back(character);
    }
  }
  add_word(letters);
  if (!shown) return std::nullopt;
  return initials;
}

// One text for all spellings that crypto::Normalise takes for one value, and where it takes none,
// the index: hashes that were once shown stay what they are. Nothing for what is no value.
std::optional<std::string> TextToHash(const Field& field, const json& value) {
  if (value.is_boolean() || value.is_number_integer()) return value.dump();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!IsCleanUtf8(text)) return std::nullopt;
    // What is too long to be normalised is of no index; its hash is that of its bytes.
    if (auto lasting = crypto::Normalise(LastingRule(field), text)) return *std::move(lasting);
    return crypto::SearchForm(field.normalisation, field.region, text).value_or(text);
  }
  if (!value.is_array()) return std::nullopt;
  std::string list;
  for (const json& item : value) {
    if (!item.is_string()) return std::nullopt;
    const auto text = TextToHash(field, item);
    if (!text) return std::nullopt;
    list += *text + '\0';  // which no clean text has
  }
  return list;
}

// The domain has one '/' more than that of any blind index (blind_index.h).
std::optional<std::string> MaskHash(std::string_view class_name, const Field& field,
                                    const json& value, const crypto::SecretBytes& hash_key) {
  const auto text = TextToHash(field, value);
  if (!text) return std::nullopt;
  const std::string domain = "mask/" + std::string(class_name) + "/" + field.name;
  const auto token = crypto::ComputeBlindToken(hash_key, domain, *text);
  return crypto::Base64UrlEncode(crypto::ByteView(token).first(kHashBytes));
}

std::optional<std::string> MaskText(const Field& field, const json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (!IsCleanUtf8(text)) return std::nullopt;
  switch (field.mask) {
    case MaskRule::kEmail:
      return MaskEmail(text);
    case MaskRule::kPhone:
      return MaskPhone(text);
    case MaskRule::kLastFour:
      return MaskLastFour(text);
    case MaskRule::kYear:
      return MaskYear(field, text);
    case MaskRule::kInitials:
      return MaskInitials(text);
    case MaskRule::kNone:
    case MaskRule::kHash:
    case MaskRule::kConstant:
      break;
  }
  return std::nullopt;
}

}  // namespace

json MaskValue(std::string_view class_name, const Field& field, const json& value,
               const crypto::SecretBytes& hash_key) {
  if (field.mask == MaskRule::kNone) return value;
  const auto masked = field.mask == MaskRule::kHash ? MaskHash(class_name, field, value, hash_key)
                                                    : MaskText(field, value);
  return masked.value_or(std::string(kConstant));
}

}  // namespace coffer::vault
