// UTF-8 read strictly.
#pragma once

#include <string_view>

namespace coffer::crypto::internal {

// Shortest forms only, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);
// White space (the Unicode property), or a control, format or line separator character, anywhere in
// `text`. Precondition: IsUtf8(text).
bool HasSpaceOrControl(std::string_view text);

}  // namespace coffer::crypto::internal
