// Restrictions of processing, and objections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What a restriction stops. An objection: the purposes named, and those that rest on one of the
// legal bases named (GDPR 21(1)). A restriction of processing: all but the purposes named. By basis
// and by exception also such as are registered later, or rest on it later. Those that rest on it
// when it is placed are named too: that a purpose gets another basis lifts no objection.
struct StoppedPurposes {
  bool all_but = true;
  std::vector<std::string> purposes = {};     // sorted, once it is stored
  std::vector<std::string> legal_bases = {};  // the same; none where all_but

  bool Include(std::string_view purpose, std::string_view legal_basis) const;
  bool IncludeAll() const { return all_but && purposes.empty(); }
  bool IsObjection() const { return !all_but; }
};

// Of the client, or of one class of it, nothing is processed for the purposes stopped, but for
// storage and what officers do for the client's own rights (GDPR 18 and 21, 152-FZ 21, PIPL 47).
// Several stand side by side: what one of them stops is stopped.
struct RestrictionRequest {
  std::string class_name;  // empty: the whole client
  std::string basis;       // in words; sealed under the client's key
  StoppedPurposes stops = {};
};

struct RestrictionLifting {
  Timestamp lifted;
  PrincipalId by;
  std::uint64_t seq = 0;  // of its entry in the log, which has the reason
};

struct Restriction {
  RestrictionId id;
  ClientId client;
  RestrictionRequest terms;
  Timestamp since;
  std::optional<PrincipalId> placed_by;            // absent: the vault, by the retention schedule
  std::optional<RestrictionLifting> lifting = {};  // absent: in force
};

}  // namespace coffer::vault
