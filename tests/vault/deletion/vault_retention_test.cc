// Retention as a whole: the schedule that is in force, what it will do, runs, and the clock.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "audit/documents/act_document.h"
#include "audit/documents/erasure_act.h"
#include "audit/documents/run_report.h"
#include "crypto/encoding.h"
#include "tests/support/sampling.h"
#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kClientPolicy = {
    {"name", "client-1y"}, {"period", "P1Y"}, {"basis", "no reason is left"}};

}  // namespace

TEST_CASE("a schedule is stored in versions, and only where it differs", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->retention().GetRetentionSchedule(vault.As(kAuditor), {})) == "not_found");
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->classes_without_policy == 6);
  const json first = ScheduleOf({Policy("contact-3y", "contact", "relationship_end", "P3Y")});
  const auto stored = vault.Put(first);
  REQUIRE(stored);
  CHECK(stored->version == 1);
  CHECK(json::parse(stored->definition) == first);
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer,
                      {{"action", "retention.write"},
                       {"version", 1},
                       {"detail", "one person alone"},
                       {"payload_hash",
                        crypto::HexEncode(crypto::Sha256(crypto::AsBytes(stored->definition)))}}));
  CHECK(vault.Put(first)->version == 1);
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  const auto second =
      vault.Put(ScheduleOf({Policy("contact-5y", "contact", "relationship_end", "P5Y")}));
  REQUIRE(second);
  CHECK(second->version == 2);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->retention_schedule == 2);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->classes_without_policy == 0);
  vault.Close();
  vault.Open();
  CHECK(vault->retention().GetRetentionSchedule(vault.As(kAuditor), {})->version == 2);
  CHECK(vault->retention().GetRetentionSchedule(vault.As(kAuditor), 1)->definition ==
        stored->definition);
  CHECK(AnswerOf(vault->retention().GetRetentionSchedule(vault.As(kAuditor), 3)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a schedule with faults changes nothing, and only privacy officers write one",
          "[retention]") {
  RetainingVault vault;
  json faulty = ScheduleOf({});
  faulty["policies"].erase(0);
  CHECK(AnswerOf(vault.Put(faulty)) == "retention_invalid");
  CHECK(vault.EntryOf(vault.last).at("rule") == "check:input");
  CHECK(AnswerOf(vault.Put("text")) == "retention_invalid");
  for (const Role role : {kAdministrator, kSecurityOfficer, kAuditor, kCrmService}) {
    CHECK(AnswerOf(vault->retention().PutRetentionSchedule(
              vault.As(role), ScheduleOf({}).dump())) == "permission_denied");
  }
  CHECK(AnswerOf(vault->retention().GetRetentionSchedule(vault.As(kAuditor), {})) == "not_found");
}

TEST_CASE("while a schedule is in force every class has a policy or says why it is kept",
          "[retention]") {
  RetainingVault vault;
  json extra = {
      {"name", "extra"}, {"purposes", {"client-care"}}, {"fields", {{"a", {{"type", "string"}}}}}};
  vault.Keep({Policy("interaction-2y", "interaction", "date_field", "P2Y")});
  const auto refused = vault->classes().PutClass(vault.As(kAdministrator), "extra", extra.dump());
  CHECK(AnswerOf(refused) == "class_invalid");
  CHECK(IssuesOf(refused).at(0).starts_with("/keep is required"));
  extra["keep"] = "a test";
  CHECK(AnswerOf(vault->classes().PutClass(vault.As(kAdministrator), "extra", extra.dump())) ==
        "ok");
  // A schedule whose policy needs the date keeps the class from losing it.
  json interaction = json::parse(
      (*vault->classes().GetClass(vault.As(kAdministrator), "interaction", {}))->definition);
  interaction.erase("retention_date");
  CHECK(IssuesOf(
            vault->classes().PutClass(vault.As(kAdministrator), "interaction", interaction.dump()))
            .at(0)
            .starts_with("/retention_date is required"));
  vault.Close();
  vault.Open();
  CHECK(vault->retention().GetRetentionSchedule(vault.As(kAuditor), {})->version == 1);
}

TEST_CASE("a schedule takes two people, who are two", "[retention]") {
  RetainingVault vault({.two_person = true});
  const json schedule = ScheduleOf({Policy("contact-3y", "contact", "relationship_end", "P3Y")});
  CHECK(AnswerOf(vault.Put(schedule)) == "approval_required");
  const auto ask = [&](const std::string& target, const std::string& content) {
    return vault->approvals().RequestApproval(vault.As(kPrivacyOfficer),
                                              {"retention.write", target, content});
  };
  CHECK(IssuesOf(ask("contact", schedule.dump())).at(0).starts_with("/target"));
  json faulty = schedule;
  faulty["time_zone"] = "Nowhere/Town";
  CHECK(IssuesOf(ask("schedule", faulty.dump())).at(0).starts_with("/content/time_zone"));
  CHECK(IssuesOf(ask("schedule", "")).at(0).starts_with("/content"));
  const auto asked = ask("schedule", schedule.dump(2));
  REQUIRE(asked);
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kPrivacyOfficer), asked->id, true)) ==
        "own_request");
  CHECK(AnswerOf(vault.Put(schedule, asked->id.Text())) == "approval_invalid");
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true)) ==
        "ok");
  json other = schedule;
  other["policies"][0]["period"] = "P4Y";
  CHECK(AnswerOf(vault.Put(other, asked->id.Text())) == "approval_invalid");
  CHECK(AnswerOf(vault.Put(schedule, asked->id.Text())) == "ok");

  vault.Contact(vault.NewEnded("E-1"));
  const auto run = vault.Run();
  REQUIRE(run.erased == 1);
  const auto erasures = vault->erasures().ListErasures(vault.As(kPrivacyOfficer), {});
  REQUIRE(erasures->items.size() == 1);
  const auto document =
      vault->erasure_acts().ReadAct(vault.As(kAuditor), erasures->items[0].id, {});
  REQUIRE(document);
  const auto key = audit::ParseVerifierKey(vault.LogKey());
  const auto report = audit::VerifyAct(*document, {&*key, 1});
  CHECK(report.missing.empty());
  REQUIRE(report.act);
  const auto& people = report.act->destroyed_by;
  REQUIRE(people.size() == 2);
  CHECK(people[0].id == run.asked_by->Text());
  CHECK(people[0].role == audit::DestroyerRole::kRequester);
  CHECK(people[1].id != people[0].id);
  CHECK(people[1].role == audit::DestroyerRole::kApprover);
}

