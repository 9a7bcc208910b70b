// Retention as a whole: the schedule that is in force, what it will do, runs, and the clock.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "audit/run_report.h"
#include "crypto/encoding.h"
#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kHourMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kYearMs = 365 * 24 * kHourMs;
constexpr Timestamp kLongAgo{1'400'000'000'000};  // 2014

const json kInteraction = {
    {"occurred_at", "2024-12-01T10:00:00Z"}, {"channel", "phone"}, {"subject", "a call"}};

json Policy(const std::string& name, const std::string& class_name, const std::string& trigger,
            const std::string& period, const std::string& action = "erase") {
  return {{"name", name},     {"class", class_name}, {"trigger", trigger},
          {"period", period}, {"action", action},    {"basis", "because of " + name}};
}

// The given policies, and for the shipped classes without one that they are kept.
json Schedule(const std::vector<json>& given) {
  json policies = given;
  for (const char* name :
       {"agreement", "complaint", "consent-note", "contact", "interaction", "payment-detail"}) {
    bool named = false;
    for (const json& policy : policies) {
      named = named || (policy["class"] == name && !policy.contains("tag") &&
                        !policy.contains("jurisdiction"));
    }
    if (!named) {
      policies.push_back(
          {{"name", std::string(name) + "-kept"}, {"class", name}, {"keep", "for the test"}});
    }
  }
  return {{"time_zone", "Europe/Berlin"}, {"policies", std::move(policies)}};
}

class RetainingVault : public TestVault {
 public:
  explicit RetainingVault(const Settings& settings = Settings()) : TestVault(settings) {}

  Result<StoredSchedule> Put(const json& schedule, const std::string& approval = {}) {
    last = As(kPrivacyOfficer);
    last.approval = approval;
    return (*this)->PutRetentionSchedule(last, schedule.dump());
  }
  void Keep(const std::vector<json>& policies) {
    const auto stored = Put(Schedule(policies));
    INFO((stored ? "" : json(IssuesOf(stored)).dump()));
    REQUIRE(stored);
  }
  ClientId NewEnded(const std::string& ref, std::vector<std::string> tags = {}) {
    ClientChange change{ref, std::move(tags)};
    change.relationship_end = kLongAgo;
    const auto client = (*this)->CreateClient(As(kCrmService), change, {});
    REQUIRE(client);
    return client->id;
  }
  RecordId Contact(const ClientId& client) { return NewContact(client, {{"last_name", "Doe"}}); }
  std::string Read(const ClientId& client, const RecordId& record) {
    return AnswerOf((*this)->GetRecord(As(kCrmService), client, record));
  }
  RetentionRun Await(const RunId& id, std::string_view state = {}) {
    for (int i = 0; i < 6000; ++i) {
      const auto run = (*this)->GetRetentionRun(As(kPrivacyOfficer), id);
      REQUIRE(run);
      if (state.empty() ? run->finished.has_value() : run->state == state) return *run;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("the run came to no end");
    return {};
  }
  RetentionRun Run() {
    last = As(kPrivacyOfficer);
    const auto run = (*this)->StartRetentionRun(last);
    INFO(AnswerOf(run));
    REQUIRE(run);
    return Await(run->id);
  }
  RetentionPreview Preview(const RetentionPreviewRequest& request = {}) {
    last = As(kPrivacyOfficer);
    const auto preview = (*this)->PreviewRetention(last, request);
    INFO(AnswerOf(preview));
    REQUIRE(preview);
    return *preview;
  }
  std::vector<audit::Entry> Entries(std::string_view action) {
    std::vector<audit::Entry> found;
    for (auto& entry : WholeLog()) {
      if (entry.action == action) found.push_back(std::move(entry));
    }
    return found;
  }
  // Until the vault has looked at its clock again.
  // In steps that are no jumps of the clock.
  void LetAWeekPass() {
    for (int i = 0; i < 4; ++i) {
      Close();
      clock.Advance(47 * kHourMs);
      Open();
    }
  }
  static void LetItLook() { std::this_thread::sleep_for(std::chrono::milliseconds(700)); }
  Caller last;
};

// Sixteen records of eight clients, all due.
void FillWithDue(RetainingVault& vault, int clients = 8) {
  for (int i = 0; i < clients; ++i) {
    const ClientId client = vault.NewEnded("D-" + std::to_string(i));
    vault.Contact(client);
    vault.Contact(client);
  }
}

}  // namespace

