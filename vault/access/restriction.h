// Restrictions of processing, and objections.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What a restriction stops: the purposes named (an objection), or all but those named, also such as
// are registered later (a restriction of processing).
struct StoppedPurposes {
  bool all_but = true;
  std::vector<std::string> purposes;  // sorted, once it is stored

  bool Include(std::string_view purpose) const;
  bool IncludeAll() const { return all_but && purposes.empty(); }
};

// Of the client, or of one class of it, nothing is processed for the purposes stopped, but for
// storage and what officers do for the client's own rights (GDPR 18 and 21, 152-FZ 21, PIPL 47).
// Several stand side by side: what one of them stops is stopped.
struct RestrictionRequest {
  std::string class_name;  // empty: the whole client
  std::string basis;       // in words; sealed under the client's key
  StoppedPurposes stops = {};
};

struct Restriction {
  RestrictionId id;
  ClientId client;
  RestrictionRequest terms;
  Timestamp since;
  std::optional<PrincipalId> placed_by;  // absent: the vault, by the retention schedule
};

}  // namespace coffer::vault