TEST_CASE("a preview says what is due, when the rest will be, and who may see ids", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->retention().PreviewRetention(vault.As(kPrivacyOfficer), {})) ==
        "not_found");
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-2m", "interaction", "creation", "P2M")});
  const ClientId ended = vault.NewEnded("A-1");
  const RecordId due = vault.Contact(ended);
  const ClientId going_on = vault.NewClient("A-2");
  vault.Contact(going_on);
  vault.NewRecord(going_on, "interaction", kRetainedInteraction);

  const auto preview = vault.Preview({.until = {}, .months = 3, .with_ids = true});
  CHECK(preview.schedule == 1);
  CHECK(preview.months == Strings{"2026-01", "2026-02", "2026-03"});
  CHECK(preview.records == 3);
  CHECK(preview.due == 1);
  REQUIRE(preview.counts.size() == 2);
  CHECK(preview.counts[0].policy == "contact-1y");
  CHECK(preview.counts[0].action == "erase");
  CHECK(preview.counts[0].due == 1);
  CHECK(preview.counts[0].not_begun == 1);
  CHECK(preview.counts[1].by_month == std::vector<std::uint64_t>{0, 0, 1});
  REQUIRE(preview.listed.size() == 1);
  CHECK(preview.listed[0].id == due);
  CHECK(preview.listed[0].client == ended);
  CHECK(preview.listed[0].policy == "contact-1y");
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "retention.read"},
                                        {"version", 1},
                                        {"detail", "preview of 3 records, 1 ids"}}));

  CHECK(vault.Preview({.until = Timestamp{vault.clock.Now().ms + kYearMs}, .months = 1}).due == 2);
  CHECK(vault->retention().PreviewRetention(vault.As(kAuditor), {})->due == 1);
  const auto curious = vault.As(kAuditor);
  CHECK(AnswerOf(vault->retention().PreviewRetention(
            curious, {.until = {}, .months = 1, .with_ids = true})) == "permission_denied");
  CHECK(vault.EntryOf(curious).at("rule") == "check:role");
  CHECK(AnswerOf(vault->retention().PreviewRetention(
            vault.As(kPrivacyOfficer), {.until = {}, .months = 601})) == "preview_invalid");
  CHECK(AnswerOf(vault->retention().PreviewRetention(vault.As(kCrmService), {})) ==
        "permission_denied");
  CHECK(vault.Read(ended, due) == "ok");
}

