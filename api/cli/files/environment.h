// Variables of the environment.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace coffer::cli {

// How they are read; tests give their own.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment ProcessEnvironment();

}  // namespace coffer::cli
