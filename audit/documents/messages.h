// Message catalogues: audit/messages/<language>.json, flat objects of key and text that a
// translator can edit. "{}" stands for the one value that a text speaks of, "{name}" for one of
// several. A text that counts has a key for each form that its language has: "page.cut.one",
// "page.cut.few" (the plural categories of Unicode CLDR, of whole numbers).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "audit/documents/page_language.h"

namespace coffer::audit {

using Messages = std::map<std::string, std::string, std::less<>>;

// Parsed at the first use; aborts when a built-in catalogue is malformed.
const Messages& MessagesIn(PageLanguage language);

// Aborts for a key that is not there.
const std::string& Say(const Messages& messages, std::string_view key);

// The text for a code of the log (prefix "action." and "record.read"), nothing when there is none.
const std::string* Find(const Messages& messages, std::string_view prefix, std::string_view code);

// `text` with `value` in place of its "{}".
std::string Fill(std::string_view text, std::string_view value);
using NamedValue = std::pair<std::string_view, std::string_view>;  // "{n}" and what it stands for
std::string Fill(std::string_view text, std::initializer_list<NamedValue> values);

// "one", "few", "many" or "other": the form in which the language counts `n` things.
std::string_view PluralForm(PageLanguage language, std::uint64_t n);
// The text of `key`.FORM; its "{n}" is still to be filled.
const std::string& SayCount(PageLanguage language, std::string_view key, std::uint64_t n);

}  // namespace coffer::audit
