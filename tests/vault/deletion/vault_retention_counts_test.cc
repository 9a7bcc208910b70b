// What a run's report says of what was due: all of it, once, and "nothing" only where it is so.
#include <catch2/catch_test_macros.hpp>

#include "audit/documents/run_report.h"
#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kWorkingYears = "2014";

audit::RunReport ReportOf(RetainingVault& vault, const RunId& run) {
  const auto document = vault->retention().ReadRunReport(vault.As(kAuditor), run, {});
  REQUIRE(document);
  const auto key = audit::ParseVerifierKey(vault.LogKey());
  REQUIRE(key);
  const auto check = audit::VerifyRunReport(*document, {&*key, 1});
  for (const auto& finding : check.findings) FAIL_CHECK(finding.check << ": " << finding.message);
  REQUIRE(check.report);
  return *check.report;
}

// Of each class: what the preview calls due, and what it cannot tell.
std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> DueIn(
    const RetentionPreview& preview) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> expected;
  for (const RetentionCount& count : preview.counts) {
    auto& of_class = expected[count.class_name];
    of_class.first += count.due;
    of_class.second += count.unknown;
  }
  std::erase_if(expected, [](const auto& of_class) {
    return of_class.second == std::pair<std::uint64_t, std::uint64_t>();
  });
  return expected;
}

// VerifyRunReport has added each class's bins up already.
void CheckAgrees(const audit::RunReport& report, const RetentionPreview& preview, bool failed) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> said;
  for (const audit::RunClass& counts : report.classes) {
    said[counts.class_name] = {counts.due, counts.unknown};
  }
  CHECK(said == DueIn(preview));
  CHECK(report.counted);
  CHECK((report.outcome == audit::RunOutcome::kFailed) == failed);
  CHECK(report.reason.empty() == !failed);
  CHECK(report.nothing_was_due() == (!failed && DueIn(preview).empty()));
}

audit::RunClass TotalOf(const audit::RunReport& report) {
  audit::RunClass total;
  for (const audit::RunClass& counts : report.classes) {
    total.due += counts.due;
    total.erased += counts.erased;
    total.restricted += counts.restricted;
    total.review += counts.review;
    total.held += counts.held;
    total.failed += counts.failed;
    total.waiting += counts.waiting;
    total.unreached += counts.unreached;
    total.unknown += counts.unknown;
  }
  return total;
}

// One client, with interactions and contacts, in each state that keeps something from going.
void FillInEachState(RetainingVault& vault) {
  const auto fill = [&](const ClientId& client) {
    vault.Interaction(client);
    vault.Interaction(client);
    vault.Contact(client);
    return client;
  };
  fill(vault.NewEnded("plain"));
  fill(vault.NewEnded("tagged", {"prospect"}));
  vault.Hold(fill(vault.NewEnded("held")));
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer),
                                         fill(vault.NewEnded("restricted")),
                                         {"interaction", "disputed", {}}));
  const ClientId changed = fill(vault.NewClient("changed"));
  ClientChange change;
  change.relationship_end = kLongAgo;
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), changed, 1, change));
  const ClientId rewritten = fill(vault.NewEnded("rewritten"));
  json data = kRetainedInteraction;
  data["subject"] = "another call";
  REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), rewritten,
                                        vault.Interaction(rewritten), 1, data));
  vault.Interaction(rewritten, "2033-01-01T10:00:00Z");
  fill(vault.NewClient("living"));
  vault.NewEnded("empty");
  const ClientId damaged = fill(vault.NewEnded("damaged"));
  vault.Close();
  vault.Tamper("CREATE TRIGGER damaged BEFORE UPDATE ON clients WHEN old.id = " +
               std::to_string(damaged.Row()) + " BEGIN SELECT RAISE(ABORT, 'damaged'); END");
  vault.Tamper("CREATE TRIGGER broken BEFORE DELETE ON records WHEN old.client = " +
               std::to_string(damaged.Row()) + " BEGIN SELECT RAISE(ABORT, 'damaged'); END");
  vault.Open();
}

