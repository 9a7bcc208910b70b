#include "audit/documents/messages.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "audit/documents/embedded_texts.h"

namespace coffer::audit {
namespace {

Messages ParseCatalogue(PageLanguage language) {
  Messages messages;
  try {
    const auto document =
        nlohmann::json::parse(EmbeddedText(std::string(Name(language)).append(".json")));
    for (const auto& [key, text] : document.items()) messages[key] = text.get<std::string>();
  } catch (const std::exception&) {
    std::abort();
  }
  return messages;
}

}  // namespace

const Messages& MessagesIn(PageLanguage language) {
  static const auto catalogues = [] {
    std::map<PageLanguage, Messages> all;
    for (const PageLanguage each : kPageLanguages) all[each] = ParseCatalogue(each);
    return all;
  }();
  return catalogues.at(language);
}

const std::string& Say(const Messages& messages, std::string_view key) {
  const auto found = messages.find(key);
  if (found == messages.end()) std::abort();
  return found->second;
}

const std::string* Find(const Messages& messages, std::string_view prefix, std::string_view code) {
  const auto found = messages.find(std::string(prefix).append(code));
  return found == messages.end() ? nullptr : &found->second;
}

std::string Fill(std::string_view text, std::string_view value) {
  const auto at = text.find("{}");
  if (at == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, at)).append(value).append(text.substr(at + 2));
}

std::string Fill(std::string_view text, std::initializer_list<NamedValue> values) {
  std::string filled;
  while (!text.empty()) {
    const auto open = std::min(text.find('{'), text.size());
    filled.append(text.substr(0, open));
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::string_view name = text.substr(0, text.find('}') + 1);
    const auto* const found = std::ranges::find(values, name, &NamedValue::first);
    if (name.empty() || found == values.end()) std::abort();
    filled.append(found->second);
    text.remove_prefix(name.size());
  }
  return filled;
}

std::string_view PluralForm(PageLanguage language, std::uint64_t n) {
  switch (language) {
    case PageLanguage::kEnglish:
    case PageLanguage::kGerman:
      return n == 1 ? "one" : "other";
    case PageLanguage::kRussian: {
      const bool teens = n % 100 >= 11 && n % 100 <= 14;
      if (n % 10 == 1 && !teens) return "one";
      return n % 10 >= 2 && n % 10 <= 4 && !teens ? "few" : "many";
    }
    case PageLanguage::kChinese:
      return "other";
  }
  std::abort();
}

const std::string& SayCount(PageLanguage language, std::string_view key, std::uint64_t n) {
  return Say(MessagesIn(language), std::string(key).append(".").append(PluralForm(language, n)));
}

}  // namespace coffer::audit
