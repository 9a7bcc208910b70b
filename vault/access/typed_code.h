// One-time codes as people type them: in capitals, with blanks and dashes of their own or without,
// with an O for a zero. A code means its letters and digits alone. Nothing secret is compared here:
// the time it takes is that of what was typed.
#pragma once

#include <string>
#include <string_view>

namespace coffer::vault {

// "cfe_…" as it was given out, if that is what was typed; else the letters and digits of it.
std::string EnrolmentCodeOf(std::string_view typed);
// The six digits of an app's code, or "…-…-…-…" of a recovery code; else letters and digits.
std::string SecondFactorCodeOf(std::string_view typed);

}  // namespace coffer::vault