void PutCounting(RetainingVault& vault, const std::string& trigger, const std::string& action,
                 const std::string& period) {
  json schedule = ScheduleOf({Policy("interactions", "interaction", trigger, period, action),
                              Policy("contacts", "contact", "relationship_end", period, "erase")});
  schedule["clients_without_records"] = {
      {{"name", "clients"}, {"period", period}, {"basis", "no reason is left"}}};
  if (period.ends_with("WD")) {
    const int year = std::stoi(kWorkingYears);
    schedule["calendar"] = {
        {"first_year", year}, {"last_year", year}, {"weekend", {"saturday", "sunday"}}};
  }
  const auto stored = vault.Put(schedule);
  INFO((stored ? "" : json(IssuesOf(stored)).dump()));
  REQUIRE(stored);
}

RunId BegunBySchedule(RetainingVault& vault, std::uint64_t schedule) {
  const RunId run = RunId::New(vault.clock.Now());
  vault.Tamper(
      "INSERT INTO retention_runs (rid, schedule, state, demanded, started, first_seq, last_seq, "
      "position, counts, reason, report_version) VALUES (?, ?, 0, 0, ?, 1, 1, -1, '{}', '', 2)",
      run.bytes(), schedule, vault.clock.Now().ms);
  return run;
}

}  // namespace

TEST_CASE("of whatever a preview calls due a run's report says what became of it, once",
          "[retention]") {
  for (const std::string trigger : {"relationship_end", "date_field", "creation"}) {
    for (const std::string action : {"erase", "restrict", "review"}) {
      for (const std::string period : {"P1D", "P30Y", "P3WD", "P4000WD"}) {
        CAPTURE(trigger, action, period);
        RetainingVault vault;
        PutCounting(vault, trigger, action, period);
        FillInEachState(vault);
        vault.clock.Advance(47 * kRetentionHourMs);
        const auto preview = vault.Preview();
        const auto run = vault.Run();
        const auto report = ReportOf(vault, run.id);
        CheckAgrees(report, preview, false);
        const auto total = TotalOf(report);
        CHECK(run.due == total.due);
        CHECK(run.waiting == total.waiting);
        CHECK(run.unknown == total.unknown);
        if (period == "P1D") {
          CHECK(total.erased > 0);
          CHECK(total.held > 0);
          CHECK(total.waiting > 0);
          CHECK(total.failed > 0);
        }
        // And again, of what is left.
        const auto left = vault.Preview();
        CheckAgrees(ReportOf(vault, vault.Run().id), left, false);
      }
    }
  }
}

TEST_CASE("a run that fails says why, and how much it did not come to", "[retention]") {
  SECTION("without the operator's details") {
    RetainingVault vault({.operator_details = {"Example Care Ltd", "", "", "", "Example CRM"}});
    PutCounting(vault, "date_field", "erase", "P1D");
    FillInEachState(vault);
    const auto preview = vault.Preview();
    const auto report = ReportOf(vault, vault.Run().id);
    CheckAgrees(report, preview, true);
    CHECK(report.reason == "operator_incomplete");
    CHECK(TotalOf(report).unreached == preview.due);
    CHECK(preview.due > 0);
    CHECK(vault.Entries("retention.finish")
              .at(0)
              .detail.ends_with("not reached " + std::to_string(preview.due)));
  }
  SECTION("when the schedule was changed, of the one that it began by") {
    RetainingVault vault;
    PutCounting(vault, "date_field", "erase", "P1D");
    FillInEachState(vault);
    const auto preview = vault.Preview();
    PutCounting(vault, "date_field", "erase", "P20Y");
    vault.Close();
    const RunId run = BegunBySchedule(vault, 1);
    vault.Open();
    CHECK(vault.Await(run).state == "failed");
    const auto report = ReportOf(vault, run);
    CheckAgrees(report, preview, true);
    CHECK(report.reason == "schedule_changed");
    CHECK(report.schedule_version == 1);
    CHECK(TotalOf(report).unreached == preview.due);
  }
}

