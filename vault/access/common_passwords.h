// The entries of vault/access/common_passwords.txt, which the build makes part of the program.
#pragma once

#include <span>
#include <string_view>

namespace coffer::vault {

// Sorted by bytes; each at least eight characters of lower-case ASCII.
std::span<const std::string_view> CommonPasswords();

}  // namespace coffer::vault
