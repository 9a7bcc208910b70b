// What evidence is wanted about.
#pragma once

#include <optional>
#include <string>

#include "vault/base/timestamp.h"

namespace coffer::vault {

// What the log says of a client, or of a principal, or of a time; one of these at least.
struct EvidenceRequest {
  std::string client, principal;      // the principal's id, or as LogFilter::actor
  std::optional<Timestamp> from, to;  // [from, to)
};

}  // namespace coffer::vault