TEST_CASE("a schedule is stored in versions, and only where it differs", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->GetRetentionSchedule(vault.As(kAuditor), {})) == "not_found");
  CHECK(vault->ReadStatus(vault.As(kAuditor))->classes_without_policy == 6);
  const json first = Schedule({Policy("contact-3y", "contact", "relationship_end", "P3Y")});
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
      vault.Put(Schedule({Policy("contact-5y", "contact", "relationship_end", "P5Y")}));
  REQUIRE(second);
  CHECK(second->version == 2);
  CHECK(vault->ReadStatus(vault.As(kAuditor))->retention_schedule == 2);
  CHECK(vault->ReadStatus(vault.As(kAuditor))->classes_without_policy == 0);
  vault.Close();
  vault.Open();
  CHECK(vault->GetRetentionSchedule(vault.As(kAuditor), {})->version == 2);
  CHECK(vault->GetRetentionSchedule(vault.As(kAuditor), 1)->definition == stored->definition);
  CHECK(AnswerOf(vault->GetRetentionSchedule(vault.As(kAuditor), 3)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a schedule with faults changes nothing, and only privacy officers write one",
          "[retention]") {
  RetainingVault vault;
  json faulty = Schedule({});
  faulty["policies"].erase(0);
  CHECK(AnswerOf(vault.Put(faulty)) == "retention_invalid");
  CHECK(vault.EntryOf(vault.last).at("rule") == "check:input");
  CHECK(AnswerOf(vault.Put("text")) == "retention_invalid");
  for (const Role role : {kAdministrator, kSecurityOfficer, kAuditor, kCrmService}) {
    CHECK(AnswerOf(vault->PutRetentionSchedule(vault.As(role), Schedule({}).dump())) ==
          "permission_denied");
  }
  CHECK(AnswerOf(vault->GetRetentionSchedule(vault.As(kAuditor), {})) == "not_found");
}

TEST_CASE("while a schedule is in force every class has a policy or says why it is kept",
          "[retention]") {
  RetainingVault vault;
  json extra = {
      {"name", "extra"}, {"purposes", {"client-care"}}, {"fields", {{"a", {{"type", "string"}}}}}};
  vault.Keep({Policy("interaction-2y", "interaction", "date_field", "P2Y")});
  const auto refused = vault->PutClass(vault.As(kAdministrator), "extra", extra.dump());
  CHECK(AnswerOf(refused) == "class_invalid");
  CHECK(IssuesOf(refused).at(0).starts_with("/keep is required"));
  extra["keep"] = "a test";
  CHECK(AnswerOf(vault->PutClass(vault.As(kAdministrator), "extra", extra.dump())) == "ok");
  // A schedule whose policy needs the date keeps the class from losing it.
  json interaction =
      json::parse((*vault->GetClass(vault.As(kAdministrator), "interaction", {}))->definition);
  interaction.erase("retention_date");
  CHECK(IssuesOf(vault->PutClass(vault.As(kAdministrator), "interaction", interaction.dump()))
            .at(0)
            .starts_with("/retention_date is required"));
  vault.Close();
  vault.Open();
  CHECK(vault->GetRetentionSchedule(vault.As(kAuditor), {})->version == 1);
}

TEST_CASE("a schedule takes two people, who are two", "[retention]") {
  RetainingVault vault({.two_person = true});
  const json schedule = Schedule({Policy("contact-3y", "contact", "relationship_end", "P3Y")});
  CHECK(AnswerOf(vault.Put(schedule)) == "approval_required");
  const auto ask = [&](const std::string& target, const std::string& content) {
    return vault->RequestApproval(vault.As(kPrivacyOfficer), {"retention.write", target, content});
  };
  CHECK(IssuesOf(ask("contact", schedule.dump())).at(0).starts_with("/target"));
  json faulty = schedule;
  faulty["time_zone"] = "Nowhere/Town";
  CHECK(IssuesOf(ask("schedule", faulty.dump())).at(0).starts_with("/content/time_zone"));
  CHECK(IssuesOf(ask("schedule", "")).at(0).starts_with("/content"));
  const auto asked = ask("schedule", schedule.dump(2));
  REQUIRE(asked);
  CHECK(AnswerOf(vault->DecideApproval(vault.As(kPrivacyOfficer), asked->id, true)) ==
        "own_request");
  CHECK(AnswerOf(vault.Put(schedule, asked->id.Text())) == "approval_invalid");
  CHECK(AnswerOf(vault->DecideApproval(vault.As(kSecurityOfficer), asked->id, true)) == "ok");
  json other = schedule;
  other["policies"][0]["period"] = "P4Y";
  CHECK(AnswerOf(vault.Put(other, asked->id.Text())) == "approval_invalid");
  CHECK(AnswerOf(vault.Put(schedule, asked->id.Text())) == "ok");
}

TEST_CASE("a preview says what is due, when the rest will be, and who may see ids", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->PreviewRetention(vault.As(kPrivacyOfficer), {})) == "not_found");
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-2m", "interaction", "creation", "P2M")});
  const ClientId ended = vault.NewEnded("A-1");
  const RecordId due = vault.Contact(ended);
  const ClientId going_on = vault.NewClient("A-2");
  vault.Contact(going_on);
  vault.NewRecord(going_on, "interaction", kInteraction);

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
  CHECK(vault->PreviewRetention(vault.As(kAuditor), {})->due == 1);
  const auto curious = vault.As(kAuditor);
  CHECK(AnswerOf(vault->PreviewRetention(curious, {.until = {}, .months = 1, .with_ids = true})) ==
        "permission_denied");
  CHECK(vault.EntryOf(curious).at("rule") == "check:role");
  CHECK(AnswerOf(vault->PreviewRetention(vault.As(kPrivacyOfficer),
                                         {.until = {}, .months = 601})) == "preview_invalid");
  CHECK(AnswerOf(vault->PreviewRetention(vault.As(kCrmService), {})) == "permission_denied");
  CHECK(vault.Read(ended, due) == "ok");
}

