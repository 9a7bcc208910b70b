#include "vault/oversight/breach_clocks.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::int64_t kMsOfHour = std::int64_t{3600} * 1000;

constexpr BreachDuty kDuties[] = {
    {"gdpr", "", "GDPR 33(1)", 72},
    {"ru-152fz", "notice", "152-FZ 21(3.1)(1)", 24},
    {"ru-152fz", "findings", "152-FZ 21(3.1)(2)", 72},
    {"pipl", "", "PIPL 57", std::nullopt},
};

std::optional<Timestamp> DueOf(const BreachDuty& duty, Timestamp aware) {
  if (!duty.hours) return std::nullopt;
  return Timestamp{aware.ms + *duty.hours * kMsOfHour};
}

bool Answers(const BreachNotice& notice, const BreachDuty& duty) {
  return notice.whom == "authority" && notice.regime == duty.regime && notice.stage == duty.stage;
}

ClockState StateOf(const BreachClock& clock, const Breach& breach) {
  if (clock.done) {
    return clock.due && *clock.done > *clock.due ? ClockState::kDoneLate : ClockState::kDone;
  }
  if (breach.closed) return ClockState::kNotNotified;
  if (!clock.due) return ClockState::kAtOnce;
  if (breach.now > *clock.due) return ClockState::kOverdue;
  const std::int64_t third = (clock.due->ms - clock.since.ms) / 3;
  return clock.due->ms - breach.now.ms <= third ? ClockState::kDueSoon : ClockState::kRunning;
}

}  // namespace

std::span<const BreachDuty> BreachDuties() { return kDuties; }

std::string_view Name(ClockState state) {
  switch (state) {
    case ClockState::kRunning:
      return "running";
    case ClockState::kDueSoon:
      return "due-soon";
    case ClockState::kAtOnce:
      return "at-once";
    case ClockState::kOverdue:
      return "overdue";
    case ClockState::kDone:
      return "done";
    case ClockState::kDoneLate:
      return "done-late";
    case ClockState::kNotNotified:
      return "not-notified";
  }
  return "";
}

std::vector<BreachClock> ClocksOf(const Breach& breach) {
  std::vector<BreachClock> clocks;
  for (const BreachDuty& duty : kDuties) {
    if (std::ranges::find(breach.known.regimes, duty.regime) == breach.known.regimes.end()) {
      continue;
    }
    BreachClock clock;
    clock.duty = &duty;
    clock.since = *breach.known.aware;
    clock.due = DueOf(duty, clock.since);
    for (const BreachNotice& notice : breach.notices) {
      if (!Answers(notice, duty)) continue;
      clock.done = std::min(clock.done.value_or(notice.at), notice.at);
    }
    clock.state = StateOf(clock, breach);
    clocks.push_back(clock);
  }
  return clocks;
}

bool IsLate(const BreachNotice& notice, Timestamp aware) {
  return std::ranges::any_of(kDuties, [&](const BreachDuty& duty) {
    const auto due = DueOf(duty, aware);
    return Answers(notice, duty) && due && notice.at > *due;
  });
}

}  // namespace coffer::vault
