// Until when a request is to be answered: computed from its regime, never typed.
#pragma once

#include <optional>
#include <span>

#include "crypto/result.h"
#include "vault/base/calendar.h"
#include "vault/base/timestamp.h"
#include "vault/base/zone_days.h"
#include "vault/rights/regime.h"

namespace coffer::vault {

// While it is checked who asks.
struct IdentityCheck {
  Timestamp from;
  std::optional<Timestamp> until;  // absent: it goes on
};

struct ClockFacts {
  Timestamp received;
  std::span<const IdentityCheck> checks;  // in their order, none in another
  bool extended = false;
};

struct RequestClock {
  Day last_day = 0;  // on which an answer is in time, in the regime's time zone
  Timestamp due;     // when that day is over
  // False: it is being checked who asks, and the regime counts no time until then.
  bool runs = true;
  std::optional<Timestamp> acknowledge_due;
};

// The day of the event is not counted (Regulation (EEC, Euratom) 1182/71 Art. 3(1)). An extension
// is added to the period, not to its end: one month and two from 31 January end on 30 April, where
// two months from the end of the first would end on the 28th. `days`: of the regime's time zone.
//
// Errors: kUnprocessable "calendar_ends" when the regime's calendar does not reach so far.
// Precondition: the regime has a clock for the kind.
Result<RequestClock> ComputeClock(const Regime& regime, RequestKind kind, const ClockFacts& facts,
                                  const ZoneDays& days);

}  // namespace coffer::vault
