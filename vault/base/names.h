// Which texts are names: of classes, fields, purposes, roles, tags.
#pragma once

#include <string_view>

namespace coffer::vault {

// 1 to 64 of a-z, 0-9 and `joiner`, beginning with a letter.
bool IsName(std::string_view text, char joiner);

// A client's tag: 1 to 64 of a-z, 0-9, '-', '_', ':' and '.'.
bool IsTag(std::string_view text);

// What a user logs in with: 1 to 64 of a-z, 0-9, '.', '_', '-' and '@', beginning with a letter or
// digit.
bool IsLogin(std::string_view text);

// What names a case in another system: 1 to 64 of letters, digits and "-_.:/#".
bool IsTicket(std::string_view text);

}  // namespace coffer::vault
