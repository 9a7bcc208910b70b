#include "audit/documents/page_language.h"

#include <cstdlib>

namespace coffer::audit {

std::string_view Name(PageLanguage language) {
  switch (language) {
    case PageLanguage::kEnglish:
      return "en";
    case PageLanguage::kRussian:
      return "ru";
    case PageLanguage::kChinese:
      return "zh";
    case PageLanguage::kGerman:
      return "de";
  }
  std::abort();
}

std::optional<PageLanguage> PageLanguageFromName(std::string_view name) {
  for (const PageLanguage language : kPageLanguages) {
    if (Name(language) == name) return language;
  }
  return std::nullopt;
}

std::vector<std::string> PageLanguageNames() {
  std::vector<std::string> names;
  for (const PageLanguage language : kPageLanguages) names.emplace_back(Name(language));
  return names;
}

std::string_view LanguageTag(PageLanguage language) {
  return language == PageLanguage::kChinese ? "zh-Hans" : Name(language);
}

std::string_view PageFileName(PageLanguage language) {
  switch (language) {
    case PageLanguage::kEnglish:
      return "index.html";
    case PageLanguage::kRussian:
      return "index.ru.html";
    case PageLanguage::kChinese:
      return "index.zh.html";
    case PageLanguage::kGerman:
      return "index.de.html";
  }
  std::abort();
}

}  // namespace coffer::audit