TEST_CASE("a run erases what is due, says so entry by entry, and leaves the rest", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer))) == "no_schedule");
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-2m", "interaction", "date_field", "P2M"),
              Policy("complaint-1y", "complaint", "relationship_end", "P1Y", "review")});
  const auto interaction = [&](const ClientId& client, const std::string& at) {
    json data = kRetainedInteraction;
    data["occurred_at"] = at;
    return vault.NewRecord(client, "interaction", data);
  };
  const ClientId gone = vault.NewEnded("A-1");
  vault.Contact(gone);
  vault.Contact(gone);
  const ClientId kept = vault.NewClient("A-2");
  const RecordId kept_contact = vault.Contact(kept);
  const RecordId old = interaction(kept, "2025-01-01T10:00:00Z");
  const RecordId recent = interaction(kept, "2025-12-31T10:00:00Z");

  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(run.trigger == "demand");
  CHECK(run.schedule == 1);
  CHECK(run.due == 3);
  CHECK(run.erased == 3);
  CHECK(run.for_review == 0);
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer,
                      {{"action", "retention.run"}, {"version", 1}, {"detail", run.id.Text()}}));
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), gone)) == "not_found");
  CHECK(vault.Read(kept, old) == "not_found");
  CHECK(vault.Read(kept, recent) == "ok");
  CHECK(vault.Read(kept, kept_contact) == "ok");

  const auto erasures = vault->erasures().ListErasures(vault.As(kPrivacyOfficer), {});
  REQUIRE(erasures->items.size() == 2);
  const auto& log = vault.WholeLog();
  for (const Erasure& erasure : erasures->items) {
    CHECK(erasure.basis == ErasureBasis::kRetention);
    CHECK(erasure.complete);
    CHECK(log[erasure.seq].action == "retention.erase");
    CHECK(log[erasure.seq].client == erasure.client.Text());
    CHECK(log[erasure.seq].actor == "vault");
    CHECK(log[erasure.seq].detail.starts_with("erasure " + erasure.id.Text() + "; scope "));
  }
  CHECK(erasures->items[1].scope == ErasureScope::kClient);
  CHECK(erasures->items[0].scope == ErasureScope::kRecords);
  const auto records = vault.Entries("record.erase");
  REQUIRE(records.size() == 3);
  CHECK(records[0].detail == "contact-1y of schedule 1");
  CHECK(records[2].detail == "interaction-2m of schedule 1");
  CHECK(records[2].record == old.Text());
  const auto finish = vault.Entries("retention.finish");
  REQUIRE(finish.size() == 1);
  CHECK(finish[0].detail ==
        run.id.Text() + ": due 3, erased 3, restricted 0, for review 0, held 0, failed 0");
  CHECK(vault->monitoring().ReadStatistics(vault.As(kAdministrator))->retention_erased == 3);
  // Nothing is left to do.
  CHECK(vault.Run().due == 0);
  CHECK(vault->retention().ListRetentionRuns(vault.As(kAuditor))->size() == 2);
  CHECK(vault->retention().ListRetentionRuns(vault.As(kAuditor))->at(1).id == run.id);
  CHECK(AnswerOf(vault->retention().StartRetentionRun(vault.As(kAuditor))) == "permission_denied");
  CHECK(AnswerOf(vault->retention().GetRetentionRun(vault.As(kAuditor), RunId::New(kLongAgo))) ==
        "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a run's report is signed, and stored once it was made", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue();
  const auto run = vault.Run();
  const auto read = [&](const DocumentRequest& request) {
    return vault->retention().ReadRunReport(vault.As(kAuditor), run.id, request);
  };
  const auto document = read({});
  REQUIRE(document);
  const auto key = audit::ParseVerifierKey(vault.LogKey());
  REQUIRE(key);
  const auto check = audit::VerifyRunReport(*document, {&*key, 1});
  CHECK(check.ok());
  REQUIRE(check.report);
  CHECK(check.report->run == run.id.Text());
  CHECK(check.report->trigger == audit::RunTrigger::kDemand);
  REQUIRE(check.report->classes.size() == 1);
  CHECK(check.report->classes[0] == audit::RunClass{"contact", 16, 16, 0, 0, 0, 0});
  const auto log = vault.WholeLog();
  CHECK(log[check.report->first_seq].action == "retention.run");
  CHECK(log[check.report->last_seq].action == "retention.finish");
  vault.clock.Advance(kRetentionHourMs);
  CHECK(*read({}) == *document);
  for (const auto language : audit::kPageLanguages) {
    const auto page = read({DocumentForm::kPage, language});
    REQUIRE(page);
    CHECK(page->find(run.id.Text()) != std::string::npos);
  }
  CHECK(AnswerOf(read({DocumentForm::kLogCsv})) == "format_unknown");
}

