// Letters to persons who ask for something: what a request says, in the sentences of a template.
//
// A template is plain text, of a name and a language, with the values of {{names}} filled in
// (api/cli/text/mustache.h). Those of api/cli/letters/ come with the tool; an operator writes
// others as NAME.LANGUAGE.txt.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/text/failure.h"

namespace coffer::cli {

struct LetterTemplate {
  std::string_view name, language, text;
};

inline constexpr std::string_view kLetterLanguages[] = {"en", "de", "ru", "zh"};

const std::vector<LetterTemplate>& BuiltInLetters();
// Null: there is none.
const LetterTemplate* FindBuiltInLetter(std::string_view name, std::string_view language);

// What a kind of request is called, and an action that answers it. Empty: it has no name there.
std::string_view LetterKindName(std::string_view kind, std::string_view language);
std::string_view LetterActionName(std::string_view kind, std::string_view action,
                                  std::string_view language);

// What a request, its regime and the holds that it names say to a letter, as the API answers them;
// `today` is a day. A member is absent where nothing is known: a template that names it is refused.
// Sections are always there: identity_open, entries, holds, all_erased, has_due, has_article,
// has_reasons, has_extension_reasons, has_reply.
//   reference kind_name regime_title regime_source received today
//   due                      the last day, where the clock runs
//   article reasons          of the decision that stands
//   extension_reasons        of the extension
//   entries [{number, action_name}]   holds [{review}]
// `said` (names and texts) adds to these. Exit::kUsage for a name that no template could have, that
// is a section's or says what the request says, and for a blank text.
Outcome<nlohmann::json> LetterValues(const nlohmann::json& request, const nlohmann::json& regime,
                                     const nlohmann::json& holds, std::string_view language,
                                     std::string_view today, const nlohmann::json& said);
// Whether what the letter of that name states is so: that it is open, done, extended, refused,
// held. Exit::kFailed says what is missing. Precondition: the values are those of the request.
Outcome<void> CheckLetterFits(std::string_view name, const nlohmann::json& request,
                              const nlohmann::json& values);

// Exit::kUsage, with what is wrong with a template: it names what no request and nothing in `said`
// says, or has another fault.
Outcome<void> CheckLetterTemplate(std::string_view text, std::string_view language,
                                  const nlohmann::json& said);
// Invented values for every name that a template of ours has.
nlohmann::json SampleLetterValues(std::string_view language);

// What a letter is read with in a browser and printed from: HTML without anything to be fetched.
Outcome<std::string> LetterPage(std::string_view letter, std::string_view language,
                                std::string_view title);

}  // namespace coffer::cli
