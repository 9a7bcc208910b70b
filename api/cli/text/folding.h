// Text in lines that are no longer than there is room for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::cli {

// Printable text in lines of so many columns at most, broken behind blanks, which go, and behind
// marks like `-` and `.`; within a word only where it is longer than a line. Nothing else is lost.
// At least one line.
std::vector<std::string> Fold(std::string_view printable, std::size_t columns);

// Columns of the longest part of it that is better not broken.
std::size_t LongestPiece(std::string_view printable);

// Without the fractions of a second of the timestamps in it.
std::string WithoutFractions(std::string text);

}  // namespace coffer::cli