TEST_CASE("tags and jurisdictions choose the policy, and what is for review is said once",
          "[retention]") {
  RetainingVault vault;
  json french = Policy("contact-fr", "contact", "relationship_end", "P1Y", "review");
  french["jurisdiction"] = "fr";
  json vip = Policy("contact-vip", "contact", "relationship_end", "P50Y");
  vip["tag"] = "vip";
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"), french, vip});
  const ClientId plain = vault.NewEnded("A-1");
  const ClientId in_france = vault.NewEnded("A-2", {"jurisdiction:fr"});
  const ClientId important = vault.NewEnded("A-3", {"jurisdiction:fr", "vip"});
  for (const ClientId& client : {plain, in_france, important}) vault.Contact(client);
  for (int round = 0; round < 2; ++round) {
    const auto run = vault.Run();
    CHECK(run.erased == (round == 0 ? 1 : 0));
    CHECK(run.for_review == 1);
    CHECK(run.due == run.erased + 1);
  }
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), plain)) == "not_found");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), in_france)) == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), important)) == "ok");
  const auto reviews = vault.Entries("retention.review");
  REQUIRE(reviews.size() == 1);
  CHECK(reviews[0].client == in_france.Text());
  CHECK(reviews[0].detail == "contact-fr of schedule 1");
  // Without the tag it is due.
  ClientChange change;
  change.tags = Strings{};
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), important, 1, change));
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 1);
  vault.CheckInvariants();
}

TEST_CASE("what is held or restricted is left by runs, and goes when that is lifted",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const auto held = vault.NewEnded("H-1"), restricted = vault.NewEnded("H-2");
  for (const auto& client : {held, restricted, vault.NewEnded("H-3")}) vault.Contact(client);
  const HoldId hold = vault.Hold(held);
  REQUIRE(
      vault->restrictions().Restrict(vault.As(kPrivacyOfficer), restricted, {{}, "disputed", {}}));
  const auto preview = vault.Preview({.until = {}, .months = 1, .with_ids = true});
  CHECK(preview.due == 3);
  CHECK(preview.held == 2);
  CHECK(preview.counts[0].held == 2);
  for (const auto& record : preview.listed) {
    CHECK(record.held == (record.client == held || record.client == restricted));
  }
  const auto run = vault.Run();
  CHECK(run.due == 3);
  CHECK(run.erased == 1);
  CHECK(run.held == 2);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 2);
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
  vault.Lift(restricted);
  CHECK(vault.Run().erased == 2);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  vault.CheckInvariants();
}

