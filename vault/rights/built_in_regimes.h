// The texts of vault/rights/regimes/, as the build embeds them.
#pragma once

#include <string_view>
#include <vector>

namespace coffer::vault {

struct BuiltInRegime {
  std::string_view name;
  std::string_view json;
};
const std::vector<BuiltInRegime>& BuiltInRegimeTexts();

}  // namespace coffer::vault
