// Texts that become part of the program: audit/messages/, by file name.
#pragma once

#include <string_view>

namespace coffer::audit {

// Aborts for a name that is not there.
std::string_view EmbeddedText(std::string_view file);

}  // namespace coffer::audit