TEST_CASE("a preview tells what holds by class and by tag cover, which a run leaves",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-1y", "interaction", "date_field", "P1Y")});
  const ClientId by_class = vault.NewEnded("P-1"), tagged = vault.NewEnded("P-2", {"claim"}),
                 restricted = vault.NewEnded("P-3");
  for (const auto& client : {by_class, tagged, restricted}) {
    vault.Contact(client);
    vault.Interaction(client);
  }
  HoldRequest of_class, of_tag;
  of_class.client = by_class;
  of_class.class_name = "contact";
  of_tag.tag = "claim";
  for (HoldRequest* terms : {&of_class, &of_tag}) {
    terms->reason = "claim for damages";
    terms->case_number = "K-12";
    terms->review_due = {vault.clock.Now().ms + 24 * kRetentionHourMs};
    REQUIRE(vault->holds().PlaceHold(vault.As(kPrivacyOfficer), *terms));
  }
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), restricted,
                                         {"interaction", "disputed", {}}));
  const auto preview = vault.Preview({.until = {}, .months = 1, .with_ids = true});
  CHECK(preview.due == 6);
  CHECK(preview.held == 4);
  const auto held_of = [&](std::string_view name) {
    return std::ranges::find(preview.counts, name, &RetentionCount::class_name)->held;
  };
  CHECK(held_of("contact") == 2);
  CHECK(held_of("interaction") == 2);
  for (const auto& record : preview.listed) {
    const bool contact = record.class_name == "contact";
    CHECK(record.held == (record.client == tagged || (record.client == by_class && contact) ||
                          (record.client == restricted && !contact)));
  }
  const auto run = vault.Run();
  CHECK(run.erased == 2);
  CHECK(run.held == 4);
  vault.CheckInvariants();
}

TEST_CASE("a class of a client is restricted when all of its records are due", "[retention]") {
  RetainingVault vault;
  const auto policy = [](const std::string& action) {
    return Policy("interaction-1y", "interaction", "date_field", "P1Y", action);
  };
  vault.Keep({policy("restrict")});
  const ClientId all = vault.NewClient("R-1"), some = vault.NewClient("R-2"),
                 held = vault.NewClient("R-3");
  const RecordId record = vault.Interaction(all), other = vault.Interaction(some);
  vault.Interaction(all);
  const RecordId recent = vault.Interaction(some, "2026-01-01T10:00:00Z");
  vault.Interaction(held);
  const RecordId contact = vault.Contact(all);
  const HoldId hold = vault.Hold(held);
  CHECK(vault.Preview().due == 4);
  for (int round = 0; round < 2; ++round) {
    const auto run = vault.Run();
    CHECK(run.due == 4);
    CHECK(run.restricted == 3);
    CHECK(run.for_review == 1);
    CHECK(run.erased == 0);
    CHECK(vault.ClassesOf(run.id) ==
          std::vector<audit::RunClass>{{"interaction", 4, 0, 3, 1, 0, 0}});
    vault.Close();
    vault.Open();
  }
  const auto entries = vault.Entries("retention.restrict");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].actor == "vault");
  CHECK(entries[0].client == all.Text());
  CHECK(entries[0].class_name == "interaction");
  CHECK(entries[0].detail ==
        "interaction-1y of schedule 1; " + vault.Restrictions(all).at(0).id.Text());
  CHECK(vault.Entries("retention.review").size() == 1);
  const auto restrictions = vault.Restrictions(all);
  REQUIRE(restrictions.size() == 1);
  CHECK(restrictions[0].terms.class_name == "interaction");
  CHECK(restrictions[0].terms.basis == "because of interaction-1y (interaction-1y of schedule 1)");
  CHECK(restrictions[0].terms.stops.IncludeAll());
  CHECK(!restrictions[0].placed_by);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAuditor))->restrictions == 2);
  CHECK(vault.Read(all, record) == "restricted");
  CHECK(vault.Read(all, contact) == "ok");
  CHECK(vault.Read(some, other) == "ok");
  CHECK(vault.Read(some, recent) == "ok");

  // What the schedule restricted a later one erases; what people did it does not.
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), some,
                                         {"interaction", "disputed", {}}));
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
  vault.Keep({policy("erase")});
  const auto run = vault.Run();
  CHECK(run.erased == 3);
  CHECK(run.held == 1);
  CHECK(vault.Number("SELECT count(*) FROM records") == 3);
  vault.CheckInvariants();
}

