// E-mail addresses as people and programs write them, and the form under which each is found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::crypto {

// Without blanks of any kind at its ends, what is not seen there, and "mailto:". A part of `typed`.
std::string_view BareEmail(std::string_view typed);

// What keeps the bare text from being one address, and where; one line that holds nothing of the
// value but one character: "' ' at character 4 is no part of an e-mail address". nullopt: nothing.
std::optional<std::string> EmailFault(std::string_view typed);

// The local part by NFKC_Casefold, the domain by UTS 46 (non-transitional) as ASCII, without a dot
// at its end. Text that is no address has its folded text (search_form.h). Precondition: UTF-8.
std::string EmailForm(std::string_view typed);

}  // namespace coffer::crypto
