// The clients that somebody has: assigned many at once, and handed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/assignment.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"

namespace coffer::vault {

// A client as people name it: by its id, or by its external reference.
struct ClientName {
  std::optional<ClientId> id;
  std::string external_ref;  // where there is no id
};

inline constexpr std::size_t kMostAssigned = 200;  // in one call

// What became of one of several. Each is done, or refused, for itself.
struct AssignedClient {
  ClientName name;
  std::optional<Assignment> assignment;  // absent: `error` says why
  std::optional<Error> error = {};
};

struct HandOverRequest {
  PrincipalId from, to;
  std::vector<ClientName> clients = {};  // empty: all that `from` has, a portion a call
  PageRequest page = {};                 // of these
};

struct HandedOver {
  std::vector<AssignedClient> clients;
  std::uint64_t skipped = 0;  // that the caller has no part in; they stay where they are
  std::string next_cursor;    // empty: that was the last portion
};

}  // namespace coffer::vault
