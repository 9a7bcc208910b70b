#include "api/cli/import/csv_reader.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <optional>

#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

struct Parsed {
  std::vector<CsvRow> rows;
  std::string fault;
  std::uint64_t empty_rows = 0;
};

Parsed Parse(std::string_view text, std::optional<char> delimiter = {}) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  std::ofstream(path, std::ios::binary) << text;
  const auto reader = CsvReader::Open(path, delimiter);
  Parsed parsed;
  if (!reader) parsed.fault = reader.error().message.substr(path.size());
  if (!reader) return parsed;
  for (;;) {
    CsvRow row;
    const auto more = (*reader)->Next(row);
    if (!more) parsed.fault = more.error().message.substr(path.size());
    parsed.empty_rows = (*reader)->empty_rows();
    if (!more || !*more) return parsed;
    parsed.rows.push_back(std::move(row));
  }
}

using Cells = std::vector<std::string>;

}  // namespace

TEST_CASE("what a file says of itself comes before what is said of its kind") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  const auto first = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    auto source = ImportSource::Open(path, {}, "windows-1251");
    REQUIRE(source);
    auto reader = CsvReader::Over(**source, std::nullopt, ';');
    REQUIRE(reader);
    CsvRow row;
    REQUIRE(*(*reader)->Next(row));
    return row.cells;
  };
  CHECK(first("a;\xef,\n") == Cells{"a", "п,"});
  CHECK(first("\xef\xbb\xbf\x61;п,\n") == Cells{"a", "п,"});
  CHECK(first("sep=,\na;,\xef\n") == Cells{"a;", "п"});
}

