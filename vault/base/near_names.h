// What somebody may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coffer::vault {

// For a value that is none of `known`: "near: a, b", or where nothing is near "known: ...", all of
// a few or the first of many; empty where nothing is known.
std::string Suggest(std::string_view value, std::vector<std::string> known);

}  // namespace coffer::vault
