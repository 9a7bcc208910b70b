// Days and times as tables write them, by a form that somebody named. Nothing is guessed:
// 03/07/1984 is a day only for who says which number is the month.
//
//   YYYY  four digits     hh  hour, one or two digits     any other sign stands for itself
//   YY    two digits      mm  minute, two digits          (letters are refused)
//   MM    two digits      ss  second, two digits
//   M     one or two      zz  Z, +03:00, +0300 or +03
//   DD    two digits      unix-s, unix-ms, alone: seconds or milliseconds since 1970
//   D     one or two
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::cli {

struct DateContext {
  std::optional<int> two_digit_years_from;  // 1930: YY is a year from 1930 to 2029
  std::string utc_offset;                   // "+03:00" or "Z", of times that say none; may be empty
};

class DateFormat {
 public:
  // What is wrong with `text`, or nothing.
  static std::string Fault(std::string_view text, const DateContext& context);
  // Precondition: Fault() found nothing.
  explicit DateFormat(std::string text) : text_(std::move(text)) {}

 private:
  friend struct DateReading;
  std::string text_;
};

// What a cell was read to, or why not. `value`: YYYY-MM-DD, or RFC 3339.
struct DateResult {
  std::string value;
  std::string reason;  // empty: `value` is good
};

// Each form in turn, the first that fits decides; then ISO 8601, which is always understood.
DateResult ReadDate(std::string_view cell, const std::vector<DateFormat>& formats,
                    const DateContext& context);
DateResult ReadDateTime(std::string_view cell, const std::vector<DateFormat>& formats,
                        const DateContext& context);

// "Z" or "+03:00".
bool IsUtcOffset(std::string_view text);

}  // namespace coffer::cli
