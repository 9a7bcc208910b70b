#include "audit/entries/entry_csv.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/golden_entry.h"

namespace coffer::audit {
namespace {

std::string Csv(const Entry& entry) {
  std::string line;
  AppendCsv(entry, line);
  return line;
}

// The cell of `detail`, the last but one.
std::string DetailCell(std::string_view detail) {
  Entry entry = GoldenEntry();
  entry.detail = detail;
  const std::string line = Csv(entry);
  CHECK(line.find('\n') == line.size() - 1);
  const auto start = line.find("\"ok\",") + 5;
  return line.substr(start, line.rfind(",\"") - start);
}

TEST_CASE("an entry is one line of quoted cells") {
  CHECK(Csv(GoldenEntry()) ==
        R"("4711","2026-01-02T03:04:05.678Z","06bk4v0c5s3x9t7q2n8h1w6m4e","service","token",)"
        R"("2001:db8::17","record.write","06bk4v0c5s3x9t7q2n8h1w6m4g",)"
        R"("06bk4v0c5s3x9t7q2n8h1w6m4h","contact","name e-mail größe","3","support","allow",)"
        R"("desk/write","ok","a ""quoted"" \ tab<U+0009> and line<U+000A> and bell<U+0007> and )"
        R"(<U+007F> and €","06bk4v0c5s3x9t7q2n8h1w6m4f")"
        "\n");
}

TEST_CASE("the header names as many cells as a line has") {
  const auto cells = [](std::string_view line) {
    std::size_t count = 1;
    for (auto at = line.find("\",\""); at != line.npos; at = line.find("\",\"", at + 2)) ++count;
    return count;
  };
  CHECK(cells(CsvHeader()) == 18);
  CHECK(cells(Csv(GoldenEntry())) == 18);
  CHECK(cells(Csv(Entry{})) == 18);
  CHECK(CsvHeader().ends_with("\"request\"\n"));
}

TEST_CASE("absent members are empty cells") {
  Entry entry;
  entry.actor_kind = ActorKind::kUnknown;
  CHECK(Csv(entry) ==
        R"("0","1970-01-01T00:00:00.000Z","","","","","","","","","","","","deny","","","","")"
        "\n");
}

TEST_CASE("no cell starts a formula") {
  CHECK(DetailCell("=1+1") == R"("'=1+1")");
  CHECK(DetailCell("+1+1") == R"("'+1+1")");
  CHECK(DetailCell("-1+1") == R"("'-1+1")");
  CHECK(DetailCell("@SUM(A1)") == "\"'@SUM(A1)\"");
  CHECK(DetailCell("\t=1") == R"("'<U+0009>=1")");
  CHECK(DetailCell("\r=1") == R"("'<U+000D>=1")");
  CHECK(DetailCell("  =1") == R"("'  =1")");
  CHECK(DetailCell("\uFF1D1") == "\"'\uFF1D1\"");
  CHECK(DetailCell("a=1") == R"("a=1")");
  CHECK(DetailCell(R"(";=cmd|' /C calc'!A0;")") == R"(""";=cmd|' /C calc'!A0;""")");
}

TEST_CASE("what does not show is shown") {
  CHECK(DetailCell("a\u202Eb\u200Bc\u001B[2J\r\n") ==
        R"("a<U+202E>b<U+200B>c<U+001B>[2J<U+000D><U+000A>")");
  CHECK(DetailCell("\xC0\xAF") == "\"\uFFFD\uFFFD\"");
  CHECK(DetailCell("Ж中é") == "\"Ж中é\"");
}

}  // namespace
}  // namespace coffer::audit
