// Texts of unknown origin for people's eyes: what would move the cursor, turn the writing direction
// or not show at all is shown by its code point.
#pragma once

#include <string>
#include <string_view>

#include "audit/text/plain_text.h"

namespace coffer::audit {

std::string CodePointName(char32_t c);  // "U+202E"

bool IsUtf8(std::string_view text);

// Escaped for HTML text and for attributes in double quotes; each unseen character becomes
// <span class="u">U+XXXX</span>, invalid UTF-8 U+FFFD.
void AppendHtml(std::string_view text, std::string& out);
std::string Html(std::string_view text);

}  // namespace coffer::audit
