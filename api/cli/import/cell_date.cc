#include "api/cli/import/cell_date.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "audit/text/clock.h"
#include "vault/base/calendar.h"

namespace coffer::cli {

namespace {

bool IsDateDigit(char c) { return c >= '0' && c <= '9'; }
bool IsFormLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigitsOnly(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDateDigit);
}

constexpr std::string_view kUnixSeconds = "unix-s";
constexpr std::string_view kUnixMilliseconds = "unix-ms";

struct Moment {
  int year = -1, month = -1, day = -1;
  int hour = 0, minute = 0, second = 0;
  std::string fraction;  // with its point
  std::string zone;      // "Z" or "+03:00"; empty: none was said
  bool has_time = false;
};

// The next symbol of a form: letters that are alike.
std::string_view SymbolAt(std::string_view form) {
  const auto end = form.find_first_not_of(form.front());
  return form.substr(0, IsFormLetter(form.front()) ? std::min(end, form.size()) : 1);
}

bool IsSymbol(std::string_view letters) {
  static constexpr std::string_view kSymbols[] = {"YYYY", "YY", "MM", "M",  "DD",
                                                  "D",    "hh", "mm", "ss", "zz"};
  return std::ranges::find(kSymbols, letters) != std::end(kSymbols);
}

std::string ZoneOf(std::string_view text) {
  if (text == "Z" || text == "z") return "Z";
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return {};
  const std::string_view digits = text.substr(1);
  if (digits.size() == 2 && IsDigitsOnly(digits)) return std::string(text) + ":00";
  if (digits.size() == 4 && IsDigitsOnly(digits)) {
    return std::string(text.substr(0, 3)) + ":" + std::string(text.substr(3));
  }
  if (digits.size() == 5 && digits[2] == ':' && IsDigitsOnly(digits.substr(0, 2)) &&
      IsDigitsOnly(digits.substr(3))) {
    return std::string(text);
  }
  return {};
}

}  // namespace

struct DateReading {
  static const std::string& TextOf(const DateFormat& format) { return format.text_; }
};

namespace {

// Reads `least` to `most` digits off the front of `rest`.
bool TakeDigits(std::string_view& rest, std::size_t least, std::size_t most, int& into) {
  std::size_t count = 0;
  while (count < most && count < rest.size() && IsDateDigit(rest[count])) ++count;
  if (count < least) return false;
  std::from_chars(rest.data(), rest.data() + count, into);
  rest.remove_prefix(count);
  return true;
}

bool TakeZone(std::string_view& rest, Moment& moment) {
  moment.zone = ZoneOf(rest);
  rest = {};
  return !moment.zone.empty();
}

bool TakeSymbol(std::string_view symbol, std::string_view& rest, const DateContext& context,
                Moment& moment) {
  if (symbol == "YYYY") return TakeDigits(rest, 4, 4, moment.year);
  if (symbol == "YY") {
    if (!TakeDigits(rest, 2, 2, moment.year)) return false;
    const int from = context.two_digit_years_from.value_or(0);
    moment.year += from - from % 100;
    if (moment.year < from) moment.year += 100;
    return true;
  }
  if (symbol == "MM") return TakeDigits(rest, 2, 2, moment.month);
  if (symbol == "M") return TakeDigits(rest, 1, 2, moment.month);
  if (symbol == "DD") return TakeDigits(rest, 2, 2, moment.day);
  if (symbol == "D") return TakeDigits(rest, 1, 2, moment.day);
  moment.has_time = true;
  if (symbol == "hh") return TakeDigits(rest, 1, 2, moment.hour);
  if (symbol == "mm") return TakeDigits(rest, 2, 2, moment.minute);
  if (symbol == "ss") return TakeDigits(rest, 2, 2, moment.second);
  return TakeZone(rest, moment);
}

std::optional<Moment> MatchUnix(std::string_view form, std::string_view cell) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  const std::int64_t most = form == kUnixSeconds ? 253'402'300'799 : 253'402'300'799'999;
  if (number < -most || number > most) return std::nullopt;
  const std::string text = audit::FormatTimestamp({form == kUnixSeconds ? number * 1000 : number});
  Moment moment;
  std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &moment.year, &moment.month, &moment.day,
              &moment.hour, &moment.minute, &moment.second);
  moment.fraction = text.substr(19, 4);
  if (moment.fraction == ".000") moment.fraction.clear();
  moment.zone = "Z";
  moment.has_time = true;
  return moment;
}

