// From which field of its class a record's due date comes: never from another one than the class
// names, and the class names another one only when two people want it.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/sampling.h"
#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kLongPast = "2020-01-01";
constexpr const char* kFarAhead = "2033-01-01";

// The shipped class, as it is stored; `date` is the field that it counts from, empty: none.
json InteractionBy(RetainingVault& vault, const std::string& date) {
  json definition = json::parse(
      (*vault->classes().GetClass(vault.As(kAdministrator), "interaction", {}))->definition);
  definition.erase("retention_date");
  if (!date.empty()) definition["retention_date"] = date;
  return definition;
}

std::string PutInteraction(RetainingVault& vault, const json& definition,
                           const std::string& approval = {}) {
  vault.last = vault.As(kAdministrator);
  vault.last.approval = approval;
  return AnswerOf(vault->classes().PutClass(vault.last, "interaction", definition.dump()));
}

RecordId NewDated(RetainingVault& vault, const ClientId& client, const std::string& occurred,
                  const std::string& follow_up) {
  json data = kRetainedInteraction;
  data["occurred_at"] = occurred + "T10:00:00Z";
  if (!follow_up.empty()) data["follow_up_on"] = follow_up;
  return vault.NewRecord(client, "interaction", data);
}

json ByDate(const std::string& action = "erase") {
  return Policy("interaction-1y", "interaction", "date_field", "P1Y", action);
}

std::string ApprovalFor(RetainingVault& vault, Role asks, const std::string& target,
                        const json& content) {
  const auto asked = vault->approvals().RequestApproval(
      vault.As(asks), {"retention.write", target, content.dump()});
  INFO(AnswerOf(asked));
  REQUIRE(asked);
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
  return asked->id.Text();
}

}  // namespace

TEST_CASE("a class that counts from another field makes nothing due by the old one",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({ByDate()});
  const ClientId client = vault.NewClient("D-1");
  const RecordId stays = NewDated(vault, client, kLongPast, kFarAhead),
                 none = NewDated(vault, client, kLongPast, ""),
                 goes = NewDated(vault, client, kFarAhead, kLongPast);
  CHECK(vault.Preview().due == 2);
  REQUIRE(PutInteraction(vault, InteractionBy(vault, "follow_up_on")) == "ok");
  // Whether its day was read anew by now or not.
  CHECK(vault.Preview().due <= 1);
  const auto run = vault.Run();
  CHECK(run.erased == 1);
  CHECK(vault.Read(client, stays) == "ok");
  CHECK(vault.Read(client, none) == "ok");
  CHECK(vault.Read(client, goes) == "not_found");
  const auto counts = vault.Preview().counts;
  const auto of_class = std::ranges::find(counts, "interaction", &RetentionCount::class_name);
  REQUIRE(of_class != counts.end());
  CHECK(of_class->not_begun == 1);
  CHECK(of_class->later == 1);
  CHECK(vault.Entries("retention.dates").at(0).detail == "3 records");
  // Written again it is still of the newest class, and put back to the first field so are all.
  REQUIRE(PutInteraction(vault, InteractionBy(vault, "occurred_at")) == "ok");
  CHECK(vault.Run().erased == 2);
  vault.CheckInvariants();
}

TEST_CASE("whatever field a class counted from before, its newest one decides",
          testing::kPlainOnly) {
  const std::vector<std::string> fields = {"", "occurred_at", "follow_up_on"};
  for (const std::string& first : fields) {
    for (const std::string& second : fields) {
      for (const bool restarts : {false, true}) {
        CAPTURE(first, second, restarts);
        RetainingVault vault;
        REQUIRE(PutInteraction(vault, InteractionBy(vault, first)) == "ok");
        const ClientId client = vault.NewClient("G-1");
        std::vector<std::pair<RecordId, bool>> records;
        for (const std::string occurred : {kLongPast, kFarAhead}) {
          for (const std::string follow_up : {"", kLongPast, kFarAhead}) {
            const RecordId record = NewDated(vault, client, occurred, follow_up);
            const bool due = (second == "occurred_at" && occurred == kLongPast) ||
                             (second == "follow_up_on" && follow_up == kLongPast);
            records.emplace_back(record, due);
          }
        }
        REQUIRE(PutInteraction(vault, InteractionBy(vault, second)) == "ok");
        if (restarts) {
          vault.Close();
          vault.Open();
        }
        vault.Keep(second.empty() ? std::vector<json>{} : std::vector{ByDate()});
        CHECK(vault.Run().failed == 0);
        for (const auto& [record, due] : records) {
          CHECK(vault.Read(client, record) == (due ? "not_found" : "ok"));
        }
      }
    }
  }
}

