// Hours of the week in a place: "Monday to Friday, 08:00 to 18:00 in Berlin".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/result.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What the clocks on the wall show is what counts, also where they are changed: an hour that is
// left out in spring is in no window, one that comes twice in autumn is in its window both times.
//
// Zones are those of the operating system, read once for each zone and process: new rules count
// after a restart. They are known until the end of 2037 (the library reads no rules past the
// transitions that tzdata lists), after which summer time is not.
class TimeWindow {
 public:
  // `zone`: a name of the IANA database ("Europe/Berlin"). `days`: at least one of "mon", "tue",
  // "wed", "thu", "fri", "sat", "sun", each once. `from` and `to`: "HH:MM"; the minute `from` is in
  // the window, the minute `to` is not; "24:00" is the end of the day. A window with `from` after
  // `to` goes over midnight, and belongs to the day it begins on.
  //
  // Errors: kUnprocessable "time_window_invalid" with issues at /zone, /days, /days/N, /from, /to;
  // kUnavailable "time_zones_unavailable".
  static Result<TimeWindow> Parse(std::string_view zone, std::span<const std::string> days,
                                  std::string_view from, std::string_view to);
  // As it was parsed once: the machine may have lost its zone since.
  static Result<TimeWindow> ParseStored(std::string_view zone, std::span<const std::string> days,
                                        std::string_view from, std::string_view to);

  // nullopt when the zone's data cannot be read: what depends on it is then to be refused.
  std::optional<bool> Contains(audit::Timestamp time) const;

 private:
  static TimeWindow Read(std::string_view zone, std::span<const std::string> days,
                         std::string_view from, std::string_view to, std::vector<Issue>& issues);

  std::string zone_;
  unsigned days_ = 0;  // bit 0: Monday
  int from_ = 0;       // minutes since midnight
  int to_ = 0;
};

}  // namespace coffer::vault