TEST_CASE("a run erases what is due, says so entry by entry, and leaves the rest", "[retention]") {
  RetainingVault vault;
  CHECK(AnswerOf(vault->StartRetentionRun(vault.As(kPrivacyOfficer))) == "no_schedule");
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
              Policy("interaction-2m", "interaction", "date_field", "P2M"),
              Policy("complaint-1y", "complaint", "relationship_end", "P1Y", "review")});
  const auto interaction = [&](const ClientId& client, const std::string& at) {
    json data = kInteraction;
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
  CHECK(AnswerOf(vault->GetClient(vault.As(kCrmService), gone)) == "not_found");
  CHECK(vault.Read(kept, old) == "not_found");
  CHECK(vault.Read(kept, recent) == "ok");
  CHECK(vault.Read(kept, kept_contact) == "ok");

  const auto erasures = vault->ListErasures(vault.As(kPrivacyOfficer), {});
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
  CHECK(vault->ReadStatistics(vault.As(kAdministrator))->retention_erased == 3);
  // Nothing is left to do.
  CHECK(vault.Run().due == 0);
  CHECK(vault->ListRetentionRuns(vault.As(kAuditor))->size() == 2);
  CHECK(vault->ListRetentionRuns(vault.As(kAuditor))->at(1).id == run.id);
  CHECK(AnswerOf(vault->StartRetentionRun(vault.As(kAuditor))) == "permission_denied");
  CHECK(AnswerOf(vault->GetRetentionRun(vault.As(kAuditor), RunId::New(kLongAgo))) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a run's report is signed, and stored once it was made", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault);
  const auto run = vault.Run();
  const auto read = [&](const DocumentRequest& request) {
    return vault->ReadRunReport(vault.As(kAuditor), run.id, request);
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
  vault.clock.Advance(kHourMs);
  CHECK(*read({}) == *document);
  for (const std::string language : {"en", "ru", "zh"}) {
    const auto page = read({DocumentForm::kPage, language});
    REQUIRE(page);
    CHECK(page->find(run.id.Text()) != std::string::npos);
  }
  CHECK(AnswerOf(read({DocumentForm::kPage, "fr"})) == "language_unknown");
  CHECK(AnswerOf(read({DocumentForm::kLogCsv, "en"})) == "format_unknown");
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
  CHECK(AnswerOf(vault->GetClient(vault.As(kCrmService), plain)) == "not_found");
  CHECK(AnswerOf(vault->GetClient(vault.As(kCrmService), in_france)) == "ok");
  CHECK(AnswerOf(vault->GetClient(vault.As(kCrmService), important)) == "ok");
  const auto reviews = vault.Entries("retention.review");
  REQUIRE(reviews.size() == 1);
  CHECK(reviews[0].client == in_france.Text());
  CHECK(reviews[0].detail == "contact-fr of schedule 1");
  // Without the tag it is due.
  ClientChange change;
  change.tags = Strings{};
  REQUIRE(vault->UpdateClient(vault.As(kCrmService), important, 1, change));
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 1);
  vault.CheckInvariants();
}

TEST_CASE("a record that is changed while a run looks at it stays", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1d", "contact", "last_activity", "P1D")});
  std::vector<std::pair<ClientId, RecordId>> records;
  for (int i = 0; i < 300; ++i) {
    const ClientId owner = vault.NewClient("B-" + std::to_string(i));
    records.emplace_back(owner, vault.Contact(owner));
  }
  vault.clock.Advance(46 * kHourMs);
  const auto run = vault->StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  std::vector<bool> changed;
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    const auto updated = vault->UpdateRecord(vault.As(kCrmService), record->first, record->second,
                                             1, {{"last_name", "Roe"}});
    CHECK((updated || updated.error().reason == "not_found"));
    changed.push_back(updated.has_value());
  }
  const auto ended = vault.Await(run->id);
  std::size_t erased = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& [owner, record] = records[records.size() - 1 - i];
    CHECK(vault.Read(owner, record) == (changed[i] ? "ok" : "not_found"));
    if (!changed[i]) ++erased;
  }
  CHECK(ended.erased == erased);
  CHECK(erased > 0);
  vault.CheckInvariants();
}