TEST_CASE("many records are read anew in steps, and what cannot be opened begins no period",
          "[retention]") {
  RetainingVault vault({.key_cache_entries = 16});
  vault.Keep({ByDate()});
  std::vector<std::pair<ClientId, RecordId>> records;
  for (int i = 0; i < 60; ++i) {
    const ClientId client = vault.NewClient("M-" + std::to_string(i));
    for (int of_client = 0; of_client < 12; ++of_client) {
      records.emplace_back(
          client, NewDated(vault, client, kFarAhead, of_client % 2 == 0 ? kLongPast : kFarAhead));
    }
  }
  REQUIRE(PutInteraction(vault, InteractionBy(vault, "follow_up_on")) == "ok");
  vault.Close();  // wherever it has come to
  vault.Tamper("UPDATE records SET payload = zeroblob(200), retention_rule = NULL WHERE id = ?",
               records[0].second.Row());
  vault.Open();
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(run.erased == 359);
  const auto said = vault.Entries("retention.dates");
  REQUIRE(!said.empty());
  CHECK(said.back().detail.ends_with(", and 1 that cannot be opened"));
  CHECK(vault.Number("SELECT count(*) FROM records WHERE retention_rule = 2") == 360);
  CHECK(vault.Preview().due == 0);
}

TEST_CASE("records of before are due by the field of the version that they were written with",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({ByDate()});
  const ClientId client = vault.NewClient("O-1");
  NewDated(vault, client, kLongPast, kFarAhead);
  CHECK(vault.Number("SELECT count(*) FROM records WHERE retention_rule IS NULL") == 1);
  json other = InteractionBy(vault, "occurred_at");
  other["title"] = "Calls";
  REQUIRE(PutInteraction(vault, other) == "ok");
  CHECK(vault.Run().erased == 1);
  CHECK(vault.Entries("retention.dates").empty());
}

TEST_CASE("a date that one person writes into a record waits for a week", "[retention]") {
  RetainingVault vault;
  vault.Keep({ByDate()});
  const ClientId client = vault.NewClient("W-2");
  const RecordId record = NewDated(vault, client, kFarAhead, "");
  json data = kRetainedInteraction;
  data["occurred_at"] = std::string(kLongPast) + "T10:00:00Z";
  vault.clock.Advance(1000);
  REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), client, record, 1, data));
  CHECK(vault.Preview().due == 1);
  const auto run = vault.Run();
  CHECK(run.erased == 0);
  CHECK(run.due == 1);
  CHECK(run.waiting == 1);
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 1);
}

