#include "api/cli/verify/log_reading.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "api/cli/text/log_view.h"
#include "tests/api/cli/client/fake_server.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/text/test_console.h"
#include "tests/api/cli/verify/public_log.h"

namespace coffer::cli {
namespace {

Outcome<HttpReply> Page(const std::vector<std::string>& entries, const std::string& size,
                        const std::string& next, const std::string& request = "call_x") {
  std::string body;
  for (const std::string& entry : entries) body += entry + "\n";
  Headers headers{{"coffer-log-size", size}, {"coffer-request-id", request}};
  if (!next.empty()) headers.emplace_back("coffer-next-cursor", next);
  return Reply(200, body, headers);
}

}  // namespace

TEST_CASE("entries are printed to the byte for programs") {
  const PublicLog log(2);
  const FakeServer server(InTurn({Page({log.entries[1], log.entries[0]}, "2", "")}));
  ApiClient client = server.Client();
  TestConsole test;
  LogReadingOptions options;
  options.form = LogForm::kJson;
  REQUIRE(ShowLog(client, options, test.console));
  CHECK(test.Out() == log.entries[1] + "\n" + log.entries[0] + "\n");
}

TEST_CASE("pages are followed until the limit, also empty ones") {
  const PublicLog log(3);
  const FakeServer server(InTurn({Page({log.entries[2]}, "9", "5"), Page({}, "9", "2"),
                                  Page({log.entries[1], log.entries[0]}, "9", "")}));
  ApiClient client = server.Client();
  TestConsole test;
  LogReadingOptions options;
  options.form = LogForm::kJson;
  options.limit = 3;
  REQUIRE(ShowLog(client, options, test.console));
  CHECK(test.Out() == log.entries[2] + "\n" + log.entries[1] + "\n" + log.entries[0] + "\n");
  REQUIRE(server.requests().size() == 3);
  CHECK(server.requests()[0].target == "/v1/log/entries?limit=4");
  CHECK(server.requests()[1].target == "/v1/log/entries?limit=3&cursor=5");
  CHECK(server.requests()[2].target == "/v1/log/entries?limit=3&cursor=2");
}

TEST_CASE("following shows what is new once, and not its own readings") {
  const PublicLog log(5);
  // Entry n was caused by request call_n; call_1 and call_3 are our own readings.
  const FakeServer server(InTurn({Page({log.entries[0]}, "1", "", "call_1"),
                                  Page({log.entries[1], log.entries[2]}, "3", "", "call_3"),
                                  Failed(Exit::kUnreachable, "restarting"),
                                  Page({log.entries[3], log.entries[4]}, "5", "", "call_5")}));
  ApiClient client = server.Client();
  TestConsole test;
  int looks = 0;
  LogReadingOptions options;
  options.form = LogForm::kJson;
  options.pause = std::chrono::milliseconds(0);
  options.goes_on = [&] { return ++looks <= 3; };
  REQUIRE(FollowLog(client, options, test.console));
  CHECK(test.Out() == log.entries[0] + "\n" + log.entries[2] + "\n" + log.entries[4] + "\n");
  REQUIRE(server.requests().size() == 4);
  CHECK(server.requests()[1].target == "/v1/log/entries?order=asc&limit=1000&cursor=1");
  CHECK(server.requests()[2].target == "/v1/log/entries?order=asc&limit=1000&cursor=3");
}

TEST_CASE("following ends when the server refuses") {
  const FakeServer server(
      InTurn({Page({}, "1", ""), Reply(401, R"({"code":"unauthenticated","title":"no"})")}));
  ApiClient client = server.Client();
  TestConsole test;
  LogReadingOptions options;
  options.pause = std::chrono::milliseconds(0);
  CHECK_FALSE(FollowLog(client, options, test.console));
}

TEST_CASE("a list that the limit cut says so, and so does one of nothing") {
  const PublicLog log(4);
  for (const std::size_t found : {0U, 2U, 3U, 4U}) {
    for (const std::string form : {"", "--json", "--csv"}) {
      CAPTURE(found, form);
      const std::vector<std::string> some(
          log.entries.begin(),
          log.entries.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(found, 4)));
      Tool coffer(InTurn({Page(some, "9", "")}));
      std::vector<std::string> arguments{"log", "--limit", "3"};
      if (!form.empty()) arguments.push_back(form);
      const Ran ran = coffer(arguments);
      CHECK(ran.exit == 0);
      CHECK(coffer.server.requests()[0].target == "/v1/log/entries?limit=4");
      const auto lines = static_cast<std::size_t>(std::ranges::count(ran.out, '\n'));
      const std::size_t heading = form == "--json" || found == 0 ? 0 : 1;
      CHECK(lines == std::min<std::size_t>(found, 3) + heading);
      if (found == 2 || found == 3) {
        CHECK(ran.err.empty());
      } else if (form == "--json") {
        CHECK(ran.err == (found == 0 ? "{\"entries\":0,\"more\":false}\n"
                                     : "{\"entries\":3,\"more\":true}\n"));
      } else {
        CHECK(ran.err.find(found == 0 ? "No entry matches" : "There are more") == 0);
      }
    }
  }
}

