#include "api/cli/text/letter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "api/cli/text/json_view.h"
#include "api/cli/text/mustache.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// In the order of kLetterLanguages.
struct LetterWords {
  std::string_view name;
  std::string_view in[std::size(kLetterLanguages)];
};

constexpr LetterWords kKindNames[] = {
    {"access",
     {"access to your data", "Auskunft über Ihre Daten", "предоставить данные о вас",
      "查阅您的个人信息"}},
    {"portability",
     {"your data in a machine-readable form", "Ihre Daten in maschinenlesbarer Form",
      "передать ваши данные в машиночитаемом виде", "以机器可读的形式提供您的个人信息"}},
    {"rectification",
     {"correction of your data", "Berichtigung Ihrer Daten", "исправить ваши данные",
      "更正您的个人信息"}},
    {"erasure",
     {"erasure of your data", "Löschung Ihrer Daten", "уничтожить ваши данные",
      "删除您的个人信息"}},
    {"restriction",
     {"restriction of the processing of your data", "Einschränkung der Verarbeitung Ihrer Daten",
      "ограничить обработку ваших данных", "限制对您个人信息的处理"}},
    {"objection",
     {"an end of processing that you object to", "Ende einer Verarbeitung, der Sie widersprechen",
      "прекратить обработку, против которой вы возражаете", "停止您反对的处理活动"}},
    {"consent_withdrawal",
     {"withdrawal of your consent", "Widerruf Ihrer Einwilligung", "отозвать ваше согласие",
      "撤回您的同意"}},
    {"stop_processing",
     {"an end of the processing of your data", "Ende der Verarbeitung Ihrer Daten",
      "прекратить обработку ваших данных", "停止处理您的个人信息"}},
    {"complaint",
     {"a reply to your complaint", "Antwort auf Ihre Beschwerde", "ответить на вашу жалобу",
      "答复您的投诉"}},
    {"question",
     {"a reply to your question", "Antwort auf Ihre Frage", "ответить на ваш вопрос",
      "答复您的咨询"}},
};

constexpr LetterWords kActionNames[] = {
    {"client.package",
     {"your data were put together for you", "Ihre Daten wurden für Sie zusammengestellt",
      "ваши данные подготовлены для вас", "已为您整理个人信息"}},
    {"client.export",
     {"your data were exported", "Ihre Daten wurden exportiert", "ваши данные выгружены",
      "已导出您的个人信息"}},
    {"client.update",
     {"what is known of you was changed", "Angaben zu Ihnen wurden geändert",
      "сведения о вас изменены", "已更改有关您的记录"}},
    {"client.erase",
     {"all data about you were erased", "alle Daten über Sie wurden gelöscht",
      "все данные о вас уничтожены", "已删除有关您的全部信息"}},
    {"record.create",
     {"data about you were added", "Daten über Sie wurden ergänzt", "данные о вас дополнены",
      "已补充有关您的信息"}},
    {"record.update",
     {"data about you were corrected", "Daten über Sie wurden berichtigt",
      "данные о вас исправлены", "已更正有关您的信息"}},
    {"record.import",
     {"data about you were corrected", "Daten über Sie wurden berichtigt",
      "данные о вас исправлены", "已更正有关您的信息"}},
    {"record.delete",
     {"data about you were deleted", "Daten über Sie wurden gelöscht", "данные о вас удалены",
      "已删除有关您的信息"}},
    {"record.erase",
     {"a part of the data about you was erased", "ein Teil der Daten über Sie wurde gelöscht",
      "часть данных о вас уничтожена", "已删除有关您的部分信息"}},
    {"retention.erase",
     {"data about you were erased when their time was over",
      "Daten über Sie wurden nach Ablauf der Frist gelöscht",
      "данные о вас уничтожены по истечении срока", "有关您的信息已到期删除"}},
    {"restriction.write",
     {"the processing of your data was restricted",
      "die Verarbeitung Ihrer Daten wurde eingeschränkt", "обработка ваших данных ограничена",
      "已限制对您个人信息的处理"}},
    {"consent.write",
     {"your withdrawal was recorded", "Ihr Widerruf wurde vermerkt", "ваш отзыв согласия записан",
      "已记录您的撤回"}},
};

