// The schedule that is in force, and what a run of it did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RetentionRun {
  RunId id;
  std::uint64_t schedule = 0;  // version
  std::string state;           // "running", "finished", "waiting-for-clock", "failed"
  std::string trigger;         // "scheduled", "demand"
  std::optional<PrincipalId> asked_by;
  Timestamp started;
  std::optional<Timestamp> finished;
  // Records, and clients without any.
  std::uint64_t due = 0, erased = 0, restricted = 0, for_review = 0, held = 0, failed = 0;
  std::uint64_t waiting = 0;    // due, and made so by one person within the last week
  std::uint64_t unreached = 0;  // due, and the run failed before it came to them
  std::uint64_t unknown = 0;    // not due: the calendar ends before their period does
  bool counted = true;          // false: what the run did not come to could not be counted
  // Of a failure: "schedule_changed", "operator_incomplete", "time_zone_unknown"; and which zone.
  std::string reason, detail;
};

}  // namespace coffer::vault
