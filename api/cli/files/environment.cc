#include "api/cli/files/environment.h"

#include <cstdlib>

namespace coffer::cli {

Environment ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

}  // namespace coffer::cli
