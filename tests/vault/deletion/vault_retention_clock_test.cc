// Retention and the clock: jumps, time that was not seen, and the minute of the day.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

TEST_CASE("a clock that jumps stops retention until two people confirm it", "[retention]") {
  for (const std::int64_t jump : {10 * kYearMs, -10 * kYearMs}) {
    CAPTURE(jump);
    RetainingVault vault({.two_person = true});
    vault.Close();
    vault.Open();  // the time is stored
    const json schedule = ScheduleOf({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
                                      Policy("interaction-5y", "interaction", "creation", "P5Y")});
    const auto approve = [&](const Proposal& proposal) {
      const auto asked = vault->approvals().RequestApproval(vault.As(kPrivacyOfficer), proposal);
      INFO(AnswerOf(asked));
      REQUIRE(asked);
      REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
      return asked->id.Text();
    };
    REQUIRE(vault.Put(schedule, approve({"retention.write", "schedule", schedule.dump()})));
    vault.FillWithDue();
    auto size = vault.LogSize();
    vault.clock.Advance(jump);
    vault.AwaitEntryAfter(size);
    // Set right again: that is a jump as well, and the vault does not guess which one was wrong.
    size = vault.LogSize();
    vault.clock.Advance(-jump);
    vault.AwaitEntryAfter(size);
    CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault->monitoring().ReadStatistics(vault.As(kAdministrator))->waiting_for_clock);
    CHECK(AnswerOf(vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer))) ==
          "clock_unconfirmed");
    const auto jumps = vault.Entries("clock.jump");
    REQUIRE(jumps.size() == 2);
    CHECK(jumps[0].actor == "vault");
    CHECK(jumps[0].detail == (jump > 0 ? "ahead by 315360000 s" : "behind by 315360000 s"));
    vault.Close();
    vault.Open();
    CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault.Number("SELECT count(*) FROM records") == 16);

    auto caller = vault.As(kPrivacyOfficer);
    CHECK(AnswerOf(vault->retention().ConfirmClock(caller)) == "approval_required");
    caller = vault.As(kPrivacyOfficer);
    for (const char* day : {"2026-01-03", "2026-01-01", "2026-02-30", "today"}) {
      const auto asked = vault->approvals().RequestApproval(caller, {"clock.confirm", day, {}});
      CHECK(AnswerOf(asked) == "proposal_invalid");
      CHECK(IssuesOf(asked).at(0).starts_with("/target must be "));
    }
    caller = vault.As(kPrivacyOfficer);
    caller.approval = approve({"clock.confirm", "2026-01-02", {}});
    vault.clock.Advance(24 * kRetentionHourMs);  // no longer today
    CHECK(AnswerOf(vault->retention().ConfirmClock(caller)) == "approval_invalid");
    caller = vault.As(kPrivacyOfficer);
    caller.approval = approve({"clock.confirm", "2026-01-03", {}});
    CHECK(AnswerOf(vault->retention().ConfirmClock(caller)) == "ok");
    CHECK(vault.EntryOf(caller).at("detail") == "2026-01-03; " + caller.approval);
    CHECK(!vault->monitoring().ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault.Run().erased == 16);
    CHECK(AnswerOf(vault->retention().ConfirmClock(vault.As(kPrivacyOfficer))) ==
          "ok");  // nothing to confirm
  }
}

TEST_CASE("a vault that was off for longer than the threshold waits as well", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(1);
  vault.Close();
  vault.clock.Advance(47 * kRetentionHourMs);
  vault.Open();
  CHECK(!vault->monitoring().ReadStatus(vault.As(kAuditor))->waiting_for_clock);
  vault.Close();
  vault.clock.Advance(49 * kRetentionHourMs);
  vault.Open();
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->waiting_for_clock);
  CHECK(AnswerOf(vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer))) ==
        "clock_unconfirmed");
  CHECK(AnswerOf(vault->retention().ConfirmClock(vault.As(kPrivacyOfficer))) == "ok");
  CHECK(vault.Run().erased == 2);
}

TEST_CASE("a run that waited for the clock goes by the time that was confirmed, and the schedule",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-5y", "contact", "creation", "P5Y")});
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.Contact(client);
  // Begun while the clock ran ahead, before that was noticed.
  RetainingVault::LetItLook();
  vault.Close();
  vault.Tamper(
      "INSERT INTO retention_runs (rid, schedule, state, demanded, started, first_seq, last_seq, "
      "position, counts, reason) VALUES (zeroblob(16), 1, 1, 0, ?, 1, 1, -1, '{}', '')",
      vault.clock.Now().ms + 10 * kYearMs);
  vault.Open();
  const auto run = vault.Await(RunId{});
  CHECK(run.state == "finished");
  CHECK(run.due == 0);
  CHECK(vault.Read(client, record) == "ok");

  vault.Close();
  vault.clock.Advance(49 * kRetentionHourMs);
  vault.Tamper("UPDATE retention_runs SET state = 0, finished = NULL, position = -1 WHERE rid = ?",
               ByteView(RunId{}.bytes()));
  vault.Open();
  vault.Await(RunId{}, "waiting-for-clock");
  vault.Keep({Policy("contact-6y", "contact", "creation", "P6Y")});
  CHECK(AnswerOf(vault->retention().ConfirmClock(vault.As(kPrivacyOfficer))) == "ok");
  const auto failed = vault.Await(RunId{});
  CHECK(failed.state == "failed");
  CHECK(failed.reason == "schedule_changed");
}

TEST_CASE("a run starts by itself at its minute of the day, once a day", "[retention]") {
  RetainingVault vault({.retention_minute = 210});  // 03:30; the clock begins at 03:04:05
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(1);
  RetainingVault::LetItLook();
  CHECK(vault->retention().ListRetentionRuns(vault.As(kAuditor))->empty());
  vault.clock.Advance(kRetentionHourMs);
  const auto runs = vault.AwaitRuns(1);
  REQUIRE(runs.size() == 1);
  const auto run = vault.Await(runs.front().id);
  CHECK(run.trigger == "scheduled");
  CHECK(!run.asked_by);
  CHECK(run.erased == 2);
  CHECK(vault.Entries("retention.run").at(0).actor == "vault");
  vault.Close();
  vault.Open();
  RetainingVault::LetItLook();
  CHECK(vault->retention().ListRetentionRuns(vault.As(kAuditor))->size() == 1);
  vault.clock.Advance(24 * kRetentionHourMs);
  CHECK(vault.AwaitRuns(2).size() == 2);
}

}  // namespace
}  // namespace coffer::vault
