// Message catalogues: audit/messages/<language>.json, flat objects of key and text that a
// translator can edit. "{}" stands for the one value that a text speaks of.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "audit/evidence_page.h"

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

}  // namespace coffer::audit
