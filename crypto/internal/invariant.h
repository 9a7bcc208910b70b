// The end of a process whose own code broke a rule. Input never gets here.
#pragma once

#include <string_view>

namespace coffer::crypto::internal {

// Aborts unless `holds`. `what` is written to stderr and must name the rule, never a value.
inline void Require(bool holds, std::string_view what);
[[noreturn]] void Die(std::string_view what);

inline void Require(bool holds, std::string_view what) {
  if (!holds) [[unlikely]]
    Die(what);
}

}  // namespace coffer::crypto::internal
