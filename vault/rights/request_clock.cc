#include "vault/rights/request_clock.h"

namespace coffer::vault {
namespace {

Period Sum(const Period& a, const Period& b) {
  return {a.years + b.years, a.months + b.months, a.days + b.days, a.working_days + b.working_days};
}

// Without a calendar each day is a working day.
std::optional<Day> EndOf(const Regime& regime, Day event, Period period) {
  if (!regime.calendar) {
    period.days += period.working_days;
    period.working_days = 0;
    return LastDayOf(event, period, nullptr);
  }
  const auto last = LastDayOf(event, period, &*regime.calendar);
  return last && regime.put_off ? regime.calendar->Add(*last - 1, 1) : last;
}

std::unexpected<Error> CalendarEnds(const Regime& regime) {
  return Fail(Code::kUnprocessable, "calendar_ends",
              "the calendar of the regime " + regime.name + " ends on " +
                  FormatDay(regime.calendar->last_day()) +
                  ", before the request's last day: continue it");
}

}  // namespace

Result<RequestClock> ComputeClock(const Regime& regime, RequestKind kind, const ClockFacts& facts,
                                  const ZoneDays& days) {
  const ClockTerms& terms = *regime.For(kind);
  RequestClock clock;
  const Day received = days.DayOf(facts.received);
  Day event = received;
  for (const IdentityCheck& check : facts.checks) {
    if (regime.identity == WhileIdentified::kRuns) break;
    const Day from = days.DayOf(check.from);
    const Day until = check.until ? days.DayOf(*check.until) : from;
    event = regime.identity == WhileIdentified::kRestarts ? until : event + (until - from);
    if (!check.until) clock.runs = false;
  }
  const auto last =
      EndOf(regime, event,
            facts.extended && terms.extension ? Sum(terms.answer, *terms.extension) : terms.answer);
  if (!last) return CalendarEnds(regime);
  clock.last_day = *last;
  clock.due = days.StartOf(*last + 1);
  if (terms.acknowledge) {
    const auto acknowledged = EndOf(regime, received, *terms.acknowledge);
    if (!acknowledged) return CalendarEnds(regime);
    clock.acknowledge_due = days.StartOf(*acknowledged + 1);
  }
  return clock;
}

}  // namespace coffer::vault
