// Entries of the access log, a line each, for people.
#pragma once

#include <string>
#include <string_view>

namespace coffer::cli {

std::string EntryHeading();
// An entry in the columns of EntryHeading(); bytes that are no entry are shown as they are,
// escaped.
std::string EntryLine(std::string_view bytes);

}  // namespace coffer::cli
