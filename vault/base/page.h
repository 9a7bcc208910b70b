// A list, a page at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace coffer::vault {

template <class T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;  // empty at the end
};

struct PageRequest {
  std::size_t limit = 50;  // 1..200
  std::string cursor;      // kInvalidArgument "cursor_invalid" when not one of ours
};

}  // namespace coffer::vault
