#include "audit/text/clock.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>

namespace coffer::audit {
namespace {

constexpr std::int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01
constexpr std::int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999

std::optional<std::int64_t> Parse(std::string_view text, bool lenient = false) {
  const auto ts = ParseTimestamp(text, lenient);
  return ts ? std::optional(ts->ms) : std::nullopt;
}

TEST_CASE("a timestamp is written with milliseconds and Z") {
  CHECK(FormatTimestamp({0}) == "1970-01-01T00:00:00.000Z");
  CHECK(FormatTimestamp({-1}) == "1969-12-31T23:59:59.999Z");
  CHECK(FormatTimestamp({1'767'323'045'000}) == "2026-01-02T03:04:05.000Z");
  CHECK(FormatTimestamp({951'782'400'007}) == "2000-02-29T00:00:00.007Z");
  CHECK(FormatTimestamp({kFirstMs}) == "0000-01-01T00:00:00.000Z");
  CHECK(FormatTimestamp({kLastMs}) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("a clock far off still writes 24 characters") {
  CHECK(FormatTimestamp({INT64_MIN}) == "0000-01-01T00:00:00.000Z");
  CHECK(FormatTimestamp({INT64_MAX}) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("every day's timestamp is read back") {
  for (std::int64_t ms = kFirstMs; ms < kLastMs; ms += 86'400'000 * std::int64_t{97} + 12'345'678) {
    const std::string text = FormatTimestamp({ms});
    REQUIRE(text.size() == 24);
    REQUIRE(Parse(text) == ms);
    REQUIRE(Parse(text, true) == ms);
  }
  CHECK(Parse("9999-12-31T23:59:59.999Z") == kLastMs);
}

TEST_CASE("only the one spelling of a timestamp is read") {
  for (const std::string_view text : {"",
                                      "2026-01-02",
                                      "2026-01-02T03:04:05Z",
                                      "2026-01-02T03:04:05.0Z",
                                      "2026-01-02T03:04:05.0000Z",
                                      "2026-01-02T03:04:05.000",
                                      "2026-01-02T03:04:05.000z",
                                      "2026-01-02t03:04:05.000Z",
                                      "2026-01-02 03:04:05.000Z",
                                      "2026-01-02T03:04:05.000+00:00",
                                      "2026-01-02T03:04:05.000Z ",
                                      " 2026-01-02T03:04:05.000Z",
                                      "2026-02-29T03:04:05.000Z",
                                      "2026-13-02T03:04:05.000Z",
                                      "2026-00-02T03:04:05.000Z",
                                      "2026-01-00T03:04:05.000Z",
                                      "2026-01-32T03:04:05.000Z",
                                      "2026-01-02T24:00:00.000Z",
                                      "2026-01-02T03:60:05.000Z",
                                      "2026-01-02T03:04:60.000Z",
                                      "+026-01-02T03:04:05.000Z",
                                      "2026-01-02T03:04:05,000Z",
                                      "2026-1-002T03:04:05.000Z",
                                      "12026-01-02T03:04:05.00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(Parse(text));
  }
}

TEST_CASE("the lenient reader takes any RFC 3339 date-time") {
  constexpr std::int64_t kTime = 1'767'323'045'000;
  CHECK(Parse("2026-01-02T03:04:05Z", true) == kTime);
  CHECK(Parse("2026-01-02t03:04:05z", true) == kTime);
  CHECK(Parse("2026-01-02T03:04:05.1Z", true) == kTime + 100);
  CHECK(Parse("2026-01-02T03:04:05.123999Z", true) == kTime + 123);
  CHECK(Parse("2026-01-02T04:04:05+01:00", true) == kTime);
  CHECK(Parse("2026-01-01T21:34:05-05:30", true) == kTime);
  CHECK(Parse("2026-01-02T03:04:05-00:00", true) == kTime);
  CHECK(Parse("1990-12-31T23:59:60Z", true) == 662'688'000'000);
  for (const std::string_view text :
       {"2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:61Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05ZZ",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"}) {
    CAPTURE(text);
    CHECK_FALSE(Parse(text, true));
  }
}

TEST_CASE("the system's clock tells a time of this century and does not stand still for long") {
  const Timestamp first = SystemClock().Now();
  CHECK(first.ms > 1'700'000'000'000);
  CHECK(first.ms < 4'102'444'800'000);
  CHECK(SystemClock().Now() >= first);
}

}  // namespace
}  // namespace coffer::audit
