// What the vault itself writes into the members of entries, whatever its policy is: a search for
// one of these that finds nothing says that it did not happen, not that there is no such word.
#pragma once

#include <span>
#include <string_view>

namespace coffer::vault {

// Of entries that no caller's action is the name of.
std::span<const std::string_view> VaultActions();
// What refuses, without "check:".
std::span<const std::string_view> Checks();
// How calls and the vault's own work can end: the codes of problems among them.
std::span<const std::string_view> Outcomes();

}  // namespace coffer::vault