TEST_CASE("an objection to named purposes is no reason to keep data, and restricts nothing else",
          "[retention]") {
  RetainingVault vault;
  const auto keep = [&](const std::string& action) {
    vault.Keep({Policy("interaction-1y", "interaction", "date_field", "P1Y", action)});
  };
  keep("restrict");
  const ClientId client = vault.NewClient("R-1");
  const RecordId record = vault.Interaction(client);
  const auto objection = vault->restrictions().Restrict(vault.As(kPrivacyOfficer), client,
                                                        {{}, "objects", {false, {"marketing"}}});
  REQUIRE(objection);
  const auto partly = vault->restrictions().Restrict(
      vault.As(kPrivacyOfficer), client, {"interaction", "disputed", {true, {"client-care"}}});
  REQUIRE(partly);
  CHECK(vault.Read(client, record) == "ok");
  CHECK(vault.Run().restricted == 1);
  CHECK(vault.Read(client, record) == "restricted");
  CHECK(vault.Restrictions(client).size() == 3);
  keep("erase");
  CHECK(vault.Run().held == 1);
  vault.Lift(client, "interaction");
  CHECK(vault.Restrictions(client).size() == 1);
  CHECK(vault.Run().erased == 1);
  vault.CheckInvariants();
}

TEST_CASE("a restriction that people lifted is not put again by the same schedule", "[retention]") {
  RetainingVault vault;
  const auto keep = [&](const std::string& period) {
    vault.Keep({Policy("interaction-1y", "interaction", "date_field", period, "restrict")});
  };
  keep("P1Y");
  const ClientId client = vault.NewClient("R-1");
  const RecordId record = vault.Interaction(client);
  CHECK(vault.Run().restricted == 1);
  vault.Lift(client, "interaction");
  CHECK(vault.Read(client, record) == "ok");
  for (int round = 0; round < 2; ++round) {
    const auto run = vault.Run();
    CHECK(run.restricted == 0);
    CHECK(run.for_review == 1);
    vault.Close();
    vault.Open();
  }
  CHECK(vault.Restrictions(client).empty());
  CHECK(vault.Entries("retention.restrict").size() == 1);
  keep("P6M");
  CHECK(vault.Run().restricted == 1);
  CHECK(vault.Restrictions(client).at(0).terms.basis ==
        "because of interaction-1y (interaction-1y of schedule 2)");
  // Where people restricted the client there is nothing to add, until they lift that.
  vault.Lift(client, "interaction");
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), client, {{}, "disputed", {}}));
  keep("P7M");
  CHECK(vault.Run().restricted == 1);
  CHECK(vault.Restrictions(client).size() == 1);
  vault.Lift(client);
  CHECK(vault.Run().restricted == 1);
  CHECK(vault.Restrictions(client).at(0).terms.class_name == "interaction");
  // What people add stands beside it.
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), client,
                                         {"interaction", "disputed", {}}));
  CHECK(!vault.Restrictions(client).at(0).placed_by);
  CHECK(vault.Restrictions(client).at(1).placed_by);
  CHECK(vault.Run().restricted == 1);
  CHECK(vault.Restrictions(client).size() == 2);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  vault.CheckInvariants();
}

