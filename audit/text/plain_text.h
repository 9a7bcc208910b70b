// Which texts may stand on somebody's screen: in one line of a list, a log or a terminal, or as
// lines of their own. One rule for everything that people type and others read.
#pragma once

#include <string>
#include <string_view>

namespace coffer::audit {

// Control characters, line and paragraph separators, marks of direction (Unicode's Bidi_Control),
// characters of no width, fillers and tags.
bool IsUnseen(char32_t c);

// Nothing in it is seen: it is empty, or of white space (Unicode's White_Space) and of unseen
// characters alone. What is not UTF-8 is seen.
bool IsBlank(std::string_view text);

enum class TextForm {
  kOneLine,  // no line breaks, no controls (C0, DEL, C1), nothing that turns or isolates direction
  kLines,    // the same, but tabs and line breaks: U+000A, also after U+000D
};

// UTF-8 that moves no cursor and changes how none of its neighbours are read. The marks U+200E,
// U+200F and U+061C, and joiners, belong to the spelling of languages and may stand in both.
bool IsPlainText(std::string_view text, TextForm form);

// Each unseen character becomes "<U+XXXX>", invalid UTF-8 U+FFFD.
std::string VisibleText(std::string_view text);

}  // namespace coffer::audit
