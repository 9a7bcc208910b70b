// Pages and letters: texts with gaps, filled with what records and people say.
//
// Of Mustache (mustache.github.io/mustache.5.html) what cannot surprise: {{name}}, {{.}} within a
// list, sections {{#name}}…{{/name}} and {{^name}}…{{/name}}, comments {{! … }}.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

#include "api/cli/text/failure.h"

namespace coffer::cli {

inline constexpr std::size_t kMaxTemplateBytes = 256 * 1024;
inline constexpr std::size_t kMaxTemplateDepth = 16;  // of sections in sections

// `text` as it may stand in HTML, between tags or in a quoted attribute: what is markup is escaped,
// and what a reader would not see or be misled by (controls but tab and line feed, bidirectional
// controls, invisible tags, bytes that are not UTF-8) is written out as Printable() does.
std::string HtmlText(std::string_view text);

// The template with `values`, an object, filled in; each value goes through HtmlText(). A name is
// [a-z][a-z0-9_]*, looked for in the innermost section's object first. Numbers stand as in JSON.
//
// Errors, each with the name or the place: kUsage for what is no such template (unescaped values,
// partials, other delimiters, dotted names, a section that is not closed or stands in itself, a
// name that is both a value and a section, more than kMaxTemplateBytes or kMaxTemplateDepth);
// kFailed for a name that `values` does not have, a value that is no text, number, truth, list or
// object, a list or a truth where a text belongs, and a text where a section does.
Outcome<std::string> RenderMustache(std::string_view tmpl, const nlohmann::json& values);
// The same for a template that is plain text: each value goes through PrintableLines().
Outcome<std::string> RenderTextMustache(std::string_view tmpl, const nlohmann::json& values);
// [a-z][a-z0-9_]*
bool IsTemplateName(std::string_view name);
// All names of values and sections in a template, wherever they stand. Errors: kUsage, as above.
Outcome<std::set<std::string, std::less<>>> NamesInTemplate(std::string_view tmpl);

}  // namespace coffer::cli
