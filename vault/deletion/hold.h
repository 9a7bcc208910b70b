// Holds: what may not be deleted.
#pragma once

#include <optional>
#include <string>

#include "crypto/encoding.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Stops retention, erasure and deletion of what it covers: one client, one class of a client, or
// every client with a tag.
struct HoldRequest {
  std::optional<ClientId> client;
  std::string class_name;  // with a client
  std::string tag;         // without one
  std::string reason;      // 1 to 1000 bytes of text
  std::string case_number;
  Timestamp review_due;
};

struct Hold {
  HoldId id;
  HoldRequest terms;
  Timestamp placed;
  PrincipalId placed_by;
  std::optional<Timestamp> lifted;
  std::optional<PrincipalId> lifted_by;
  crypto::Bytes sealed_text = {};  // as stored: reason and case number, where it is on a client
};

}  // namespace coffer::vault
