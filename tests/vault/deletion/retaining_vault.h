// A vault with a retention schedule, and what is due in it.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "audit/documents/run_report.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {

inline constexpr std::int64_t kRetentionHourMs = std::int64_t{3600} * 1000;
inline constexpr std::int64_t kYearMs = 365 * 24 * kRetentionHourMs;
inline constexpr Timestamp kLongAgo{1'400'000'000'000};  // 2014

inline const json kRetainedInteraction = {
    {"occurred_at", "2024-12-01T10:00:00Z"}, {"channel", "phone"}, {"subject", "a call"}};

inline json Policy(const std::string& name, const std::string& class_name,
                   const std::string& trigger, const std::string& period,
                   const std::string& action = "erase") {
  return {{"name", name},     {"class", class_name}, {"trigger", trigger},
          {"period", period}, {"action", action},    {"basis", "because of " + name}};
}

// The given policies, and for the shipped classes without one that they are kept.
inline json ScheduleOf(const std::vector<json>& given) {
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
    last = As(Role::kPrivacyOfficer);
    last.approval = approval;
    return (*this)->retention().PutRetentionSchedule(last, schedule.dump());
  }
  void Keep(const std::vector<json>& policies, const json& of_clients = {}) {
    json schedule = ScheduleOf(policies);
    if (!of_clients.is_null()) schedule["clients_without_records"] = of_clients;
    const auto stored = Put(schedule);
    INFO((stored ? "" : json(IssuesOf(stored)).dump()));
    REQUIRE(stored);
  }
  ClientId NewEnded(const std::string& ref, std::vector<std::string> tags = {}) {
    ClientChange change{ref, std::move(tags)};
    change.relationship_end = kLongAgo;
    const auto client = (*this)->clients().CreateClient(As(Role::kCrmService), change, {});
    REQUIRE(client);
    return client->id;
  }
  // Two records of each client, all due.
  void FillWithDue(int clients = 8) {
    for (int i = 0; i < clients; ++i) {
      const ClientId client = NewEnded("D-" + std::to_string(i));
      Contact(client);
      Contact(client);
    }
  }
  RecordId Contact(const ClientId& client) { return NewContact(client, {{"last_name", "Doe"}}); }
  std::string Read(const ClientId& client, const RecordId& record) {
    return AnswerOf((*this)->records().GetRecord(As(Role::kCrmService), client, record));
  }
  RetentionRun Await(const RunId& id, std::string_view state = {}) {
    // Ever more seldom: a run makes way for those who ask often.
    for (int i = 1; i < 600; ++i) {
      const auto run = (*this)->retention().GetRetentionRun(As(Role::kPrivacyOfficer), id);
      REQUIRE(run);
      if (state.empty() ? run->finished.has_value() : run->state == state) return *run;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(i * 10, 200)));
    }
    FAIL("the run came to no end");
    return {};
  }
  RetentionRun Run() {
    last = As(Role::kPrivacyOfficer);
    const auto run = (*this)->retention().StartRetentionRun(last);
    INFO(AnswerOf(run));
    REQUIRE(run);
    return Await(run->id);
  }
  void Lift(const ClientId& client, std::string_view class_name = {}) {
    auto caller = As(Role::kPrivacyOfficer);
    caller.reason = "corrected";
    for (const Restriction& restriction : Restrictions(client)) {
      if (restriction.terms.class_name != class_name) continue;
      REQUIRE((*this)->restrictions().LiftRestriction(caller, client, restriction.id));
    }
  }
  std::vector<Restriction> Restrictions(const ClientId& client) {
    const auto restrictions =
        (*this)->restrictions().ListRestrictions(As(Role::kPrivacyOfficer), client);
    REQUIRE(restrictions);
    return *restrictions;
  }
  HoldId Hold(const ClientId& client) {
    HoldRequest terms;
    terms.client = client;
    terms.reason = "claim for damages";
    terms.case_number = "K-12";
    terms.review_due = {clock.Now().ms + 24 * kRetentionHourMs};
    const auto hold = (*this)->holds().PlaceHold(As(Role::kPrivacyOfficer), terms);
    REQUIRE(hold);
    return hold->id;
  }
  RecordId Interaction(const ClientId& client, const std::string& at = "2024-12-01T10:00:00Z") {
    json data = kRetainedInteraction;
    data["occurred_at"] = at;
    return NewRecord(client, "interaction", data);
  }
  std::vector<audit::RunClass> ClassesOf(const RunId& run) {
    const auto document = (*this)->retention().ReadRunReport(As(Role::kAuditor), run, {});
    REQUIRE(document);
    const auto key = audit::ParseVerifierKey(LogKey());
    REQUIRE(key);
    const auto check = audit::VerifyRunReport(*document, {&*key, 1});
    REQUIRE(check.ok());
    return check.report->classes;
  }
  RetentionPreview Preview(const RetentionPreviewRequest& request = {}) {
    last = As(Role::kPrivacyOfficer);
    const auto preview = (*this)->retention().PreviewRetention(last, request);
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
  // In steps that are no jumps of the clock.
  void LetAWeekPass() {
    for (int i = 0; i < 4; ++i) {
      Close();
      clock.Advance(47 * kRetentionHourMs);
      Open();
    }
  }
  // Until the vault has looked at its clock again.
  static void LetItLook() { std::this_thread::sleep_for(std::chrono::milliseconds(700)); }
  Caller last;
};

template <class AnyId>
AnyId IdOfRow(std::int64_t row) {
  AnyId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.value[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(row) << 1 >> (56 - 8 * i));
    id.value[8 + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(row) >> (8 * i));
  }
  return id;
}

// Many clients whose relationship ended long ago, with `records_of(i)` contacts each, as if they
// had been made: sealed bytes that nothing opens.
inline void FillUnreadable(RetainingVault& vault, int clients,
                           const std::function<int(int)>& records_of) {
  vault.Close();
  Database rows = vault.OpenVaultDatabase(false), keys = vault.OpenKeysDatabase(false);
  auto client = Statement::Prepare(
      rows,
      "INSERT INTO clients (id, cid, state, version, created, updated, tags, profile, "
      "relationship_end) VALUES (?, ?, 1, 1, 0, 0, '', zeroblob(100), 0)");
  auto record = Statement::Prepare(
      rows,
      "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
      "fields, tokens, payload) VALUES (?, ?, ?, 'contact', 1, 1, 0, 0, 1, x'', zeroblob(600))");
  auto key = Statement::Prepare(
      keys,
      "INSERT INTO client_keys (client, generation, cid, wrapped) VALUES (?, 0, ?, zeroblob(60))");
  REQUIRE((client && record && key));
  REQUIRE((rows.Execute("BEGIN") && keys.Execute("BEGIN")));
  bool filled = true;
  std::int64_t last = 0;
  for (int i = 1; i <= clients; ++i) {
    const auto id = IdOfRow<ClientId>(i);
    filled = filled && client->Execute(id.Row(), id.bytes()) && key->Execute(id.Row(), id.bytes());
    for (int of_client = records_of(i); of_client > 0; --of_client) {
      const auto record_id = IdOfRow<RecordId>(++last);
      filled = filled && record->Execute(record_id.Row(), record_id.bytes(), id.Row());
    }
  }
  REQUIRE(filled);
  REQUIRE((rows.Execute("COMMIT") && keys.Execute("COMMIT")));
}

}  // namespace coffer::vault
