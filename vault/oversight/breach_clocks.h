// The clocks of a breach: computed from when somebody was aware of it, and never typed. They run in
// hours, through nights, weekends and holidays, from instant to instant: no calendar and no zone
// have to do with them (GDPR 33(1): 72 hours; 152-FZ 21(3.1): 24 and 72 hours; PIPL 57: at once).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vault/oversight/breach.h"

namespace coffer::vault {

// One duty to tell an authority. Those for whom there is no hour are to be told at once.
struct BreachDuty {
  std::string_view regime, stage, article;
  std::optional<int> hours;
};
std::span<const BreachDuty> BreachDuties();

enum class ClockState : std::uint8_t {
  kRunning,
  kDueSoon,      // the last third of it
  kAtOnce,       // and not done
  kOverdue,      // and not done; not yet at the last instant itself
  kDone,         // in time
  kDoneLate,     // with its reasons
  kNotNotified,  // closed, with its reasons
};
std::string_view Name(ClockState state);

struct BreachClock {
  const BreachDuty* duty = nullptr;
  Timestamp since;
  std::optional<Timestamp> due;   // none: at once
  std::optional<Timestamp> done;  // the first notice that answers it
  ClockState state = ClockState::kRunning;
};

// Of the regimes that it is under, as they stand at `breach.now`. Precondition: known.aware.
std::vector<BreachClock> ClocksOf(const Breach& breach);
// Whether the notice is later than the clock that it answers.
bool IsLate(const BreachNotice& notice, Timestamp aware);

}  // namespace coffer::vault