std::string_view NameIn(std::span<const LetterWords> words, std::string_view name,
                        std::string_view language) {
  const auto* const spoken = std::ranges::find(kLetterLanguages, language);
  const auto found = std::ranges::find(words, name, &LetterWords::name);
  if (spoken == std::end(kLetterLanguages) || found == words.end()) return {};
  return found->in[spoken - std::begin(kLetterLanguages)];
}

std::string DayOf(const std::string& time) { return time.substr(0, 10); }

// The last step that says why, and why.
void TakeReasons(const json& request, json& values) {
  for (const json& step : Member(request, "steps")) {
    const std::string name = Text(step, "step");
    if (name != "extend" && name != "answer" && name != "refuse") continue;
    for (const auto& [member, as] : {std::pair{"article", "article"}, {"words", "reasons"}}) {
      const std::string text = Text(step, member);
      if (!text.empty()) values[as] = text;
    }
  }
}

json EntriesOf(const json& request, std::string_view language) {
  json entries = json::array();
  for (const json& step : Member(request, "steps")) {
    if (Text(step, "step") != "answer") continue;
    entries = json::array();  // an answer that was reopened is none
    for (const json& proof : Member(step, "shown_by")) {
      const std::string action = Text(proof, "action");
      const std::string_view name = LetterActionName(action, language);
      entries.push_back({{"number", Text(proof, "entry")},
                         {"action_name", name.empty() ? action : std::string(name)}});
    }
  }
  return entries;
}

constexpr std::string_view kOptional[] = {"article", "due", "reasons", "erasure", "reply"};
constexpr std::string_view kLists[] = {"entries", "holds", "identity_open"};

bool IsSection(std::string_view name) {
  return std::ranges::find(kLists, name) != std::end(kLists) || name.starts_with("has_");
}