TEST_CASE("a run that is interrupted goes on at the next start, and counts nothing twice",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault, 400);
  const auto run = vault->StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  while (vault->ReadStatistics(vault.As(kAdministrator))->retention_erased == 0) {
    std::this_thread::yield();
  }
  CHECK((AnswerOf(vault->StartRetentionRun(vault.As(kPrivacyOfficer))) == "run_in_progress"));
  for (int i = 0; i < 3; ++i) {
    vault.Close();
    vault.Open();
  }
  const auto ended = vault.Await(run->id);
  CHECK(ended.state == "finished");
  CHECK(ended.due == 800);
  CHECK(ended.erased == 800);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  CHECK(vault.Entries("record.erase").size() == 800);
  vault.CheckInvariants();
}

TEST_CASE("a run that cannot write waits, and goes on when it can", "[retention]") {
  FaultyStorage::Instance();
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault, 300);
  const auto run = vault->StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  FaultyStorage::Instance().Break("vault.db-wal", Fault::kFull, 20);
  while (FaultyStorage::Instance().failures() == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FaultyStorage::Instance().Mend();
  RetainingVault::LetItLook();
  const auto ended = vault.Await(run->id);
  CHECK(ended.state == "finished");
  CHECK(ended.erased == 600);
  CHECK(ended.failed == 0);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  vault.CheckInvariants();
}