TEST_CASE("a search that could find nothing is wrong use, and no answer") {
  for (const std::string code : {"filter_unknown", "filter_invalid"}) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"log", "--action", "record.raed"},
          {"log", "--action", "record.raed", "--json"},
          {"log", "--action", "record.raed", "--csv"},
          {"log", "--action", "record.raed", "--follow"},
          {"log", "summary", "--action", "record.raed"},
          {"log", "summary", "--action", "record.raed", "--json"}}) {
      CAPTURE(code, command);
      Tool coffer(InTurn({Reply(400, R"({"code":")" + code +
                                         R"(","title":"no","errors":[{"pointer":"query:action",)"
                                         R"("message":"near: record.read"}]})")}));
      const Ran ran = coffer(command);
      CHECK(ran.exit == 2);
      CHECK(ran.out.empty());
      CHECK(ran.err.find("near: record.read") != std::string::npos);
    }
  }
}

TEST_CASE("a summary tells entries from requests, records and clients, and nothing from unknown") {
  const std::string counted =
      R"({"size":9,"items":[{"from":"2026-01-02T00:00:00.000Z","value":"svc_1","count":6,)"
      R"("requests":2,"records":3,"clients":1}]})";
  Tool coffer(InTurn({Reply(200, counted), Reply(200, R"({"size":9,"items":[]})"),
                      Reply(200, R"({"size":9,"items":[]})")}));
  const Ran some = coffer({"log", "summary", "--by", "actor"});
  CHECK(some.exit == 0);
  for (const char* word : {"ENTRIES", "REQUESTS", "RECORDS", "CLIENTS", "may be"}) {
    CHECK(some.out.find(word) != std::string::npos);
  }
  const Ran none = coffer({"log", "summary", "--by", "actor"});
  CHECK(none.exit == 0);
  CHECK(none.out.find("No entry matches") == 0);
  CHECK(coffer({"log", "summary", "--json"}).out.find("\"items\": []") != std::string::npos);
}

TEST_CASE("a search for clients that the limit cut says so") {
  for (const bool more : {false, true}) {
    for (const bool as_json : {false, true}) {
      CAPTURE(more, as_json);
      Tool coffer(InTurn({Reply(200, std::string(R"({"items":[{"client":"cli_1"}])") +
                                         (more ? R"(,"next_cursor":"x"})" : "}"))}));
      std::vector<std::string> arguments{"search",    "contact", "last_name", "Doe",
                                         "--purpose", "care",    "--limit",   "1"};
      if (as_json) arguments.emplace_back("--json");
      const Ran ran = coffer(arguments);
      CHECK(ran.exit == 0);
      if (as_json) {
        CHECK(nlohmann::json::parse(ran.out).at("more") == more);
      } else {
        CHECK((ran.out.find("--limit") != std::string::npos) == more);
      }
    }
  }
}

TEST_CASE("a log is printed in one form") {
  Tool coffer(InTurn({Reply(200, "", {{"coffer-log-size", "0"}})}));
  CHECK(coffer({"log", "--csv", "--json"}).exit == 2);
  CHECK(coffer.server.requests().empty());
  CHECK(coffer({"log", "--csv"}).exit == 0);
}

TEST_CASE("an entry's line shows who did what and escapes what is no entry") {
  const PublicLog log(1);
  TestConsole test;
  const std::string line = EntryLine(log.entries[0], test.console);
  CHECK(line.starts_with("0 "));
  CHECK(line.find("record.read") != std::string::npos);
  CHECK(line.find("svc_1") != std::string::npos);
  CHECK(EntryLine("\x1b[2J", test.console) == "not an entry: \\x1b[2J");
}

}  // namespace coffer::cli