TEST_CASE("an approval to replace something is void once it has been replaced", "[retention]") {
  RetainingVault vault({.two_person = true});
  const json role = {{"grants", {{{"actions", {"client.read"}}, {"scope", "assigned"}}}}};
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "desk", role.dump()));
  const json schedule = ScheduleOf({ByDate()});
  REQUIRE(AnswerOf(vault.Put(schedule,
                             ApprovalFor(vault, kPrivacyOfficer, "schedule", schedule))) == "ok");
  struct Kind {
    Role asks;
    std::string action, target;
    std::function<json(int)> document;
    std::function<std::string(const json&, const std::string&)> put;
  };
  const Kind kinds[] = {
      {kAdministrator, "role.write", "desk",
       [&](int i) {
         json wanted = role;
         wanted["title"] = "Desk " + std::to_string(i);
         return wanted;
       },
       [&](const json& wanted, const std::string& approval) {
         Caller caller = vault.As(kAdministrator);
         caller.approval = approval;
         return AnswerOf(vault->roles().PutRole(caller, "desk", wanted.dump()));
       }},
      {kPrivacyOfficer, "retention.write", "schedule",
       [](int i) {
         return ScheduleOf(
             {ByDate(), Policy("agreement-" + std::to_string(i), "agreement", "creation", "P9Y")});
       },
       [&](const json& wanted, const std::string& approval) {
         return AnswerOf(vault.Put(wanted, approval));
       }},
      {kAdministrator, "retention.write", "class:interaction",
       [&, moves = false](int i) mutable {
         json wanted = InteractionBy(vault, (moves = !moves) ? "follow_up_on" : "occurred_at");
         wanted["title"] = "Calls " + std::to_string(i);
         return wanted;
       },
       [&](const json& wanted, const std::string& approval) {
         return PutInteraction(vault, wanted, approval);
       }}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.target);
    const auto ask = [&](const json& wanted) {
      const auto asked = vault->approvals().RequestApproval(
          vault.As(kind.asks), {kind.action, kind.target, wanted.dump()});
      INFO(AnswerOf(asked));
      REQUIRE(asked);
      return asked->id;
    };
    const auto decide = [&](const ApprovalId& id) {
      return AnswerOf(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), id, true));
    };
    const json first = kind.document(1), second = kind.document(2);
    const auto used = ask(first), approved = ask(second), pending = ask(second);
    REQUIRE(decide(used) == "ok");
    REQUIRE(decide(approved) == "ok");
    vault.clock.Advance(-kRetentionHourMs);  // it is not the clock that decides
    REQUIRE(kind.put(first, used.Text()) == "ok");
    CHECK(decide(pending) == "approval_ended");
    for (const auto& id : {approved, pending}) {
      const auto read = vault->approvals().GetApproval(vault.As(kSecurityOfficer), id);
      REQUIRE(read);
      CHECK(read->state == ApprovalState::kVoid);
      CHECK(read->end == ApprovalEnd::kTargetChanged);
    }
    const auto again = ask(second);
    REQUIRE(decide(again) == "ok");
    CHECK(kind.put(second, approved.Text()) == "approval_void");
    CHECK(kind.put(second, again.Text()) == "ok");
    const auto executed = vault->approvals().GetApproval(vault.As(kSecurityOfficer), used);
    REQUIRE(executed);
    CHECK(executed->state == ApprovalState::kExecuted);
  }
}

