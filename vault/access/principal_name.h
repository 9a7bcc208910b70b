// What a principal may be called, when its name stands in the place of its id.
#pragma once

#include <string>
#include <string_view>

namespace coffer::vault {

// An id, something with one in it, or what entries have where the vault itself acts: as a name it
// would be taken for somebody else.
bool LooksLikeId(std::string_view name);

// As logins are stored: in small letters.
std::string LoginForm(std::string_view text);

inline constexpr const char* kLooksLikeId =
    "must not look like an id, and not be vault or genesis, which the log has for its own";

}  // namespace coffer::vault