TEST_CASE("what is due goes also where the key is missing, and what stays is not readable",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("interaction-1y", "interaction", "date_field", "P1Y")});
  std::vector<ClientId> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(vault.NewClient("A-" + std::to_string(i)));
    vault.Contact(clients.back());
    vault.NewRecord(clients.back(), "interaction", kInteraction);
  }
  vault.Close();
  {
    const Database keys = vault.OpenKeysDatabase(false);
    auto remove = Statement::Prepare(keys, "DELETE FROM client_keys WHERE client = ?");
    REQUIRE(remove);
    REQUIRE(remove->Execute(clients[1].Row()));
  }
  vault.Open();
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(run.due == 3);
  CHECK(run.erased == 3);
  CHECK(run.failed == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 3);
  CHECK(AnswerOf(vault->GetClient(vault.As(kCrmService), clients[1])) == "integrity_failed");
  CHECK(vault->GetClient(vault.As(kCrmService), clients[2]));
}

TEST_CASE("what is held or restricted is left by runs, and goes when that is lifted",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const auto held = vault.NewEnded("H-1"), restricted = vault.NewEnded("H-2");
  for (const auto& client : {held, restricted, vault.NewEnded("H-3")}) vault.Contact(client);
  HoldRequest terms;
  terms.client = held;
  terms.reason = "claim for damages";
  terms.case_number = "K-12";
  terms.review_due = {vault.clock.Now().ms + 24 * kHourMs};
  const auto hold = vault->PlaceHold(vault.As(kPrivacyOfficer), terms);
  REQUIRE(hold);
  REQUIRE(vault->Restrict(vault.As(kPrivacyOfficer), restricted, {{}, "disputed", {}}));
  const auto run = vault.Run();
  CHECK(run.due == 3);
  CHECK(run.erased == 1);
  CHECK(run.held == 2);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 2);
  REQUIRE(vault->LiftHold(vault.As(kPrivacyOfficer), hold->id));
  auto lifting = vault.As(kPrivacyOfficer);
  lifting.reason = "corrected";
  REQUIRE(vault->LiftRestriction(lifting, restricted, {}));
  CHECK(vault.Run().erased == 2);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  vault.CheckInvariants();
}

TEST_CASE("what one person makes due by changing a client waits for a week", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const auto client = vault.NewClient("W-1");
  vault.Contact(client);
  ClientChange change;
  change.relationship_end = kLongAgo;
  REQUIRE(vault->UpdateClient(vault.As(kCrmService), client, 1, change));
  CHECK(vault.Run().erased == 0);
  CHECK(vault->PreviewRetention(vault.As(kPrivacyOfficer), {})->due == 1);
  vault.LetAWeekPass();
  CHECK(vault.Run().erased == 1);
}

TEST_CASE("without the operator's details a run fails, and says why", "[retention]") {
  RetainingVault vault({.operator_details = {"Example Care Ltd", "", "", "", "Example CRM"}});
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault, 1);
  const auto run = vault.Run();
  CHECK(run.state == "failed");
  CHECK(run.reason == "operator_incomplete");
  CHECK(run.erased == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 2);
  CHECK(vault.Entries("retention.finish").at(0).outcome == "operator_incomplete");
}

