// What the operator is told while the vault runs.
#pragma once

#include <functional>
#include <string_view>

namespace coffer::vault {

enum class Severity { kInfo, kWarning, kError };

using OperatorLog = std::function<void(Severity, std::string_view message)>;

}  // namespace coffer::vault
