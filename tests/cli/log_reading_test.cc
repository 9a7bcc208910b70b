#include "api/cli/log_reading.h"

#include <catch2/catch_test_macros.hpp>

#include "api/cli/log_view.h"
#include "tests/cli/fake_server.h"
#include "tests/cli/public_log.h"
#include "tests/cli/run_tool.h"
#include "tests/cli/test_console.h"

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
  CHECK(server.requests()[0].target == "/v1/log/entries?limit=3");
  CHECK(server.requests()[1].target == "/v1/log/entries?limit=2&cursor=5");
  CHECK(server.requests()[2].target == "/v1/log/entries?limit=2&cursor=2");
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

TEST_CASE("a log is printed in one form") {
  Tool coffer(InTurn({Reply(200, "", {{"coffer-log-size", "0"}})}));
  CHECK(coffer({"log", "--csv", "--json"}).exit == 2);
  CHECK(coffer.server.requests().empty());
  CHECK(coffer({"log", "--csv"}).exit == 0);
}

TEST_CASE("an entry's line shows who did what and escapes what is no entry") {
  const PublicLog log(1);
  const std::string line = EntryLine(log.entries[0]);
  CHECK(line.starts_with("0 "));
  CHECK(line.find("record.read") != std::string::npos);
  CHECK(line.find("svc_1") != std::string::npos);
  CHECK(EntryLine("\x1b[2J") == "not an entry: \\x1b[2J");
}

}  // namespace coffer::cli