std::optional<Moment> Match(std::string_view form, std::string_view cell,
                            const DateContext& context) {
  if (form == kUnixSeconds || form == kUnixMilliseconds) return MatchUnix(form, cell);
  Moment moment;
  while (!form.empty()) {
    const std::string_view symbol = SymbolAt(form);
    form.remove_prefix(symbol.size());
    if (IsSymbol(symbol)) {
      if (!TakeSymbol(symbol, cell, context, moment)) return std::nullopt;
    } else {
      if (!cell.starts_with(symbol)) return std::nullopt;
      cell.remove_prefix(symbol.size());
    }
  }
  if (!cell.empty()) return std::nullopt;
  return moment;
}

// YYYY-MM-DD, then 'T' or a space, hh:mm, seconds, a fraction, an offset.
std::optional<Moment> MatchIso(std::string_view cell) {
  const DateContext none;
  auto moment = Match("YYYY-MM-DD", cell.substr(0, 10), none);
  if (!moment || cell.size() == 10) return moment;
  if (cell[10] != 'T' && cell[10] != 't' && cell[10] != ' ') return std::nullopt;
  std::string_view rest = cell.substr(11);
  moment->has_time = true;
  if (!TakeDigits(rest, 2, 2, moment->hour) || !rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  if (!TakeDigits(rest, 2, 2, moment->minute)) return std::nullopt;
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    if (!TakeDigits(rest, 2, 2, moment->second)) return std::nullopt;
    if (rest.starts_with('.')) {
      const auto end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
      if (end < 2) return std::nullopt;
      moment->fraction = rest.substr(0, end);
      rest.remove_prefix(end);
    }
  }
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!rest.empty() && !TakeZone(rest, *moment)) return std::nullopt;
  return moment;
}

std::string DayOf(const Moment& moment) {
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", moment.year, moment.month, moment.day);
  return text;
}

std::string AdviceFor(const std::vector<DateFormat>& formats) {
  return formats.empty()
             ? "is not written YYYY-MM-DD; --date-format COLUMN=FORMAT names another form"
             : "is not written in a form that was named";
}

// Why it fits no form.
std::string ReasonFor(std::string_view cell, const std::vector<DateFormat>& formats) {
  if (IsDigitsOnly(cell) && cell.size() >= 4 && cell.size() <= 6) {
    return "is the serial number that a spreadsheet keeps for a day: format the column as a date "
           "and export it again";
  }
  if (cell.starts_with("--")) return "has no year";
  if (std::ranges::any_of(cell, [](char c) { return IsFormLetter(c) || (c & 0x80) != 0; })) {
    return "has words in it: " + AdviceFor(formats);
  }
  const auto last = cell.find_last_not_of("0123456789");
  if (last != cell.npos && cell.size() - last - 1 == 2 && cell.find(':') == cell.npos &&
      cell.find_first_not_of("0123456789") <= 2) {
    return "has a year of two digits";
  }
  return AdviceFor(formats);
}

std::optional<Moment> ReadMoment(std::string_view cell, const std::vector<DateFormat>& formats,
                                 const DateContext& context, std::string& reason) {
  // Forms that were named come first: who writes 1984-07-03 for the seventh of March said so.
  std::optional<Moment> found;
  for (const DateFormat& format : formats) {
    found = Match(DateReading::TextOf(format), cell, context);
    if (found) break;
  }
  if (!found) found = MatchIso(cell);
  if (!found) {
    reason = ReasonFor(cell, formats);
  } else if (!vault::ParseDay(DayOf(*found))) {
    reason = "is no day of the calendar";
    found.reset();
  }
  return found;
}

}  // namespace