TEST_CASE("a client without records goes some time after the relationship ended", "[retention]") {
  RetainingVault vault;
  json kept = {{"name", "client-vip"}, {"tag", "vip"}, {"keep", "for the test"}};
  vault.Keep({}, json::array({kClientPolicy, kept}));
  const ClientId gone = vault.NewEnded("E-1"), held = vault.NewEnded("E-2"),
                 restricted = vault.NewEnded("E-3"), vip = vault.NewEnded("E-4", {"vip"}),
                 owner = vault.NewEnded("E-5"), going_on = vault.NewClient("E-6"),
                 changed = vault.NewClient("E-7");
  ClientChange change{"E-8", {}};
  change.relationship_end = Timestamp{vault.clock.Now().ms - 24 * kRetentionHourMs};
  const ClientId recent = vault->clients().CreateClient(vault.As(kCrmService), change, {})->id;
  vault.Contact(owner);
  ClientChange ended;
  ended.relationship_end = kLongAgo;
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), changed, 1, ended));
  const HoldId hold = vault.Hold(held);
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), restricted,
                                         {"contact", "disputed", {}}));

  const auto preview = vault.Preview({.until = {}, .months = 12, .with_ids = true});
  REQUIRE(preview.counts.size() == 3);
  CHECK(preview.counts[0].class_name == "(client)");
  CHECK(preview.counts[0].policy == "client-1y");
  CHECK(preview.counts[0].action == "erase");
  CHECK(preview.counts[0].due == 4);
  CHECK(preview.counts[0].held == 2);
  CHECK(preview.counts[0].by_month.back() == 0);
  CHECK(preview.counts[0].later == 1);
  CHECK(preview.counts[1].policy == "client-vip");
  CHECK(preview.counts[1].kept == 1);
  CHECK(preview.counts[2].policy == "contact-kept");
  REQUIRE(preview.listed.size() == 4);
  const auto listed = std::ranges::find(preview.listed, gone, &RetentionDueRecord::client);
  REQUIRE(listed != preview.listed.end());
  CHECK(!listed->id);
  CHECK(listed->class_name == "(client)");

  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(run.due == 4);
  CHECK(run.erased == 1);
  CHECK(run.held == 2);
  CHECK(run.waiting == 1);
  CHECK(vault.ClassesOf(run.id) == std::vector<audit::RunClass>{{"(client)", 4, 1, 0, 0, 2, 0, 1}});
  for (const auto& client : {held, vip, owner, going_on, changed, recent}) {
    CHECK(vault->clients().GetClient(vault.As(kCrmService), client));
  }
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), gone)) == "not_found");
  const auto erasures = vault->erasures().ListErasures(vault.As(kPrivacyOfficer), {});
  REQUIRE(erasures->items.size() == 1);
  const Erasure& erasure = erasures->items[0];
  CHECK(erasure.client == gone);
  CHECK(erasure.scope == ErasureScope::kClient);
  CHECK(erasure.records == 0);
  CHECK(vault.WholeLog()[erasure.seq].detail ==
        "erasure " + erasure.id.Text() + "; scope client; schedule 1; client-1y");
  const auto document = vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure.id, {});
  REQUIRE(document);
  const auto key = audit::ParseVerifierKey(vault.LogKey());
  const auto report = audit::VerifyAct(*document, {&*key, 1});
  for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
  REQUIRE(report.act);
  REQUIRE(report.act->categories.size() == 1);
  CHECK(report.act->categories[0].class_name == "(client)");
  CHECK(report.act->categories[0].records == 1);
  CHECK(report.act->reason.id == "client-1y");
  CHECK(report.act->reason.legal_basis == "no reason is left");
  CHECK(report.missing.empty());
  // Who asked for the run also put the schedule into force.
  REQUIRE(report.act->destroyed_by.size() == 1);
  CHECK(report.act->destroyed_by[0].id == run.asked_by->Text());
  CHECK(vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure.id,
                                      {DocumentForm::kPage, audit::PageLanguage::kRussian}));

  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
  vault.Lift(restricted, "contact");
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 3);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 4);
  vault.CheckInvariants();
}

TEST_CASE("clients without records are found among many of either kind, and counted once",
          testing::kPlainOnly) {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")},
             json::array({kClientPolicy}));
  const ClientId kept = vault.NewClient("M-1");
  vault.Contact(kept);
  vault.FillWithDue(3);
  FillUnreadable(vault, 5000, [](int i) { return i % 7 == 0 ? 1 : 0; });
  vault.Open();
  CHECK(vault.Preview().due == 5006);
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  for (int i = 0; i < 3; ++i) {
    vault.Close();
    vault.Open();
  }
  const auto ended = vault.Await(run->id);
  CHECK(ended.state == "finished");
  CHECK(vault.ClassesOf(run->id) ==
        std::vector<audit::RunClass>{{"(client)", 4286, 4286, 0, 0, 0, 0},
                                     {"contact", 720, 720, 0, 0, 0, 0}});
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
  CHECK(vault.Number("SELECT count(*) FROM records") == 1);
  CHECK(vault.Number("SELECT count(*) FROM erasures") == 5003);
  vault.CheckRows();
}

