#include "audit/text/formula_guard.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

namespace coffer::audit {

TEST_CASE("what a spreadsheet would run starts a formula, numbers and telephones do not") {
  for (const std::string formula : {"=1+1",
                                    "+1+1",
                                    "-2+3",
                                    "@SUM(1)",
                                    "\t=1",
                                    "\r=1",
                                    "\n=1",
                                    " =1",
                                    "|calc",
                                    "＝1",
                                    "+A1",
                                    "-A1",
                                    "+7-495-555",
                                    "+7-495-555-01-20",
                                    "+49/30/5550120",
                                    "-1-1",
                                    "=",
                                    "+",
                                    "-",
                                    "+ 5",
                                    "+7 (495) 555-01-20+1",
                                    "-12.5.1",
                                    "+cmd|' /C calc'!A0"}) {
    CAPTURE(formula);
    CHECK(StartsFormula(formula));
  }
  for (const std::string text : {"", "a", "1", "-12.50", "-12,50", "+5", "-7", "+74955550120",
                                 "+7 495 555 01 20", "+7 (495) 555-01-20", "+7(495)555-01-20",
                                 "+1.202.555.0120", "+44 (0)20 7946 0120", "'x", "a=b", "1+1"}) {
    CAPTURE(text);
    CHECK_FALSE(StartsFormula(text));
  }
}

TEST_CASE("a guard is put on and taken off to the byte, whatever the text") {
  std::mt19937 random(4711);
  const std::string alphabet[] = {"'",      "=", "+", "-", "1", "7", " ",  "\n", "\"", "a", "ж",
                                  "\u00a0", "@", "(", ")", ".", ",", "\t", "[",  "]",  ";"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto length = random() % 8; length > 0; --length) {
      text += alphabet[random() % std::size(alphabet)];
    }
    const std::string cell = NeedsGuard(text) ? "'" + text : text;
    CAPTURE(text, cell);
    REQUIRE((IsGuarded(cell) ? cell.substr(1) : cell) == text);
    REQUIRE_FALSE(StartsFormula(cell));
    // What has no guard is not empty and has no blanks at its ends: nothing that a reader trims.
    REQUIRE_FALSE(cell.empty());
    REQUIRE(cell.find_first_not_of(" \t\n") == 0);
  }
}

}  // namespace coffer::audit
