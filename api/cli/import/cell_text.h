// What a cell looks like: to be told where something in it is wrong, without showing it.
#pragma once

#include <string>
#include <string_view>

namespace coffer::cli {

// "99.99.9999": digits as 9, letters as a and A, other signs of ASCII as they are, line breaks as
// ⏎, what else there is as ?. At most 32 characters.
std::string ShapeOfCell(std::string_view cell);

// Marks that do not show (of width, of direction, soft hyphens) taken off; blanks of any kind as
// spaces, hyphens and dashes of any kind as '-', wide forms as ASCII. Precondition: UTF-8.
std::string PlainSigns(std::string_view text);
// Marks that do not show taken off, and nothing else.
std::string WithoutUnseen(std::string_view text);

// Nothing but what ASCII prints, spaces too: most cells.
bool IsPrintableAscii(std::string_view text);

// Every other character is itself.
inline char LowerAscii(char c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

// "7.49556E+10", "7,49556E+10": what spreadsheets make of long numbers.
bool IsScientific(std::string_view text);

// Equal, capitals or not (full case folding).
bool EqualWithoutCase(std::string_view a, std::string_view b);

}  // namespace coffer::cli