bool IsValueName(std::string_view name) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_small(name.front()) && std::ranges::all_of(name, [&](char c) {
    return is_small(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

Outcome<void> TakeSaid(const json& said, json& values) {
  for (const auto& [name, text] : said.items()) {
    if (!IsValueName(name)) {
      return Failed(Exit::kUsage, "\"" + name + "\" is no name of a value.",
                    "Small letters, digits and underscores, beginning with a letter.");
    }
    if (IsSection(name)) {
      return Failed(Exit::kUsage, "\"" + name + "\" comes from the request and cannot be said.");
    }
    if (!text.is_string()) {
      return Failed(Exit::kUsage, "The value of \"" + name + "\" must be a text.");
    }
    values[name] = text;
  }
  for (const std::string_view name : kOptional) {
    values["has_" + std::string(name)] = values.contains(std::string(name));
  }
  return {};
}

// What a letter of ours states must be so.
struct Premise {
  std::string_view letter;
  bool (*holds)(const json& request, const json& values);
  const char* otherwise;
};
constexpr Premise kPremises[] = {
    {"answer",
     [](const json&, const json& values) {
       return !values["entries"].empty() || values["has_erasure"] || values["has_reply"];
     },
     "Nothing shows yet that it was done: take the step first, or say what you reply (reply=...)."},
    {"extension",
     [](const json& request, const json&) { return !Text(request, "extended").empty(); },
     "The request is not extended: take the step first."},
    {"hold", [](const json&, const json& values) { return !values["holds"].empty(); },
     "No hold keeps the client."},
};

constexpr std::string_view kPage =
    "<!doctype html>\n<html lang=\"{{language}}\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>{{title}}</title>\n"
    "<style>body{max-width:42rem;margin:3rem auto;padding:0 1rem;font:1rem/1.5 serif}"
    "p{white-space:pre-line}@media print{body{margin:0;max-width:none}}</style>\n</head>\n<body>\n"
    "{{#paragraphs}}<p>{{.}}</p>\n{{/paragraphs}}</body>\n</html>\n";

}  // namespace

const LetterTemplate* FindBuiltInLetter(std::string_view name, std::string_view language) {
  const auto& letters = BuiltInLetters();
  const auto found = std::ranges::find_if(letters, [&](const LetterTemplate& letter) {
    return letter.name == name && letter.language == language;
  });
  return found == letters.end() ? nullptr : &*found;
}

std::string_view LetterKindName(std::string_view kind, std::string_view language) {
  return NameIn(kKindNames, kind, language);
}

std::string_view LetterActionName(std::string_view action, std::string_view language) {
  return NameIn(kActionNames, action, language);
}

Outcome<json> LetterValues(const json& request, const json& regime, const json& holds,
                           std::string_view language, std::string_view today, const json& said) {
  const std::string kind = Text(request, "kind"), state = Text(request, "state");
  const json& definition = Member(regime, "definition");
  json values = {{"reference", Text(request, "id")},
                 {"kind_name", LetterKindName(kind, language)},
                 {"regime_title", Text(definition, "title")},
                 {"regime_source", Text(definition, "source")},
                 {"received", DayOf(Text(request, "received"))},
                 {"today", today},
                 {"identity_open", state == "received" || state == "identity_checking"},
                 {"entries", EntriesOf(request, language)},
                 {"holds", json::array()}};
  if (const std::string day = Text(request, "last_day"); !day.empty()) values["due"] = day;
  for (const json& hold : holds) {
    values["holds"].push_back({{"review", DayOf(Text(hold, "review_due"))}});
  }
  TakeReasons(request, values);
  COFFER_TRY(TakeSaid(said, values));
  return values;
}

Outcome<void> CheckLetterFits(std::string_view name, const json& request, const json& values) {
  const auto* const premise = std::ranges::find(kPremises, name, &Premise::letter);
  if (premise == std::end(kPremises) || premise->holds(request, values)) return {};
  return Failed(Exit::kFailed, premise->otherwise);
}

json SampleLetterValues(std::string_view language) {
  json values = {
      {"identity_open", true},
      {"entries",
       {{{"number", "4711"}, {"action_name", LetterActionName("client.erase", language)}}}},
      {"holds", {{{"review", "2026-12-31"}}}}};
  for (const char* name :
       {"organisation", "contact", "signatory", "addressee", "complaint", "identity_means", "court",
        "certificate_number", "reference", "regime_title", "regime_source"}) {
    values[name] = std::string("<") + name + ">";
  }
  for (const char* day : {"received", "today", "certificate_date"}) {
    values[day] = "2026-01-31";
  }
  values["kind_name"] = LetterKindName("erasure", language);
  for (const std::string_view name : kOptional) {
    values[std::string(name)] = "<" + std::string(name) + ">";
    values["has_" + std::string(name)] = true;
  }
  return values;
}

Outcome<std::string> LetterPage(std::string_view letter, std::string_view language) {
  json paragraphs = json::array();
  while (!letter.empty()) {
    const auto end = std::min(letter.find("\n\n"), letter.size());
    std::string_view paragraph = letter.substr(0, end);
    letter.remove_prefix(std::min(end + 2, letter.size()));
    while (paragraph.starts_with('\n')) paragraph.remove_prefix(1);
    while (paragraph.ends_with('\n')) paragraph.remove_suffix(1);
    if (!paragraph.empty()) paragraphs.push_back(paragraph);
  }
  // The subject stands behind the sender and the addressee.
  constexpr std::size_t kSubject = 2;
  const json title = paragraphs.size() > kSubject ? paragraphs[kSubject] : json("Letter");
  return RenderMustache(
      kPage, {{"language", language}, {"title", title}, {"paragraphs", std::move(paragraphs)}});
}

}  // namespace coffer::cli