TEST_CASE("a clock that jumps stops retention until two people confirm it", "[retention]") {
  for (const std::int64_t jump : {10 * kYearMs, -10 * kYearMs}) {
    CAPTURE(jump);
    RetainingVault vault({.two_person = true});
    vault.Close();
    vault.Open();  // the time is stored
    const json schedule = Schedule({Policy("contact-1y", "contact", "relationship_end", "P1Y"),
                                    Policy("interaction-5y", "interaction", "creation", "P5Y")});
    const auto approve = [&](const Proposal& proposal) {
      const auto asked = vault->RequestApproval(vault.As(kPrivacyOfficer), proposal);
      INFO(AnswerOf(asked));
      REQUIRE(asked);
      REQUIRE(vault->DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
      return asked->id.Text();
    };
    REQUIRE(vault.Put(schedule, approve({"retention.write", "schedule", schedule.dump()})));
    FillWithDue(vault);
    vault.clock.Advance(jump);
    RetainingVault::LetItLook();
    // Set right again: that is a jump as well, and the vault does not guess which one was wrong.
    vault.clock.Advance(-jump);
    RetainingVault::LetItLook();
    CHECK(vault->ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault->ReadStatistics(vault.As(kAdministrator))->waiting_for_clock);
    CHECK(AnswerOf(vault->StartRetentionRun(vault.As(kPrivacyOfficer))) == "clock_unconfirmed");
    const auto jumps = vault.Entries("clock.jump");
    REQUIRE(jumps.size() == 2);
    CHECK(jumps[0].actor == "vault");
    CHECK(jumps[0].detail == (jump > 0 ? "ahead by 315360000 s" : "behind by 315360000 s"));
    vault.Close();
    vault.Open();
    CHECK(vault->ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault.Number("SELECT count(*) FROM records") == 16);

    auto caller = vault.As(kPrivacyOfficer);
    CHECK(AnswerOf(vault->ConfirmClock(caller)) == "approval_required");
    caller = vault.As(kPrivacyOfficer);
    caller.approval = approve({"clock.confirm", "2026-01-03", {}});  // not today
    CHECK(AnswerOf(vault->ConfirmClock(caller)) == "approval_invalid");
    caller = vault.As(kPrivacyOfficer);
    caller.approval = approve({"clock.confirm", "2026-01-02", {}});
    CHECK(AnswerOf(vault->ConfirmClock(caller)) == "ok");
    CHECK(vault.EntryOf(caller).at("detail") == "2026-01-02; " + caller.approval);
    CHECK(!vault->ReadStatus(vault.As(kAuditor))->waiting_for_clock);
    CHECK(vault.Run().erased == 16);
    CHECK(AnswerOf(vault->ConfirmClock(vault.As(kPrivacyOfficer))) == "ok");  // nothing to confirm
  }
}

TEST_CASE("a vault that was off for longer than the threshold waits as well", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault, 1);
  vault.Close();
  vault.clock.Advance(47 * kHourMs);
  vault.Open();
  CHECK(!vault->ReadStatus(vault.As(kAuditor))->waiting_for_clock);
  vault.Close();
  vault.clock.Advance(49 * kHourMs);
  vault.Open();
  CHECK(vault->ReadStatus(vault.As(kAuditor))->waiting_for_clock);
  CHECK(AnswerOf(vault->StartRetentionRun(vault.As(kPrivacyOfficer))) == "clock_unconfirmed");
  CHECK(AnswerOf(vault->ConfirmClock(vault.As(kPrivacyOfficer))) == "ok");
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
  vault.clock.Advance(49 * kHourMs);
  vault.Tamper("UPDATE retention_runs SET state = 0, finished = NULL, position = -1 WHERE rid = ?",
               ByteView(RunId{}.bytes()));
  vault.Open();
  vault.Await(RunId{}, "waiting-for-clock");
  vault.Keep({Policy("contact-6y", "contact", "creation", "P6Y")});
  CHECK(AnswerOf(vault->ConfirmClock(vault.As(kPrivacyOfficer))) == "ok");
  const auto failed = vault.Await(RunId{});
  CHECK(failed.state == "failed");
  CHECK(failed.reason == "schedule_changed");
}