TEST_CASE("rows end with LF, CRLF or the file") {
  for (const char* text : {"a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "a,b\r\n1,2"}) {
    CAPTURE(text);
    const Parsed parsed = Parse(text);
    CHECK(parsed.fault.empty());
    REQUIRE(parsed.rows.size() == 2);
    CHECK(parsed.rows[0].cells == Cells{"a", "b"});
    CHECK(parsed.rows[1].cells == Cells{"1", "2"});
    CHECK(parsed.rows[1].line == 2);
  }
}

TEST_CASE("quotes enclose commas, line ends and doubled quotes") {
  const Parsed parsed = Parse("a,b\n\"x, y\",\"first\r\nsecond \"\"quoted\"\"\"\nlast,\n");
  REQUIRE(parsed.rows.size() == 3);
  CHECK(parsed.rows[1].cells == Cells{"x, y", "first\r\nsecond \"quoted\""});
  CHECK(parsed.rows[1].line == 2);
  CHECK(parsed.rows[2].cells == Cells{"last", ""});
  CHECK(parsed.rows[2].line == 4);
}

TEST_CASE("cells keep their blanks and bytes") {
  const Parsed parsed = Parse("  a\t,\" b \",Gonçalves,\u00a0,\"\"\n");
  REQUIRE(parsed.rows.size() == 1);
  CHECK(parsed.rows[0].cells == Cells{"  a\t", " b ", "Gonçalves", "\u00a0", ""});
}

TEST_CASE("rows of blanks alone are passed over and counted, and so are no empty lines") {
  const Parsed parsed = Parse("\n,,\na,b,c\n\n,,\n \t,\u00a0,\"\"\n\n1,2,3\n,,,,,\n,,0\n\n");
  REQUIRE(parsed.rows.size() == 3);
  CHECK(parsed.rows[0].line == 3);
  CHECK(parsed.rows[1].line == 8);
  CHECK(parsed.rows[2].cells == Cells{"", "", "0"});
  CHECK(parsed.empty_rows == 4);
}

TEST_CASE("blank cells behind the last column belong to no row") {
  const Parsed parsed = Parse("a,b\n1,2,,\n3,4, ,\u00a0\n5,6,,7\n8\n");
  REQUIRE(parsed.rows.size() == 5);
  CHECK(parsed.rows[1].cells == Cells{"1", "2"});
  CHECK(parsed.rows[2].cells == Cells{"3", "4"});
  CHECK(parsed.rows[3].cells == Cells{"5", "6", "", "7"});
  CHECK(parsed.rows[4].cells == Cells{"8"});
}

TEST_CASE("a first line that names the delimiter is obeyed and skipped") {
  for (const std::string line : {"sep=;", "SEP=;", "\"sep=;\"", "\xef\xbb\xbfsep=;"}) {
    for (const std::string end : {"\n", "\r\n"}) {
      CAPTURE(line, end);
      const Parsed parsed = Parse(line + end + "a;b,c" + end + "1;2" + end);
      REQUIRE(parsed.rows.size() == 2);
      CHECK(parsed.rows[0].cells == Cells{"a", "b,c"});
      CHECK(parsed.rows[0].line == 2);
      CHECK(Parse(line + end + "a;b" + end, ';').rows.size() == 1);
      CHECK(Parse(line + end + "a;b" + end, '\t').fault ==
            " says in its first line that cells are separated by ';', and --delimiter says tab");
    }
  }
  CHECK(Parse("sep=\t\na\tb\n").rows[0].cells == Cells{"a", "b"});
  CHECK(Parse("sep=;").rows.empty());
  // These are columns.
  for (const std::string header : {"sep=", "sep=x", "sep=;;", "Sep=;", "a,sep=;"}) {
    CHECK(Parse(header + "\n1\n").rows.size() == 2);
  }
}

TEST_CASE("a byte order mark belongs to no cell") {
  CHECK(Parse("\xef\xbb\xbf"
              "id,name\n")
            .rows[0]
            .cells == Cells{"id", "name"});
  CHECK(Parse("\xef\xbb\xbf\"id\",name\n").rows[0].cells == Cells{"id", "name"});
}

TEST_CASE("empty lines are skipped and counted") {
  const Parsed parsed = Parse("\n\na,b\n\r\n\n1,2\n\n");
  REQUIRE(parsed.rows.size() == 2);
  CHECK(parsed.rows[0].line == 3);
  CHECK(parsed.rows[1].line == 6);
}

TEST_CASE("other delimiters leave commas alone") {
  CHECK(Parse("a;b,c\n", ';').rows[0].cells == Cells{"a", "b,c"});
  CHECK(Parse("a\tb,c\n", '\t').rows[0].cells == Cells{"a", "b,c"});
}

TEST_CASE("an empty file has no rows") {
  CHECK(Parse("").fault == " is empty");
  CHECK(Parse("\n\r\n").rows.empty());
  CHECK(Parse("\n\r\n").fault.empty());
}

TEST_CASE("broken lines are named and nothing behind them is read") {
  CHECK(Parse("a,b\n1,2\n3,x\"y\n5,6\n").fault.starts_with(", line 3: a quote stands where"));
  CHECK(Parse("a,b\n1,2\n3,x\"y\n5,6\n").rows.size() == 2);
  CHECK(Parse("a,b\n\"1\"x,2\n").fault.starts_with(", line 2: a quote"));
  CHECK(Parse("a,b\n1,\"2\n3,4\n").fault == ", line 2: a quote is never closed");
  CHECK(Parse("a,b\r1,2\r").fault ==
        " has lines that end with a carriage return alone, as those of old Macs do");
  CHECK(Parse("a,b\n1,2\r3,4\n").fault.starts_with(", line 2: a carriage return stands alone"));
}

TEST_CASE("a missing quote does not swallow the memory") {
  std::string text = "a,b\n1,\"";
  for (int i = 0; i < 600'000; ++i) text += "12345678\n";
  CHECK(Parse(text).fault.starts_with(", line 2: this row is longer than 4 MiB"));
}

TEST_CASE("line ends that fall between two reads are one line end") {
  for (const std::size_t padding : {65'529U, 65'530U, 65'531U, 65'532U, 65'533U}) {
    const std::string text = "a," + std::string(padding, 'x') + "\r\n\"1\",2\r\n3,4\r\n";
    CAPTURE(padding);
    const Parsed parsed = Parse(text);
    CHECK(parsed.fault.empty());
    REQUIRE(parsed.rows.size() == 3);
    CHECK(parsed.rows[1].cells == Cells{"1", "2"});
    CHECK(parsed.rows[1].line == 2);
    CHECK(parsed.rows[2].line == 3);
  }
}

TEST_CASE("a file that is not there is wrong use") {
  const auto reader = CsvReader::Open("/nonexistent/table.csv", ',');
  REQUIRE_FALSE(reader);
  CHECK(reader.error().exit == Exit::kUsage);
}

}  // namespace coffer::cli
