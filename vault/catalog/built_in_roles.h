// The texts of vault/catalog/roles/, as the build embeds them.
#pragma once

#include <string_view>
#include <vector>

namespace coffer::vault {

struct BuiltInRole {
  std::string_view name;
  std::string_view json;
};
const std::vector<BuiltInRole>& BuiltInRoleTexts();

}  // namespace coffer::vault
