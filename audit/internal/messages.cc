#include "audit/internal/messages.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "audit/internal/embedded_texts.h"

namespace coffer::audit {
namespace {

Messages ParseCatalogue(std::string_view file) {
  Messages messages;
  try {
    const auto document = nlohmann::json::parse(EmbeddedText(file));
    for (const auto& [key, text] : document.items()) messages[key] = text.get<std::string>();
  } catch (const std::exception&) {
    std::abort();
  }
  return messages;
}

}  // namespace

const Messages& MessagesIn(PageLanguage language) {
  static const Messages english = ParseCatalogue("en.json");
  static const Messages russian = ParseCatalogue("ru.json");
  static const Messages chinese = ParseCatalogue("zh.json");
  switch (language) {
    case PageLanguage::kEnglish:
      return english;
    case PageLanguage::kRussian:
      return russian;
    case PageLanguage::kChinese:
      return chinese;
  }
  std::abort();
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

}  // namespace coffer::audit
