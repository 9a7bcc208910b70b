#include "api/cli/import_run.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>

#include "tests/cli/fake_server.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

// Takes every row, and keeps what it was sent.
Outcome<HttpReply> TakeAll(const HttpRequest& request) {
  const auto lines = std::ranges::count(request.body, '\n');
  std::string body;
  for (std::int64_t i = 0; i < lines; ++i) body += "{\"outcome\":\"created\"}\n";
  return Reply(200, body);
}

ImportPlan RunPlan(bool with_record_key = false) {
  ImportPlan plan;
  plan.header = {"Id", "Mail"};
  plan.fields = {{"email", 1}};
  if (with_record_key) plan.record_key_column = 1;
  return plan;
}

struct Imported {
  ImportRunResult result;
  std::vector<HttpRequest> requests;
};

Imported Import(const std::string& table, const FakeServer& server, const ImportPlan& plan,
                unsigned jobs = 4, std::size_t batch = 3) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  std::ofstream(path, std::ios::binary) << table;
  auto reader = CsvReader::Open(path, ',');
  REQUIRE(reader);
  const ImportRunOptions options{"contact", jobs, batch, {3, std::chrono::milliseconds(0)}};
  auto result = RunImport(
      **reader, plan, options, [&] { return Outcome<ApiClient>(server.Client()); },
      [](std::uint64_t, std::uint64_t) {});
  return {std::move(result), server.requests()};
}

std::string Rows(int count) {
  std::string table;
  for (int i = 0; i < count; ++i) table += "K" + std::to_string(i) + ",m@example.org\n";
  return table;
}

}  // namespace

TEST_CASE("every row is sent exactly once over all connections") {
  for (const unsigned jobs : {1U, 4U, 16U}) {
    CAPTURE(jobs);
    const Imported imported = Import(Rows(1000), FakeServer(TakeAll), RunPlan(), jobs, 7);
    REQUIRE(imported.result.outcome);
    CHECK(imported.result.rows == 1000);
    CHECK(imported.result.tally.created == 1000);
    std::multiset<std::string> lines;
    for (const HttpRequest& request : imported.requests) {
      CHECK(std::ranges::count(request.body, '\n') <= 7);
      std::size_t start = 0;
      for (std::size_t end; (end = request.body.find('\n', start)) != std::string::npos;
           start = end + 1) {
        lines.insert(request.body.substr(start, end - start));
      }
    }
    CHECK(lines.size() == 1000);
    CHECK(lines.count(R"({"external_ref":"K999","data":{"email":"m@example.org"}})") == 1);
  }
}

TEST_CASE("refused rows stay behind and the others go through") {
  const Imported imported = Import("K1,a\n,b\nK2\nK3,c\n", FakeServer(TakeAll), RunPlan());
  REQUIRE(imported.result.outcome);
  CHECK(imported.result.rows == 4);
  CHECK(imported.result.tally.created == 2);
  REQUIRE(imported.result.tally.refusals.size() == 2);
  CHECK(imported.result.tally.refusals[0].line == 2);
  CHECK(imported.result.tally.refusals[1].line == 3);
}

TEST_CASE("a second row of the same client and record is refused, not left to chance") {
  const Imported imported = Import("K1,a\nK1,b\nK2,a\n", FakeServer(TakeAll), RunPlan());
  CHECK(imported.result.tally.created == 2);
  REQUIRE(imported.result.tally.refusals.size() == 1);
  CHECK(imported.result.tally.refusals[0].line == 2);
  CHECK(imported.result.tally.refusals[0].message.starts_with(
      "names the same client and record as line 1"));
}

TEST_CASE("a record key tells the records of one client apart") {
  const Imported imported = Import("K1,a\nK1,b\nK1,a\n", FakeServer(TakeAll), RunPlan(true));
  CHECK(imported.result.tally.created == 2);
  CHECK(imported.result.tally.refusals.size() == 1);
}

TEST_CASE("a refusal by the server ends the run and tells why") {
  const FakeServer server(InTurn({Reply(403, R"({"code":"permission_denied","title":"no"})")}));
  const Imported imported = Import(Rows(5000), server, RunPlan(), 4, 10);
  REQUIRE_FALSE(imported.result.outcome);
  CHECK(imported.result.outcome.error().exit == Exit::kFailed);
  CHECK(imported.result.tally.created == 0);
  CHECK(imported.requests.size() <= 4);
}

TEST_CASE("a connection that cannot be made ends the run") {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "table.csv") << Rows(1000);
  auto reader = CsvReader::Open(directory / "table.csv", ',');
  const auto result = RunImport(
      **reader, RunPlan(), {"contact", 4, 10, {}},
      []() -> Outcome<ApiClient> { return Failed(Exit::kUnreachable, "gone"); },
      [](std::uint64_t, std::uint64_t) {});
  REQUIRE_FALSE(result.outcome);
  CHECK(result.outcome.error().exit == Exit::kUnreachable);
}

}  // namespace coffer::cli
