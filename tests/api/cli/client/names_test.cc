// Names for ids, and tables that fit a terminal.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "api/cli/text/folding.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

const std::string kBertId = "usr_01kdvr4w90jmrnv7e9z0c1ht3n";
const std::string kMailId = "svc_01kdvr4w90jmrnv7e9z0c1ht0h";
const std::string kGoneId = "usr_01kdvr4w90jmrnv7e9z0c1ha0a";
const std::string kNamedClient = "cli_01kdvr4w90jmrnv7e9z0c1ha1b";

bool ShowsName(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

nlohmann::json NamesOfAnswer() {
  return {{kBertId, {{"name", "bert"}}},
          {kMailId, {{"name", "mail"}, {"disabled", true}}},
          {kNamedClient, {{"name", "CRM-17"}}}};
}

NameBook Book() {
  NameBook book;
  book.Take({{"names", NamesOfAnswer()}});
  return book;
}

Table SomeTable() {
  Table table({"HOLD", "BY", "CLIENT", "REASON"});
  table.Add({"hold_01kdvr4w90jmrnv7e9z0c1h111", kBertId, kNamedClient, "a claim of many words"});
  table.Add(
      {"hold_01kdvr4w90jmrnv7e9z0c1h112", kMailId, "cli_01kdvr4w90jmrnv7e9z0cabcde", "東京都"});
  table.Add({"hold_01kdvr4w90jmrnv7e9z0c1h113", kGoneId, "cli_01kdvr4w90jmrnv7e9z1cabcde", ""});
  return table;
}

std::vector<std::string> PrintedLines(const Table& table, std::size_t width, bool terminal,
                                      bool full) {
  TestConsole test;
  *test.console.names = Book();
  test.console.names->full_ids = full;
  test.console.out_is_terminal = terminal;
  test.console.width = width;
  table.Print(test.console);
  std::vector<std::string> lines;
  std::istringstream text(test.Out());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("ids in a text are shown by their names, or with them") {
  const NameBook book = Book();
  CHECK(book.Show(kBertId, false) == "bert");
  CHECK(book.Show(kBertId, true) == kBertId + " (bert)");
  CHECK(book.Show("client " + kNamedClient + ", by " + kMailId, false) ==
        "client CRM-17, by mail, disabled");
  for (const std::string& other : {kGoneId, std::string("usr_"), kBertId + "0", "x" + kBertId,
                                   std::string(), std::string("a_b_c")}) {
    CHECK(book.Show(other, false) == other);
    CHECK(book.Show(other, true) == other);
  }
  CHECK(book.NamesIn("{\"by\":\"" + kMailId + "\"}") ==
        nlohmann::json{{kMailId, {{"name", "mail"}, {"disabled", true}}}});
}

TEST_CASE("where several are called the same, their ids are shown with it") {
  NameBook book;
  book.Take({{"names",
              {{kBertId, {{"name", "desk"}}},
               {kMailId, {{"name", "desk"}, {"disabled", true}}},
               {kGoneId, {{"name", "carla"}}}}}});
  CHECK(book.Show(kBertId, false) == kBertId + " (desk)");
  CHECK(book.Show(kMailId, false) == kMailId + " (desk, disabled)");
  CHECK(book.Show(kGoneId, false) == "carla");
}

TEST_CASE("a terminal of any width that it says shows each row once, from a line of its own on") {
  for (const std::size_t width : {0UZ, 1UZ, 2UZ, 9UZ, 10'000UZ}) {
    for (const bool full : {false, true}) {
      CAPTURE(width, full);
      const auto lines = PrintedLines(SomeTable(), width, true, full);
      CHECK(std::ranges::count_if(lines,
                                  [](const auto& line) { return line.starts_with("hold_"); }) == 3);
      if (width == 0 || width > 1000) CHECK(lines.size() == 4);
    }
  }
}

TEST_CASE("what a server calls an id cannot steer the terminal") {
  TestConsole test;
  test.console.names->Take({{"names", {{kBertId, {{"name", "\x1b[2J"}}}}}});
  Table table({"ID", "BY"});
  table.Add({"x", kBertId});
  table.Print(test.console);
  PrintFields(test.console, {{"by", kBertId}});
  CHECK_FALSE(ShowsName(test.Out(), "\x1b"));
}

TEST_CASE("a table that is piped has ids in full with their names, and is never cut") {
  const auto lines = PrintedLines(SomeTable(), 0, false, false);
  REQUIRE(lines.size() == 4);
  CHECK(ShowsName(lines[1], kBertId + " (bert)"));
  CHECK(ShowsName(lines[2], kMailId + " (mail, disabled)"));
  CHECK(ShowsName(lines[1], kNamedClient + " (CRM-17)"));
  CHECK(ShowsName(lines[3], kGoneId));
  for (const auto& line : lines) CHECK_FALSE(ShowsName(line, "\u2026"));
}

TEST_CASE("on a terminal a table fits, whatever its width, and nothing of it is lost") {
  for (std::size_t width = 31; width < 200; ++width) {
    const auto lines = PrintedLines(SomeTable(), width, true, false);
    std::string text;
    for (const auto& line : lines) {
      CAPTURE(width, line);
      CHECK(Columns(line) <= width);
      text += line + "\n";
    }
    CAPTURE(width, text);
    std::size_t at = 0;
    for (int i = 1; i <= 3; ++i) {
      const auto own = text.find("\nhold_01kdvr4w90jmrnv7e9z0c1h11" + std::to_string(i), at);
      REQUIRE(own != text.npos);
      at = own;
    }
    for (const char* word : {"HOLD", "REASON", "bert", "mail", "CRM-17", "claim", "many", "words",
                             "\u6771\u4eac\u90fd"}) {
      CHECK(ShowsName(text, word));
    }
    CHECK_FALSE(ShowsName(text, kBertId));
  }
  // As wide as it would be: not even ids are shortened.
  for (const auto& line : PrintedLines(SomeTable(), 400, true, false)) {
    CHECK_FALSE(ShowsName(line, "\u2026"));
  }
}

TEST_CASE("a long last column stands below, and timestamps are as long as people need them") {
  Table table({"N", "WHEN", "WHO", "DETAILS"});
  const std::string details = "role:case-worker; a text of so many words that it has no room there";
  table.Add({"7", "2026-11-29T01:23:14.190Z", "somebody with a long name", details});
  const auto lines = PrintedLines(table, 80, true, false);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "N  WHEN                  WHO");
  CHECK(lines[1] == "   DETAILS");
  CHECK(lines[2] == "7  2026-11-29T01:23:14Z  somebody with a long name");
  CHECK(lines[3] == "   " + details);
  const auto piped = PrintedLines(table, 80, false, false);
  REQUIRE(piped.size() == 2);
  CHECK(ShowsName(piped[1], "2026-11-29T01:23:14.190Z  somebody with a long name  " + details));
}

TEST_CASE("a table without rows says so to people, and has no row for programs") {
  const Table table({"A", "B"});
  CHECK(PrintedLines(table, 80, true, false) == std::vector<std::string>{"A  B", "none"});
  CHECK(PrintedLines(table, 80, false, false) == std::vector<std::string>{"A  B"});
}

TEST_CASE(
    "lines are folded at blanks and marks, and within a word only where there is no other way") {
  using Lines = std::vector<std::string>;
  CHECK(Fold("", 8) == Lines{""});
  CHECK(Fold("record.read", 11) == Lines{"record.read"});
  CHECK(Fold("retention.write", 12) == Lines{"retention.", "write"});
  CHECK(Fold("purpose_required", 9) == Lines{"purpose_", "required"});
  CHECK(Fold("2026-11-29T01:23:14Z", 12) == Lines{"2026-11-29T", "01:23:14Z"});
  CHECK(Fold("due 2026-11-29T01:23:14Z now", 15) == Lines{"due 2026-11-29T", "01:23:14Z now"});
  CHECK(Fold("cli_\u2026abcdef", 11) == Lines{"cli_\u2026abcdef"});
  CHECK(Fold("abcdefgh", 3) == Lines{"abc", "def", "gh"});
  CHECK(Fold("\u6771\u4eac\u90fd", 3) == Lines{"\u6771", "\u4eac", "\u90fd"});
  CHECK(Fold("\u6771", 1) == Lines{"\u6771"});
  const std::string text =
      "one, two: three-four_five \u0416\u0437 6.7 e\u0301 2026-11-29T01:23:14Z /a/b";
  for (std::size_t columns = 2; columns < 80; ++columns) {
    std::string joined;
    for (const std::string& line : Fold(text, columns)) {
      CHECK(Columns(line) <= columns);
      joined += line;
    }
    const auto without_blanks = [](std::string some) {
      std::erase(some, ' ');
      return some;
    };
    CHECK(without_blanks(joined) == without_blanks(text));
  }
  CHECK(WithoutFractions("due 2026-11-29T01:23:14.190Z, 1.234Z, 2026-11-29T01:23:14.190") ==
        "due 2026-11-29T01:23:14Z, 1.234Z, 2026-11-29T01:23:14.190");
}

TEST_CASE("JSON on a terminal can be read in any script, and steers nothing") {
  TestConsole test;
  test.console.out_is_terminal = true;
  const nlohmann::json value = {{"basis", "\u0446\u0435\u043b\u044c \u6771 e\u0301"},
                                {"evil", "\x1b[2J\x7f\u202e\u034f\u009b\"\u034f\\"}};
  PrintJson(test.console, value);
  CHECK(ShowsName(test.Out(), "\u0446\u0435\u043b\u044c \u6771 e\u0301"));
  for (const char* treacherous : {"\x1b", "\x7f", "\u202e", "\u034f", "\u009b"}) {
    CHECK_FALSE(ShowsName(test.Out(), treacherous));
  }
  CHECK(nlohmann::json::parse(test.Out()) == value);
}

TEST_CASE("shortened ids are told apart by what is left of them") {
  // These two end alike for eleven digits.
  const auto lines = PrintedLines(SomeTable(), 100, true, false);
  const auto cell = [](const std::string& line) {
    const auto at = line.find("cli_");
    return line.substr(at, line.find(' ', at) - at);
  };
  REQUIRE(lines.size() == 4);
  CHECK(cell(lines[2]) != cell(lines[3]));
  CHECK(ShowsName(cell(lines[2]), "\u2026"));
}

TEST_CASE("ids that were asked for in full are not cut") {
  std::string text;
  for (const auto& line : PrintedLines(SomeTable(), 60, true, true)) text += line + "\n";
  CHECK(ShowsName(text, "hold_01kdvr4w90jmrnv7e9z0c1h111"));
  CHECK(ShowsName(text, kBertId + " (bert)"));
}

TEST_CASE("wide characters take two columns, combining ones none, and none is cut in two") {
  CHECK(Columns("東京") == 4);
  CHECK(Columns("한글") == 4);
  CHECK(Columns("ｆｕｌｌ") == 8);
  CHECK(Columns("e\u0301") == 1);
  CHECK(Columns("😀") == 2);
  CHECK(Columns("Ёж") == 2);
  CHECK(BytesIn("\u6771\u4eac\u90fd", 6) == 9);
  CHECK(BytesIn("\u6771\u4eac\u90fd", 5) == 6);
  CHECK(BytesIn("abc", 2) == 2);
  CHECK(BytesIn("\u6771", 1) == 3);
}

TEST_CASE("each list shows the names that came with it") {
  const auto answer = [](nlohmann::json item) {
    return nlohmann::json{{"items", {std::move(item)}}, {"names", NamesOfAnswer()}}.dump();
  };
  struct Listed {
    std::vector<std::string> command;
    nlohmann::json item;
  };
  const Listed lists[] = {
      {{"assignment", "list", kNamedClient}, {{"principal", kBertId}, {"given_by", kMailId}}},
      {{"assignment", "list", "--of", kMailId, "--purpose", "client-care"},
       {{"client", kNamedClient}, {"principal", kMailId}, {"given_by", kBertId}}},
      {{"lease", "list", kNamedClient}, {{"id", "lease_1"}, {"principal", kBertId}}},
      {{"team", "list"}, {{"id", "team_1"}, {"name", "north"}, {"members", {kBertId}}}},
      {{"service", "list"}, {{"id", kGoneId}, {"owner", kBertId}}},
      {{"token", "list"}, {{"id", "tok_1"}, {"principal", kMailId}, {"state", "active"}}},
      {{"approval", "list"}, {{"id", "apr_1"}, {"requester", kBertId}}},
      {{"emergency", "list"}, {{"id", "emg_1"}, {"principal", kBertId}, {"client", kNamedClient}}},
      {{"hold", "list"}, {{"id", "hold_1"}, {"placed_by", kBertId}, {"client", kNamedClient}}},
      {{"client", "restrictions", kNamedClient}, {{"id", "rst_1"}, {"placed_by", kBertId}}},
      {{"erasure", "list"}, {{"id", "era_1"}, {"client", kNamedClient}}},
      {{"log", "summary", "--by", "actor"}, {{"value", kBertId}, {"count", 1}}},
  };
  for (const Listed& list : lists) {
    CAPTURE(list.command);
    Tool coffer(InTurn({Reply(200, answer(list.item))}));
    const Ran shown = coffer(list.command);
    INFO(shown.err);
    CHECK(shown.exit == 0);
    const bool of_client = !list.item.contains("count") && list.item.contains("client");
    CHECK((ShowsName(shown.out, "bert") || ShowsName(shown.out, "mail") ||
           (of_client && ShowsName(shown.out, "CRM-17"))));
    if (of_client) CHECK(ShowsName(shown.out, "CRM-17"));
    auto with_json = list.command;
    with_json.emplace_back("--json");
    const Ran printed = coffer(with_json);
    CHECK(ShowsName(printed.out, "\"names\""));
    // Where it is said what for, clients are named.
    if (of_client) {
      auto with_purpose = list.command;
      if (std::ranges::find(with_purpose, "--purpose") == with_purpose.end()) {
        with_purpose.insert(with_purpose.end(), {"--purpose", "client-care"});
      }
      Tool asked(InTurn({Reply(200, answer(list.item))}));
      CHECK(asked(with_purpose).exit == 0);
      CHECK(HeaderOf(asked.server.requests().at(0), "Coffer-Purpose") == "client-care");
    }
  }
}

TEST_CASE("the log is shown with names, and as a table of columns for a spreadsheet") {
  const nlohmann::json entry = {{"action", "record.read"},
                                {"actor", kBertId},
                                {"actor_kind", "user"},
                                {"address", "192.0.2.7"},
                                {"auth", "session"},
                                {"client", kNamedClient},
                                {"decision", "allow"},
                                {"log", "vault.example"},
                                {"outcome", "ok"},
                                {"prev", std::string(64, '0')},
                                {"request", "call_01kdvr4w90jmrnv7e9z0c1ha1b"},
                                {"rule", "role:case-worker"},
                                {"seq", 7},
                                {"ts", "2026-01-02T03:04:05.000Z"},
                                {"v", 1}};
  const nlohmann::json page = {{"items", {entry}}, {"size", 8}, {"names", NamesOfAnswer()}};
  Tool coffer(InTurn({Reply(200, page.dump(), {{"content-type", "application/json"}})}));
  const Ran table = coffer({"log", "--actor", "bert"});
  CHECK(ShowsName(table.out, kBertId + " (bert)"));
  CHECK(ShowsName(table.out, kNamedClient + " (CRM-17)"));
  CHECK(HeaderOf(coffer.server.requests()[0], "Accept") == "application/json");
  CHECK(coffer.server.requests()[0].target == "/v1/log/entries?actor=bert&limit=51");
  const Ran csv = coffer({"log", "--csv"});
  CHECK(ShowsName(csv.out, ",\"actor_name\",\"client_ref\"\n"));
  CHECK(csv.out.ends_with(",\"bert\",\"CRM-17\"\n"));
  (void)coffer({"log", "--json"});
  CHECK(HeaderOf(coffer.server.requests()[2], "Accept") == "application/x-ndjson");
}

TEST_CASE("the log of a client is found by its reference, which is in no URL") {
  const std::string found = nlohmann::json{{"items", {{{"client", kNamedClient}}}}}.dump();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"log"}, {"log", "summary"}}) {
    CAPTURE(command);
    auto with = command;
    with.insert(with.end(), {"--client-ref", "CRM-17", "--stated-purpose", "client-care"});
    Tool coffer(InTurn({Reply(200, found), Reply(200, R"({"items":[],"size":1})",
                                                 {{"content-type", "application/json"}})}));
    const Ran ran = coffer(with);
    INFO(ran.err);
    CHECK(ran.exit == 0);
    REQUIRE(coffer.server.requests().size() == 2);
    CHECK(coffer.server.requests()[0].body == R"({"external_ref":"CRM-17"})");
    CHECK(HeaderOf(coffer.server.requests()[0], "Coffer-Purpose") == "client-care");
    CHECK(ShowsName(coffer.server.requests()[1].target, "client=" + kNamedClient));
    // A reference that nobody has is no empty history.
    Tool nobody(InTurn({Reply(200, R"({"items":[]})")}));
    const Ran unknown = nobody(with);
    CHECK(unknown.exit == 1);
    CHECK(ShowsName(unknown.err, "no client has this external reference"));
    // Nor is one looked up for no purpose.
    with.resize(with.size() - 2);
    CHECK(nobody(with).exit == 2);
  }
}

TEST_CASE("tokens are listed with their state, by state and service") {
  const nlohmann::json tokens = {
      {{"id", "tok_1"}, {"state", "active"}, {"expires_in_s", 12 * 86400 + 5}},
      {{"id", "tok_2"}, {"state", "rotated"}, {"replaced_by", "tok_1"}}};
  Tool coffer(
      InTurn({Reply(200, nlohmann::json{{"items", {tokens[0]}}, {"next_cursor", "c"}}.dump()),
              Reply(200, nlohmann::json{{"items", {tokens[1]}}}.dump())}));
  const Ran ran = coffer({"token", "list", "--state", "active", "--service", "crm"});
  CHECK(coffer.server.requests()[0].target == "/v1/tokens?state=active&principal=crm&limit=200");
  CHECK(coffer.server.requests()[1].target ==
        "/v1/tokens?state=active&principal=crm&limit=200&cursor=c");
  CHECK(ShowsName(ran.out, "active, 12 days left"));
  CHECK(ShowsName(ran.out, "rotated; replaced by tok_1"));
  CHECK(coffer({"token", "list", "--state", "lost"}).exit == 2);
}

}  // namespace coffer::cli