TEST_CASE("a time zone that the machine does not have pauses deletion, and is named",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(2);
  vault.Close();
  vault.Tamper(
      "UPDATE retention_schedules SET definition = replace(definition, 'Europe/Berlin', "
      "'US/Nowhere')");
  const RunId begun = BegunBySchedule(vault, 1);
  vault.Open(true);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->unknown_time_zone == "US/Nowhere");
  CHECK(vault->monitoring().ReadStatistics(vault.As(kAdministrator))->time_zone_unknown);
  const auto paused = vault.Entries("retention.paused");
  REQUIRE(paused.size() == 1);
  CHECK(paused[0].outcome == "time_zone_unknown");
  CHECK(paused[0].detail == "US/Nowhere");
  CHECK(std::ranges::any_of(vault.operator_log(), [](const std::string& line) {
    return line.find("no time zone US/Nowhere") != line.npos;
  }));
  // What was under way ends, and its report says that nobody counted.
  const auto run = vault.Await(begun);
  CHECK(run.state == "failed");
  CHECK(run.reason == "time_zone_unknown");
  CHECK(run.detail == "US/Nowhere");
  CHECK(!run.counted);
  const auto report = ReportOf(vault, begun);
  CHECK(report.detail == "US/Nowhere");
  CHECK(!report.counted);
  CHECK(!report.nothing_was_due());
  CHECK(AnswerOf(vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer))) ==
        "time_zone_unknown");
  CHECK(AnswerOf(vault->retention().PreviewRetention(vault.As(kPrivacyOfficer), {})) ==
        "time_zone_unknown");
  CHECK(vault.Number("SELECT count(*) FROM records") == 4);
  // It is there again.
  vault.Close();
  vault.Tamper(
      "UPDATE retention_schedules SET definition = replace(definition, 'US/Nowhere', "
      "'Europe/Berlin')");
  vault.Open(true);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->unknown_time_zone.empty());
  CHECK(vault.Preview().due == 4);
  // Or another schedule is put.
  vault.Close();
  vault.Tamper(
      "UPDATE retention_schedules SET definition = replace(definition, 'Europe/Berlin', "
      "'US/Nowhere')");
  vault.Open(true);
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  CHECK(vault.Run().erased == 4);
  CHECK(vault.Entries("retention.paused").size() == 2);
}

TEST_CASE("a review that is none any more is forgotten, and said again when it is one",
          "[retention]") {
  RetainingVault vault;
  const auto keep = [&](const std::string& period) {
    vault.Keep({Policy("interaction-1y", "interaction", "date_field", period, "review")});
  };
  keep("P1Y");
  const ClientId client = vault.NewClient("R-1");
  const RecordId record = vault.Interaction(client);
  const auto marks = [&] { return vault.Number("SELECT count(*) FROM retention_reviews"); };
  const auto said = [&] { return vault.Entries("retention.review").size(); };
  std::uint64_t version = 1;
  const auto write = [&](const std::string& at) {
    json data = kRetainedInteraction;
    data["occurred_at"] = at;
    REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), client, record, version++, data));
  };
  for (std::size_t round = 1; round <= 2; ++round) {
    for (int repeats = 0; repeats < 2; ++repeats) {
      CHECK(vault.Run().for_review == 1);
      CHECK(marks() == 1);
      CHECK(said() == round);
    }
    // The date moves, and moves back.
    write("2033-01-01T10:00:00Z");
    CHECK(vault.Run().for_review == 0);
    CHECK(marks() == 0);
    write("2024-12-01T10:00:00Z");
  }
  CHECK(vault.Run().for_review == 1);
  CHECK(said() == 3);
  // So does the schedule.
  keep("P30Y");
  CHECK(vault.Run().due == 0);
  CHECK(marks() == 0);
  keep("P1Y");
  CHECK(vault.Run().for_review == 1);
  CHECK(said() == 4);
  // A client that was changed waits, and its marks with it.
  ClientChange change;
  change.tags = Strings{"prospect"};
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), client, 1, change));
  CHECK(vault.Run().waiting == 1);
  CHECK(marks() == 1);
}

TEST_CASE("what people lifted is for review, and said to be", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("interaction-1y", "interaction", "date_field", "P1Y", "restrict")});
  const ClientId client = vault.NewClient("L-1");
  vault.Interaction(client);
  vault.Interaction(client);
  CHECK(vault.Run().restricted == 2);
  vault.Lift(client, "interaction");
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Run().for_review == 2);
    CHECK(vault.Entries("retention.review").size() == 2);
    CHECK(vault.Number("SELECT count(*) FROM retention_reviews") == 2);
  }
}

}  // namespace coffer::vault
