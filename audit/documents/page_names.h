// What people call the things that log and documents name by code. Pages show it with the code
// beside it; nothing of it is signed, and what is not here is shown by its code alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace coffer::audit {

struct PageNames {
  using Titles = std::map<std::string, std::string, std::less<>>;
  Titles classes;                                     // by class
  std::map<std::string, Titles, std::less<>> fields;  // by class, then field
  Titles purposes;                                    // by code

  // Nothing where there is no title.
  std::string_view OfClass(std::string_view name) const;
  std::string_view OfField(std::string_view class_name, std::string_view field) const;
  std::string_view OfPurpose(std::string_view code) const;
};

}  // namespace coffer::audit