TEST_CASE("a run starts by itself at its minute of the day, once a day", "[retention]") {
  RetainingVault vault({.retention_minute = 210});  // 03:30; the clock begins at 03:04:05
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  FillWithDue(vault, 1);
  RetainingVault::LetItLook();
  CHECK(vault->ListRetentionRuns(vault.As(kAuditor))->empty());
  vault.clock.Advance(kHourMs);
  RetainingVault::LetItLook();
  const auto runs = vault->ListRetentionRuns(vault.As(kAuditor));
  REQUIRE(runs->size() == 1);
  const auto run = vault.Await(runs->front().id);
  CHECK(run.trigger == "scheduled");
  CHECK(!run.asked_by);
  CHECK(run.erased == 2);
  CHECK(vault.Entries("retention.run").at(0).actor == "vault");
  vault.Close();
  vault.Open();
  RetainingVault::LetItLook();
  CHECK(vault->ListRetentionRuns(vault.As(kAuditor))->size() == 1);
  vault.clock.Advance(24 * kHourMs);
  RetainingVault::LetItLook();
  CHECK(vault->ListRetentionRuns(vault.As(kAuditor))->size() == 2);
}

TEST_CASE("looking for what is due reads the index alone", "[retention]") {
  RetainingVault vault;
  const Database database = vault.OpenVaultDatabase();
  auto plan = Statement::Prepare(
      database,
      "EXPLAIN QUERY PLAN SELECT client, class, id, created, updated, retention_day FROM records "
      "INDEXED BY records_by_client WHERE client > 5 ORDER BY client");
  REQUIRE(plan);
  auto row = plan->Query();
  REQUIRE(row.Next() == true);
  CHECK(std::string(row.Text(3)) ==
        "SEARCH records USING COVERING INDEX records_by_client (client>?)");
  CHECK(row.Next() == false);
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

// How fast, with RETENTION_RECORDS records of a fourth as many clients.
TEST_CASE("a preview and a run over many records", "[.][retention-scale]") {
  const char* const given = std::getenv("RETENTION_RECORDS");
  const int clients = (given != nullptr ? std::atoi(given) : 100'000) / 4;
  RetainingVault vault({.key_cache_entries = 131'072});
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const ClientId first = vault.NewEnded("first");
  vault.Contact(first);
  vault.Close();
  // As if each had been made: the same sealed bytes, which nothing here opens.
  vault.Tamper(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO "
      "clients (id, cid, state, version, created, updated, tags, profile, relationship_end) SELECT "
      "i, CAST(printf('%016x', i * 2) AS BLOB), 1, 1, 0, 0, '', zeroblob(60), 0 FROM n",
      clients);
  vault.Tamper(
      "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
      "fields, tokens, payload) SELECT c.id * 4 + k.k, CAST(printf('%016x', c.id * 4 + k.k) AS "
      "BLOB), c.id, 'contact', 1, 1, 0, 0, 1, x'', zeroblob(600) FROM clients c, (SELECT 0 AS k "
      "UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) k WHERE c.state = 1 AND length(c.profile) = "
      "60 AND c.id < 1000000000");
  vault.Open();
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  auto began = Clock::now();
  const auto preview = vault.Preview();
  WARN("preview of " << preview.records << " records: " << seconds(began) << " s");
  began = Clock::now();
  const auto run = vault->StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  while (!vault->GetRetentionRun(vault.As(kPrivacyOfficer), run->id)->finished) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  const auto ended = vault.Await(run->id);
  const double took = seconds(began);
  WARN("erased " << ended.erased << " of " << ended.due << " in " << took << " s, "
                 << static_cast<double>(ended.erased) / took << " a second");
  CHECK(ended.erased == static_cast<std::uint64_t>(clients) * 4 + 1);
}

}  // namespace coffer::vault
