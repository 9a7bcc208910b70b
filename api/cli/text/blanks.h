// Blanks around what people typed into a table.
#pragma once

#include <string_view>

namespace coffer::cli {

// Without the blanks at both ends: Unicode's White_Space, so no-break and ideographic spaces and
// line ends too, and what is blank without being a space (U+180E, U+200B, U+2060, U+FEFF). What is
// not UTF-8 is no blank. Precondition: less than 2 GiB.
std::string_view TrimBlanks(std::string_view text);

}  // namespace coffer::cli