TEST_CASE("what moves due dates of a class takes two people, and nothing else of it does",
          "[retention]") {
  RetainingVault vault({.two_person = true});
  const json schedule = ScheduleOf({ByDate()});
  REQUIRE(AnswerOf(vault.Put(schedule,
                             ApprovalFor(vault, kPrivacyOfficer, "schedule", schedule))) == "ok");
  const json before = InteractionBy(vault, "occurred_at");
  struct Change {
    std::string what;
    json definition;
    bool moves;
  };
  std::vector<Change> changes;
  const auto change = [&](const std::string& what, bool moves, const auto& make) {
    json definition = before;
    make(definition);
    changes.push_back({what, definition, moves});
  };
  change("another field", true, [](json& d) { d["retention_date"] = "follow_up_on"; });
  change("another type", true, [](json& d) { d["fields"]["occurred_at"]["type"] = "date"; });
  change("the title", false, [](json& d) { d["title"] = "Calls"; });
  change("a mask", false, [](json& d) { d["fields"]["subject"]["mask"] = "initials"; });
  change("another field more", false, [](json& d) { d["fields"]["more"] = {{"type", "date"}}; });
  change("why it is kept", false, [](json& d) { d["keep"] = "evidence"; });
  for (const Change& made : changes) {
    CAPTURE(made.what);
    const auto preview = vault->retention().PreviewClass(vault.As(kAdministrator), "interaction",
                                                         made.definition.dump());
    REQUIRE(preview);
    CHECK(preview->moves_due_dates == made.moves);
    CHECK(PutInteraction(vault, made.definition) == (made.moves ? "approval_required" : "ok"));
    if (!made.moves) {
      REQUIRE(PutInteraction(vault, before) == "ok");
      continue;
    }
    const std::string approval =
        ApprovalFor(vault, kAdministrator, "class:interaction", made.definition);
    json other = made.definition;
    other["title"] = "Others";
    CHECK(PutInteraction(vault, other, approval) == "approval_invalid");
    CHECK(PutInteraction(vault, made.definition, approval) == "ok");
    // Back to what it was moves them as well.
    CHECK(PutInteraction(vault, before, approval) == "approval_invalid");
    REQUIRE(PutInteraction(vault, before,
                           ApprovalFor(vault, kAdministrator, "class:interaction", before)) ==
            "ok");
  }
  // Who could not put it does not ask for it, and nobody asks for what is no class.
  const auto ask = [&](Role role, const std::string& target, const std::string& content) {
    return vault->approvals().RequestApproval(vault.As(role), {"retention.write", target, content});
  };
  CHECK(AnswerOf(ask(kPrivacyOfficer, "class:interaction", before.dump())) == "permission_denied");
  CHECK(IssuesOf(ask(kAdministrator, "class:nothing", before.dump())).size() == 2);
  CHECK(IssuesOf(ask(kAdministrator, "class:contact", before.dump()))
            .at(0)
            .starts_with("/content/name"));
  CHECK(IssuesOf(ask(kAdministrator, "class:interaction", "{}")).at(0).starts_with("/content"));
  CHECK(IssuesOf(ask(kAdministrator, "class:interaction", "")).at(0).starts_with("/content"));
  // A policy that counts from something else does not mind.
  const json other = ScheduleOf({Policy("interaction-1y", "interaction", "creation", "P1Y")});
  REQUIRE(AnswerOf(vault.Put(other, ApprovalFor(vault, kPrivacyOfficer, "schedule", other))) ==
          "ok");
  CHECK(PutInteraction(vault, changes[0].definition) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("a schedule that was approved is not put when a class counts from another field since",
          "[retention]") {
  RetainingVault vault({.two_person = true});
  const json schedule = ScheduleOf({ByDate()});
  const std::string early = ApprovalFor(vault, kPrivacyOfficer, "schedule", schedule);
  vault.clock.Advance(1000);
  REQUIRE(PutInteraction(vault, InteractionBy(vault, "follow_up_on")) == "ok");
  CHECK(AnswerOf(vault.Put(schedule, early)) == "approval_invalid");
  CHECK(AnswerOf(vault->retention().GetRetentionSchedule(vault.As(kAuditor), {})) == "not_found");
  vault.clock.Advance(1000);
  CHECK(AnswerOf(vault.Put(schedule, ApprovalFor(vault, kPrivacyOfficer, "schedule", schedule))) ==
        "ok");
}

TEST_CASE("a preview of a class says what its due dates will be", "[retention]") {
  RetainingVault vault;
  vault.Keep({ByDate()});
  const ClientId client = vault.NewClient("P-1");
  for (const std::string occurred : {kLongPast, "2025-12-30", kFarAhead}) {
    for (const std::string follow_up : {"", kLongPast, "2025-12-30", kFarAhead}) {
      NewDated(vault, client, occurred, follow_up);
    }
  }
  const json definition = InteractionBy(vault, "follow_up_on");
  vault.last = vault.As(kAdministrator);
  const auto preview =
      vault->retention().PreviewClass(vault.last, "interaction", definition.dump());
  REQUIRE(preview);
  CHECK(vault.EntryOf(vault.last).at("detail") == "preview of the due dates of 12 records");
  CHECK(preview->version == 1);
  CHECK(preview->schedule == 1);
  REQUIRE(preview->changes.size() == 1);
  const DueDateChange& change = preview->changes[0];
  CHECK(change.policy == "interaction-1y");
  CHECK(change.records == 12);
  CHECK(change.unchanged == 3);
  CHECK(change.sooner == 3);
  CHECK(change.later == 3);
  CHECK(change.ends == 3);
  CHECK(change.begins == 0);
  CHECK(change.unreadable == 0);
  CHECK(change.due_before == vault.Preview().due);
  REQUIRE(PutInteraction(vault, definition) == "ok");
  CHECK(vault.Run().due == change.due_after);
  // Now those that had no date would have one.
  const auto back = vault->retention().PreviewClass(vault.As(kPrivacyOfficer), "interaction",
                                                    InteractionBy(vault, "occurred_at").dump());
  REQUIRE(back);
  CHECK(back->changes.at(0).begins == 3);
  CHECK(AnswerOf(vault->retention().PreviewClass(vault.As(kCrmService), "interaction",
                                                 definition.dump())) == "permission_denied");
  CHECK(AnswerOf(vault->retention().PreviewClass(vault.As(kAuditor), "contact",
                                                 definition.dump())) == "class_invalid");
  CHECK(vault->retention()
            .PreviewClass(vault.As(kAuditor), "interaction",
                          InteractionBy(vault, "follow_up_on").dump())
            ->changes.empty());
}

}  // namespace coffer::vault
