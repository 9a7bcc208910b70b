// What is told in the place of an answer that is being prepared.
#pragma once

#include <string_view>

namespace coffer::vault {

// An answer that is not there yet. Inside the engine it is a conflict: "unavailable" would be the
// store's, and fail whoever shares the commit.
inline constexpr std::string_view kIndexBuilding = "index_building";

}  // namespace coffer::vault
