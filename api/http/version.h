#pragma once

#include <string_view>

namespace coffer::api {

inline constexpr std::string_view kVersion = COFFER_VERSION;

}  // namespace coffer::api