std::string DateFormat::Fault(std::string_view text, const DateContext& context) {
  if (text == kUnixSeconds || text == kUnixMilliseconds) return {};
  std::vector<std::string_view> symbols;
  std::string_view before;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view symbol = SymbolAt(rest);
    rest.remove_prefix(symbol.size());
    const std::string_view open = std::exchange(before, symbol);
    if (!IsFormLetter(symbol.front())) continue;
    if (!IsSymbol(symbol) && symbol != "T") return "\"" + std::string(symbol) + "\" means nothing";
    if (std::ranges::find(symbols, symbol) != symbols.end()) {
      return "\"" + std::string(symbol) + "\" stands twice";
    }
    // Of 111 nobody can say whether it is 1 and 11 or 11 and 1.
    const auto varies = [](std::string_view one) {
      return one == "D" || one == "M" || one == "hh";
    };
    if (varies(open) && varies(symbol)) {
      return "between \"" + std::string(open) + "\" and \"" + std::string(symbol) +
             "\" must stand a sign, for each has one or two digits";
    }
    symbols.push_back(symbol);
    if (symbol == "zz" && !rest.empty()) return "\"zz\" must come last";
  }
  const auto has = [&](std::string_view symbol) {
    return std::ranges::find(symbols, symbol) != symbols.end();
  };
  for (const auto& [one, other] : {std::pair("YYYY", "YY"), {"MM", "M"}, {"DD", "D"}}) {
    if (has(one) && has(other)) {
      return "\"" + std::string(one) + "\" and \"" + other + "\" both stand in it";
    }
  }
  if (has("YY") && !context.two_digit_years_from) {
    return "years of two digits need --two-digit-years FIRST, as in 1930";
  }
  if (!has("YYYY") && !has("YY")) return "it has no year";
  if ((!has("MM") && !has("M")) || (!has("DD") && !has("D"))) return "it has no month or no day";
  return {};
}

DateResult ReadDate(std::string_view cell, const std::vector<DateFormat>& formats,
                    const DateContext& context) {
  DateResult result;
  const auto moment = ReadMoment(cell, formats, context, result.reason);
  if (!moment) return result;
  // A day at midnight is how programs without days write one; any other time says more than a day.
  if (moment->hour != 0 || moment->minute != 0 || moment->second != 0 ||
      moment->fraction.find_first_not_of(".0") != std::string::npos) {
    result.reason = "has a time of day, and the field is a day";
  } else {
    result.value = DayOf(*moment);
  }
  return result;
}

DateResult ReadDateTime(std::string_view cell, const std::vector<DateFormat>& formats,
                        const DateContext& context) {
  DateResult result;
  if (audit::ParseTimestamp(cell, true)) {
    result.value = cell;
    return result;
  }
  const auto moment = ReadMoment(cell, formats, context, result.reason);
  if (!moment) return result;
  if (!moment->has_time) {
    result.reason = "has no time of day";
    return result;
  }
  const std::string& zone = moment->zone.empty() ? context.utc_offset : moment->zone;
  if (zone.empty()) {
    result.reason = "says no offset from UTC: --utc-offset names one for such times";
    return result;
  }
  char time[40];
  std::snprintf(time, sizeof time, "T%02d:%02d:%02d", moment->hour, moment->minute, moment->second);
  result.value = DayOf(*moment) + time + moment->fraction + zone;
  if (!audit::ParseTimestamp(result.value, true)) result = {{}, "is no time of a day"};
  return result;
}

bool IsUtcOffset(std::string_view text) { return !text.empty() && ZoneOf(text) == text; }

}  // namespace coffer::cli
