// One UTF-8 sequence at a time, by Unicode table 3-7: no overlong forms, no surrogates.
#pragma once

#include <cstddef>
#include <string_view>

namespace coffer::audit {

struct Utf8Sequence {
  std::size_t length = 0;  // bytes to step over; an invalid sequence's maximal subpart
  bool valid = false;
  char32_t code_point = 0;  // meaningful when valid
};

// Precondition: `rest` is not empty.
Utf8Sequence NextUtf8(std::string_view rest);

}  // namespace coffer::audit
