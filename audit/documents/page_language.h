// The languages in which documents are shown to people: those of audit/messages/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::audit {

enum class PageLanguage { kEnglish, kRussian, kChinese, kGerman };
inline constexpr PageLanguage kPageLanguages[] = {PageLanguage::kEnglish, PageLanguage::kRussian,
                                                  PageLanguage::kChinese, PageLanguage::kGerman};

// As a request names it and the catalogue's file is called: "en", "ru", "zh", "de".
std::string_view Name(PageLanguage language);
std::optional<PageLanguage> PageLanguageFromName(std::string_view name);
std::vector<std::string> PageLanguageNames();

std::string_view LanguageTag(PageLanguage language);   // BCP 47: "en", "ru", "zh-Hans", "de"
std::string_view PageFileName(PageLanguage language);  // in a bundle: "index.html", "index.ru.html"

}  // namespace coffer::audit
