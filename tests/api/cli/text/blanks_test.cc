#include "api/cli/text/blanks.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace coffer::cli {

TEST_CASE("blanks of every kind are taken off both ends of a cell, and none from its middle") {
  for (const std::string blank :
       {" ", "\t", "\n", "\r\n", "\v", "\f", "\u0085", "\u00a0", "\u1680", "\u180e", "\u2003",
        "\u2009", "\u200b", "\u2028", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"}) {
    for (const std::string text : {"a", "a b", "Ж", "客户", "a\u00a0b", "😀"}) {
      CAPTURE(blank, text);
      CHECK(TrimBlanks(blank + text) == text);
      CHECK(TrimBlanks(text + blank) == text);
      CHECK(TrimBlanks(blank + " " + text + blank + blank) == text);
    }
    CHECK(TrimBlanks(blank + blank).empty());
  }
  CHECK(TrimBlanks("").empty());
}

TEST_CASE("what is no text is no blank") {
  for (const std::string text : {"\xff", "\xc2", "\xa0", "\xe2\x80", "a\xff"}) {
    CHECK(TrimBlanks(text) == text);
    CHECK(TrimBlanks(" " + text + " ") == text);
  }
}

}  // namespace coffer::cli
