#include "api/cli/text/console.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/api/cli/text/test_console.h"

namespace coffer::cli {

TEST_CASE("printable text keeps letters of all alphabets") {
  CHECK(Printable("Luís Gonçalves, Ø 東京 Ω 😀") == "Luís Gonçalves, Ø 東京 Ω 😀");
}

TEST_CASE("a value cannot send commands to the terminal") {
  CHECK(Printable("\x1b[2J") == "\\x1b[2J");
  CHECK(Printable("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(Printable("\xc2\x9b"
                  "31m") == "\\u{9b}31m");  // CSI as one C1 character
  CHECK(Printable("\x7f") == "\\x7f");
  CHECK(Printable("a\rb\nc\td") == "a\\rb\\nc\\td");
  CHECK(Printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("a value cannot turn the reading direction or hide letters") {
  CHECK(Printable("\u202e"
                  "txt") == "\\u{202e}txt");
  CHECK(Printable("\u2066") == "\\u{2066}");
  CHECK(Printable("a\u200bb") == "a\\u{200b}b");
  CHECK(Printable("\u2028") == "\\u{2028}");
  CHECK(Printable("\U000e0041") == "\\u{e0041}");
  CHECK(Printable("\ufeff") == "\\u{feff}");
}

TEST_CASE("bytes that are not UTF-8 are shown as bytes") {
  CHECK(Printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(Printable("\xc3") == "\\xc3");
  CHECK(Printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(Printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
  CHECK(Printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(Printable("\xe2\x82(") == "\\xe2\\x82(");
}

TEST_CASE("messages of several lines stay so and nothing else gets through") {
  CHECK(PrintableLines("a\n\x1b[1mb\r") == "a\n\\x1b[1mb\\r");
}

TEST_CASE("columns count characters, not bytes or combining marks") {
  CHECK(Columns("Köhler") == 6);
  CHECK(Columns("o\u0308") == 1);
  CHECK(Columns("") == 0);
}

TEST_CASE("numbers are grouped by thousands") {
  CHECK(Grouped(0) == "0");
  CHECK(Grouped(999) == "999");
  CHECK(Grouped(1000) == "1,000");
  CHECK(Grouped(1234567) == "1,234,567");
  CHECK(Grouped(18446744073709551615ULL) == "18,446,744,073,709,551,615");
}

TEST_CASE("a table aligns its columns and escapes its cells") {
  TestConsole test;
  Table table({"NAME", "CITY"});
  table.Add({"Köhler", "Stuttgart"});
  table.Add({"\x1b[1m", "Oslo"});
  table.Add({"short"});
  table.Print(test.console);
  CHECK(test.Out() ==
        "NAME     CITY\n"
        "Köhler   Stuttgart\n"
        "\\x1b[1m  Oslo\n"
        "short\n");
}

TEST_CASE("colour is used only where the console has it") {
  TestConsole test;
  PrintHeading(test.console, "Client");
  CHECK(test.Out() == "Client\n");
  test.console.colour = true;
  PrintHeading(test.console, "Client");
  CHECK(test.Out() == "Client\n\x1b[1mClient\x1b[0m\n");
}

TEST_CASE("fields without a value are left out") {
  TestConsole test;
  PrintFields(test.console, {{"id", "cli_1"}, {"revoked", ""}, {"name", "a\nb"}}, "  ");
  CHECK(test.Out() == "  id    cli_1\n  name  a\\nb\n");
}

TEST_CASE("progress is silent where standard error is no terminal") {
  TestConsole test;
  ProgressLine line(test.console);
  line.Show("1 of 2");
  line.Clear();
  CHECK(test.Err().empty());
}

}  // namespace coffer::cli
