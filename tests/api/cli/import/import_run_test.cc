#include "api/cli/import/import_run.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>

#include "api/cli/import/import_result.h"
#include "tests/api/cli/client/fake_server.h"
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

// A required field with a column, an optional one, and a footer.
ImportPlan PlanWithRequired() {
  ImportPlan plan;
  plan.header = {"Id", "Last", "Born"};
  plan.fields.resize(2);
  plan.fields[0].name = "last_name";
  plan.fields[0].column = 1;
  plan.fields[0].rules.field.required = true;
  plan.fields[1].name = "born";
  plan.fields[1].column = 2;
  plan.fields[1].rules.field.type = vault::FieldType::kDate;
  plan.footer = true;
  return plan;
}

ImportRunResult DryRun(const std::string& table, const ImportPlan& plan) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  std::ofstream(path, std::ios::binary) << table;
  auto reader = CsvReader::Open(path, ',');
  REQUIRE(reader);
  ImportRunOptions options{"contact", 1, 3, {}};
  options.dry_run = true;
  return RunImport(
      **reader, plan, options,
      []() -> Outcome<ApiClient> { return Failed(Exit::kUnreachable, "nobody is to be asked"); },
      [](std::uint64_t, std::uint64_t) {});
}

TEST_CASE("a dry run tells rows that only a record of the vault can take from good and bad ones") {
  const std::string table = "1,A,\n2,,\n3,B,zq7\n,C,\n";
  ImportPlan plan = PlanWithRequired();
  ImportRunResult result = DryRun(table, plan);
  CHECK(result.tally.checked == 2);
  CHECK(result.tally.needing_record == 1);
  REQUIRE(result.tally.warnings.size() == 1);
  CHECK(result.tally.warnings[0].line == 2);
  CHECK(result.tally.warnings[0].column == "Last");
  CHECK(result.tally.warnings[0].field == "last_name");
  CHECK(result.tally.refusals.size() == 1);
  CHECK(ExitOf(result) == Exit::kRowsRefused);
  CHECK(ExitOf(DryRun("1,A,\n2,,\n", plan)) == Exit::kFieldsLeftOut);
  CHECK(ExitOf(DryRun("1,A,\n", plan)) == Exit::kOk);

  plan.unfilled_required = {"title"};
  result = DryRun(table, plan);
  CHECK(result.tally.checked == 0);
  CHECK(result.tally.needing_record == 3);

  plan = PlanWithRequired();
  plan.check_required = true;
  result = DryRun(table, plan);
  CHECK(result.tally.checked == 2);
  CHECK(result.tally.refusals.size() == 2);
}

TEST_CASE("of a row that is not taken no field is said to be left out") {
  const std::string reply =
      R"({"outcome":"refused","status":422,"code":"document_invalid","errors":[{"pointer":"/data/last_name","message":"m"}]})"
      "\n{\"outcome\":\"created\"}\n";
  const Imported imported =
      Import("1,A,zq7\n2,B,zq8\n", FakeServer(InTurn({Reply(200, reply)})), PlanWithRequired(), 1);
  REQUIRE(imported.result.outcome);
  CHECK(imported.result.tally.refusals.size() == 1);
  REQUIRE(imported.result.tally.left_out.size() == 1);
  CHECK(imported.result.tally.left_out[0].line == 2);
  const Imported broken =
      Import("1,A,zq7\n", FakeServer(InTurn({Reply(403, R"({"code":"permission_denied"})")})),
             PlanWithRequired(), 1);
  CHECK_FALSE(broken.result.outcome);
  CHECK(broken.result.tally.left_out.empty());
}

TEST_CASE("a footer is a few rows of one cell behind the table, and never the table itself") {
  const ImportPlan plan = PlanWithRequired();
  const std::string footer = "Report\n\"Copyright (c) 2026, Example, Inc.\"\n";
  const ImportRunResult report = DryRun("1,A,\n" + footer, plan);
  CHECK(report.footer.size() == 2);
  CHECK(report.rows == 1);
  CHECK(DryRun("Report\nEnd\n", plan).footer.size() == 2);
  for (const std::string table : {"1;A;\n2;B;\n", "1\tA\t\n", "1|A|\nReport\n"}) {
    CAPTURE(table);
    const ImportRunResult split = DryRun(table, plan);
    CHECK(split.footer.empty());
    CHECK(split.tally.refusals.size() == split.rows);
    CHECK(ExitOf(split) == Exit::kRowsRefused);
  }
  std::string cut = "1,A,\n";
  for (int i = 0; i < 1000; ++i) cut += "x\n";
  const ImportRunResult many = DryRun(cut, plan);
  CHECK(many.footer.empty());
  CHECK(many.tally.refusals.size() == 1000);
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