TEST_CASE("a client that cannot be erased counts as failed, and keeps no other from going",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-1y", "interaction", "date_field", "P1Y", "review")},
             json::array({kClientPolicy}));
  std::vector<ClientId> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(vault.NewEnded("F-" + std::to_string(i)));
    if (i % 3 != 2) vault.Contact(clients.back());
    if (i % 3 == 1) vault.Interaction(clients.back());
  }
  // One with a record, one of which not even the review can be written down, one without records.
  vault.Close();
  const auto damage = [&](const std::string& name, const std::string& what) {
    vault.Tamper("CREATE TRIGGER " + name + " BEFORE " + what +
                 " BEGIN SELECT RAISE(ABORT, 'damaged'); END");
  };
  damage("first", "DELETE ON clients WHEN old.id = " + std::to_string(clients[3].Row()));
  damage("second",
         "INSERT ON retention_reviews WHEN new.record IN (SELECT id FROM records WHERE "
         "client = " +
             std::to_string(clients[4].Row()) + ")");
  damage("third", "DELETE ON clients WHEN old.id = " + std::to_string(clients[5].Row()));
  vault.Open();
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(vault.ClassesOf(run.id) == std::vector<audit::RunClass>{{"(client)", 3, 2, 0, 0, 0, 1},
                                                                {"contact", 6, 4, 0, 0, 0, 2},
                                                                {"interaction", 3, 0, 0, 2, 0, 1}});
  CHECK(vault.Number("SELECT count(*) FROM clients") == 5);
  CHECK(vault.Number("SELECT count(*) FROM records WHERE client = ?", clients[3].Row()) == 1);
  CHECK(vault.Number("SELECT count(*) FROM records WHERE client = ?", clients[4].Row()) == 2);
  CHECK(vault->clients().GetClient(vault.As(kCrmService), clients[5]));
  vault.CheckInvariants();
  vault.Close();
  for (const char* name : {"first", "second", "third"}) {
    vault.Tamper(std::string("DROP TRIGGER ") + name);
  }
  vault.Open();
  // They were due again.
  const auto again = vault.Run();
  CHECK(again.erased == 3);
  CHECK(again.failed == 0);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 3);
  vault.CheckInvariants();
}

TEST_CASE("what one person makes due by changing a client waits for a week", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const auto client = vault.NewClient("W-1");
  vault.Contact(client);
  ClientChange change;
  change.relationship_end = kLongAgo;
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), client, 1, change));
  CHECK(vault.Run().erased == 0);
  CHECK(vault->retention().PreviewRetention(vault.As(kPrivacyOfficer), {})->due == 1);
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 1);
}

TEST_CASE("without the operator's details a run fails, and says why", "[retention]") {
  RetainingVault vault({.operator_details = {"Example Care Ltd", "", "", "", "Example CRM"}});
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(1);
  const auto run = vault.Run();
  CHECK(run.state == "failed");
  CHECK(run.reason == "operator_incomplete");
  CHECK(run.erased == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 2);
  CHECK(vault.Entries("retention.finish").at(0).outcome == "operator_incomplete");
}

TEST_CASE("looking for what is due reads the index alone", "[retention]") {
  RetainingVault vault;
  const Database database = vault.OpenVaultDatabase();
  auto plan = Statement::Prepare(
      database,
      "EXPLAIN QUERY PLAN SELECT client, class, id, created, updated, retention_day, "
      "coalesce(retention_rule, class_version) FROM records "
      "INDEXED BY records_by_client WHERE client > 5 ORDER BY client");
  REQUIRE(plan);
  auto row = plan->Query();
  REQUIRE(row.Next() == true);
  CHECK(std::string(row.Text(3)) ==
        "SEARCH records USING COVERING INDEX records_by_client (client>?)");
  CHECK(row.Next() == false);
  auto ended = Statement::Prepare(
      database,
      "EXPLAIN QUERY PLAN SELECT id, relationship_end, tags FROM clients INDEXED BY clients_ended "
      "WHERE relationship_end IS NOT NULL AND id > 5 AND id <= 9 ORDER BY id");
  REQUIRE(ended);
  auto step = ended->Query();
  REQUIRE(step.Next() == true);
  CHECK(std::string(step.Text(3)) ==
        "SEARCH clients USING COVERING INDEX clients_ended (id>? AND id<?)");
  CHECK(step.Next() == false);
  // And lists of one client's records need no sorting.
  auto list = Statement::Prepare(database,
                                 "EXPLAIN QUERY PLAN SELECT id FROM records WHERE client = 1 AND "
                                 "class = 'a' AND id > 5 ORDER BY id LIMIT 9");
  REQUIRE(list);
  auto listed = list->Query();
  REQUIRE(listed.Next() == true);
  CHECK(std::string(listed.Text(3)) ==
        "SEARCH records USING COVERING INDEX records_by_client (client=? AND class=? AND id>?)");
  CHECK(listed.Next() == false);
}

}  // namespace coffer::vault
