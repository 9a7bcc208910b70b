// What classes and their fields are called in words, beside their names.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

#include "api/cli/client/api_client.h"
#include "api/cli/text/console.h"

namespace coffer::cli {

class ClassTitles {
 public:
  // Asks for the definition of each class, for a reader at a terminal only: programs know names,
  // and each question stands in the log. What the caller may not read has no titles.
  static ClassTitles Read(ApiClient& client, const std::set<std::string>& classes,
                          const Console& console);

  // "contact (Contact details)"; the name alone where there is no title, or it says no more.
  std::string Class(const std::string& name) const;
  std::string Field(const std::string& class_name, const std::string& field) const;
  std::string Fields(const std::string& class_name, const nlohmann::json& fields) const;

 private:
  // Of a field: of "class/field".
  std::map<std::string, std::string, std::less<>> titles_;
};

// The values that the member has in the items of a list.
std::set<std::string> ClassesOf(const nlohmann::json& items, std::string_view member = "class");

}  // namespace coffer::cli
