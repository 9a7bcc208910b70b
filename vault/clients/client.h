// A client, as it is shown and changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct ClientInfo {
  ClientId id;
  std::string external_ref;       // empty when none
  std::vector<std::string> tags;  // sorted
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::optional<Timestamp> relationship_end = {};  // from when retention counts
};

struct ClientChange {
  std::optional<std::string> external_ref = {};  // "" removes it
  std::optional<std::vector<std::string>> tags = {};
  std::optional<std::optional<Timestamp>> relationship_end = {};  // nothing inside: it goes on
  // That the external reference may be an erased client's. Otherwise: kConflict "erased_before".
  bool accept_erased = false;
};

}  // namespace coffer::vault
