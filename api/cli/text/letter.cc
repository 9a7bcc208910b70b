#include "api/cli/text/letter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "api/cli/text/json_view.h"
#include "api/cli/text/mustache.h"
#include "audit/text/plain_text.h"

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
     {"an end to processing that you object to", "Ende einer Verarbeitung, der Sie widersprechen",
      "прекратить обработку, против которой вы возражаете", "停止您反对的处理活动"}},
    {"consent_withdrawal",
     {"an end to processing that rested on the consent you withdrew",
      "Ende der Verarbeitung, in die Sie nicht mehr einwilligen",
      "прекратить обработку в связи с отзывом вашего согласия", "因您撤回同意而停止处理"}},
    {"stop_processing",
     {"an end to the processing of your data", "Ende der Verarbeitung Ihrer Daten",
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
    {"objection/restriction.write",
     {"the processing that you object to was stopped",
      "die Verarbeitung, der Sie widersprechen, wurde beendet",
      "обработка, против которой вы возражаете, прекращена", "已停止您反对的处理活动"}},
    {"stop_processing/restriction.write",
     {"the processing of your data was stopped", "die Verarbeitung Ihrer Daten wurde beendet",
      "обработка ваших данных прекращена", "已停止处理您的个人信息"}},
    {"consent_withdrawal/restriction.write",
     {"processing that rested on your consent was stopped",
      "die Verarbeitung, die auf Ihrer Einwilligung beruhte, wurde beendet",
      "обработка, основанная на вашем согласии, прекращена", "已停止基于您同意的处理活动"}},
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

// Not where it is blank.
void PutSaid(json& values, const char* name, const std::string& text) {
  if (!audit::IsBlank(text)) values[name] = text;
}

bool IsDecision(const std::string& step) {
  return step == "answer" || step == "refuse" || step == "withdraw";
}

// The last step of those, unless it was taken back; null: there is none.
const json& DecisionOf(const json& request) {
  static const json kNone;
  const json* decision = &kNone;
  for (const json& step : Member(request, "steps")) {
    const std::string name = Text(step, "step");
    if (IsDecision(name)) decision = &step;
    if (name == "reopen") decision = &kNone;
  }
  return *decision;
}

const json& ExtensionOf(const json& request) {
  static const json kNone;
  const json* extension = &kNone;
  for (const json& step : Member(request, "steps")) {
    if (Text(step, "step") == "extend") extension = &step;
  }
  return *extension;
}

json EntriesOf(const json& decision, const std::string& kind, std::string_view language) {
  json entries = json::array();
  for (const json& proof : Member(decision, "shown_by")) {
    const std::string action = Text(proof, "action");
    const std::string_view name = LetterActionName(kind, action, language);
    entries.push_back({{"number", Text(proof, "entry")},
                       {"action_name", name.empty() ? action : std::string(name)}});
  }
  return entries;
}

// All of the client is gone, whatever it asked for.
bool IsAllErased(const json& decision, const std::string& kind) {
  return kind != "erasure" &&
         std::ranges::any_of(Member(decision, "shown_by"), [](const json& proof) {
           return Text(proof, "action") == "client.erase";
         });
}

constexpr std::string_view kOptional[] = {"article", "due", "extension_reasons", "reasons",
                                          "reply"};
constexpr std::string_view kSections[] = {"all_erased", "entries", "holds", "identity_open"};

bool IsSection(std::string_view name) {
  return std::ranges::find(kSections, name) != std::end(kSections) || name.starts_with("has_");
}

Outcome<void> CheckSaid(const json& said, const json& values) {
  for (const auto& [name, text] : said.items()) {
    if (!IsTemplateName(name)) {
      return Failed(Exit::kUsage, "\"" + name + "\" is no name of a value.",
                    "Small letters, digits and underscores, beginning with a letter.");
    }
    if (IsSection(name) || values.contains(name)) {
      return Failed(Exit::kUsage, "\"" + name + "\" comes from the request and cannot be said.");
    }
    if (!text.is_string() || audit::IsBlank(text.get_ref<const std::string&>())) {
      return Failed(Exit::kUsage, "The value of \"" + name + "\" must be a text, and not blank.");
    }
  }
  return {};
}

// What a letter of ours states must be so.
struct Premise {
  std::string_view letter;
  bool (*holds)(const json& request, const json& values);
  const char* otherwise;
};

bool IsUndecided(const json& request) {
  return DecisionOf(request).is_null() && Text(request, "state") != "closed";
}

bool IsAnsweredOrTold(const json& request, const json& values) {
  const std::string kind = Text(request, "kind");
  if (Text(DecisionOf(request), "step") == "answer") {
    return !values["entries"].empty() || values["has_reply"];
  }
  return IsUndecided(request) && values["has_reply"] && (kind == "complaint" || kind == "question");
}

// What was said is not shown to every role, and a letter must not be silent about it.
bool IsShown(const json& request) {
  const std::string said = Text(request, "said");
  return said.empty() || said == "shown";
}

constexpr Premise kPremises[] = {
    {"acknowledgement", [](const json& request, const json&) { return IsUndecided(request); },
     "The request is decided."},
    {"identity",
     [](const json&, const json& values) { return values["identity_open"].get<bool>(); },
     "The request is accepted: it is known who asks."},
    {"extension",
     [](const json& request, const json&) {
       return IsUndecided(request) && !ExtensionOf(request).is_null();
     },
     "The request is not extended, or decided already: take the step first."},
    {"answer", IsAnsweredOrTold,
     "Nothing shows that it was done: take the step first, or to a complaint or a question say "
     "what you reply (reply=...)."},
    {"refusal",
     [](const json& request, const json&) {
       return IsUndecided(request) || Text(DecisionOf(request), "step") == "refuse";
     },
     "The request is decided otherwise."},
    {"refusal",
     [](const json& request, const json& values) {
       return IsShown(request) || values["has_reasons"].get<bool>();
     },
     "What was said is not shown to this role: give the reasons (reasons=...)."},
    {"hold", [](const json&, const json& values) { return !values["holds"].empty(); },
     "No hold keeps the client, or the request is decided already."},
    {"hold-certificate", [](const json&, const json& values) { return !values["holds"].empty(); },
     "No hold keeps the client, or the request is decided already."},
};

constexpr std::string_view kLetterPage =
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

std::string_view LetterActionName(std::string_view kind, std::string_view action,
                                  std::string_view language) {
  const auto of_kind =
      NameIn(kActionNames, std::string(kind) + "/" + std::string(action), language);
  return of_kind.empty() ? NameIn(kActionNames, action, language) : of_kind;
}

Outcome<json> LetterValues(const json& request, const json& regime, const json& holds,
                           std::string_view language, std::string_view today, const json& said) {
  const std::string kind = Text(request, "kind"), state = Text(request, "state");
  const json& definition = Member(regime, "definition");
  const json& decision = DecisionOf(request);
  json values = {{"reference", Text(request, "id")},
                 {"today", today},
                 {"identity_open", state == "received" || state == "identity_checking"},
                 {"all_erased", IsAllErased(decision, kind)},
                 {"entries", EntriesOf(decision, kind, language)},
                 {"holds", json::array()}};
  PutSaid(values, "kind_name", std::string(LetterKindName(kind, language)));
  PutSaid(values, "regime_title", Text(definition, "title"));
  PutSaid(values, "regime_source", Text(definition, "source"));
  PutSaid(values, "received", Text(request, "received_day"));
  PutSaid(values, "due", Text(request, "last_day"));
  PutSaid(values, "article", Text(decision, "article"));
  PutSaid(values, "reasons", Text(decision, "words"));
  PutSaid(values, "extension_reasons", Text(ExtensionOf(request), "words"));
  for (const json& hold : holds) values["holds"].push_back({{"review", Text(hold, "review")}});
  COFFER_TRY(CheckSaid(said, values));
  values.update(said);
  for (const std::string_view name : kOptional) {
    values["has_" + std::string(name)] = values.contains(std::string(name));
  }
  return values;
}

Outcome<void> CheckLetterFits(std::string_view name, const json& request, const json& values) {
  for (const Premise& premise : kPremises) {
    if (premise.letter == name && !premise.holds(request, values)) {
      return Failed(Exit::kFailed, premise.otherwise);
    }
  }
  return {};
}

Outcome<void> CheckLetterTemplate(std::string_view text, std::string_view language,
                                  const json& said) {
  json values = SampleLetterValues(language);
  COFFER_TRY(CheckSaid(said, json::object()));
  values.update(said);
  COFFER_ASSIGN(const auto names, NamesInTemplate(text));
  // Of what stands in lists.
  constexpr std::string_view kOfItems[] = {".", "action_name", "number", "review"};
  for (const std::string& name : names) {
    if (!values.contains(name) && std::ranges::find(kOfItems, name) == std::end(kOfItems)) {
      return Failed(Exit::kUsage, "The template names \"" + name + "\", which no request says.");
    }
  }
  if (const auto letter = RenderTextMustache(text, values); !letter) {
    return std::unexpected(letter.error());
  }
  return {};
}

json SampleLetterValues(std::string_view language) {
  json values = {{"identity_open", true},
                 {"all_erased", false},
                 {"entries",
                  {{{"number", "4711"},
                    {"action_name", LetterActionName("erasure", "client.erase", language)}}}},
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

Outcome<std::string> LetterPage(std::string_view letter, std::string_view language,
                                std::string_view title) {
  json paragraphs = json::array();
  while (!letter.empty()) {
    const auto end = std::min(letter.find("\n\n"), letter.size());
    std::string_view paragraph = letter.substr(0, end);
    letter.remove_prefix(std::min(end + 2, letter.size()));
    while (paragraph.starts_with('\n')) paragraph.remove_prefix(1);
    while (paragraph.ends_with('\n')) paragraph.remove_suffix(1);
    if (!paragraph.empty()) paragraphs.push_back(paragraph);
  }
  return RenderMustache(
      kLetterPage,
      {{"language", language}, {"title", title}, {"paragraphs", std::move(paragraphs)}});
}

}  // namespace coffer::cli
