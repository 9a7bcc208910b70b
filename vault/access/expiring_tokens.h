// Which tokens end soon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// A service's tokens that count now.
struct ServiceTokens {
  PrincipalId service;
  std::string name;
  std::uint64_t tokens = 0;
  Timestamp next, last;  // when the first and when the last of them ends
};

struct TokenExpiry {
  static constexpr std::size_t kMostServices = 1000;
  std::uint64_t within_7_days = 0, within_30_days = 0;  // tokens that end so soon
  std::optional<Timestamp> next;
  std::vector<ServiceTokens> services;  // those first whose last token ends first
};

}  // namespace coffer::vault
