// Emergency access and its review; budgets of what is shown plainly; what purposes may touch.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class RuleVault : public TestVault {
 public:
  // A principal of a role that is made here.
  Caller With(const std::string& grants, std::string purpose = std::string(kPurpose)) {
    const std::string name = "made-" + std::to_string(++made_);
    const auto role =
        (*this)->roles().PutRole(As(kAdministrator), name, R"({"grants": )" + grants + "}");
    INFO(AnswerOf(role) << (role ? "" : IssuesOf(role).front()));
    REQUIRE(role);
    const auto token = NewTokenFor(name, 7 * 24 * 3600);
    REQUIRE(token);
    principal = token->info.principal;
    Caller caller = Stranger(token->secret);
    caller.purpose = std::move(purpose);
    return caller;
  }
  Caller Again(Caller caller) {
    caller.call = CallId::New(clock.Now());
    last = caller;
    return caller;
  }
  std::string Rule() { return EntryOf(last).at("rule"); }
  Caller last;
  PrincipalId principal;

 private:
  int made_ = 0;
};

constexpr const char* kWorker = R"([
    {"actions": ["client.read", "record.read", "record.list", "record.update"],
     "scope": "assigned"},
    {"actions": ["emergency.open"]}])";

TEST_CASE("emergency access opens one client at once, marks what it causes, and is reviewed") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const ClientId other = vault.NewClient("A-2");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  auto worker = vault.With(kWorker);
  const auto read = [&](const ClientId& whom) {
    return AnswerOf(vault->records().GetRecord(vault.Again(worker), whom, record));
  };
  CHECK(read(client) == "not_found");
  Caller opener = vault.Again(worker);
  opener.reason = "the client is on the phone and nobody else is here";
  const auto taken =
      vault->emergencies().OpenEmergency(opener, client, {"client-care", "CASE-1", 3600});
  INFO(AnswerOf(taken));
  REQUIRE(taken);
  CHECK(taken->expires.ms - taken->created.ms == 3'600'000);
  const json entry = vault.EntryOf(opener);
  CHECK(entry.at("client") == client.Text());
  CHECK(entry.at("purpose") == "client-care");
  CHECK(entry.contains("note_hash"));
  CHECK(read(client) == "ok");
  CHECK(vault.Rule() == "emergency:" + taken->id.Text());
  CHECK(vault->clients().GetClient(vault.Again(worker), client));
  CHECK(vault.Rule() == "emergency:" + taken->id.Text());
  CHECK(read(other) == "not_found");
  // Not for writing, nor for another purpose.
  CHECK(AnswerOf(vault->records().UpdateRecord(vault.Again(worker), client, record, 1,
                                               {{"last_name", "Roe"}})) == "not_found");
  auto other_purpose = worker;
  other_purpose.purpose = "billing";
  CHECK(AnswerOf(vault->clients().GetClient(vault.Again(other_purpose), client)) == "not_found");

  CHECK(vault->monitoring().ReadStatus(vault.As(kSecurityOfficer))->unreviewed_emergencies == 1);
  CHECK(vault->monitoring().ReadStatus(vault.As(kSecurityOfficer))->overdue_emergencies == 0);
  vault.Close();
  vault.Open();
  CHECK(read(client) == "ok");
  vault.clock.Set(taken->expires);
  CHECK(read(client) == "not_found");
  vault.clock.Set({taken->review_due.ms + 1});
  CHECK(vault->monitoring().ReadStatus(vault.As(kSecurityOfficer))->overdue_emergencies == 1);
  CHECK(AnswerOf(vault->emergencies().ReviewEmergency(vault.Again(worker), taken->id, "fine")) ==
        "permission_denied");
  const auto reviewed = vault->emergencies().ReviewEmergency(vault.As(kSecurityOfficer), taken->id,
                                                             "justified: see CASE-1");
  REQUIRE(reviewed);
  CHECK(reviewed->finding == "justified: see CASE-1");
  CHECK(AnswerOf(vault->emergencies().ReviewEmergency(vault.As(kSecurityOfficer), taken->id,
                                                      "again")) == "already_reviewed");
  CHECK(vault->monitoring().ReadStatus(vault.As(kSecurityOfficer))->unreviewed_emergencies == 0);
  CHECK(vault->monitoring().ReadStatistics(vault.As(kSecurityOfficer))->unreviewed_emergencies ==
        0);
  CHECK(vault->emergencies().ListEmergencies(vault.As(kSecurityOfficer))->front().reviewer ==
        vault.TokenOf(kSecurityOfficer).principal);
  vault.CheckInvariants();
}

TEST_CASE("emergency access is for who may take it, with reason and ticket, and within a day") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  auto worker = vault.With(kWorker);
  worker.reason = "urgent";
  const auto open = [&](const Caller& caller, const EmergencyRequest& request) {
    return AnswerOf(vault->emergencies().OpenEmergency(vault.Again(caller), client, request));
  };
  auto silent = worker;
  silent.reason.clear();
  CHECK(open(silent, {"client-care", "CASE-1", 3600}) == "emergency_invalid");
  CHECK(open(worker, {"nonsense", "CASE-1", 3600}) == "emergency_invalid");
  CHECK(open(worker, {"client-care", "", 3600}) == "emergency_invalid");
  CHECK(open(worker, {"client-care", "CASE-1", 59}) == "emergency_invalid");
  CHECK(open(worker, {"client-care", "CASE-1", 86'401}) == "emergency_invalid");
  auto builtin = vault.As(kCaseWorker);
  builtin.reason = "urgent";
  CHECK(open(builtin, {"client-care", "CASE-1", 3600}) == "permission_denied");
  CHECK(AnswerOf(vault->emergencies().OpenEmergency(
            vault.Again(worker), ClientId::New(vault.clock.Now()),
            {"client-care", "CASE-1", 3600})) == "not_found");
  CHECK(open(worker, {"client-care", "CASE-1", 3600}) == "ok");
}

TEST_CASE("a review ends the access, and where the role shows some of it every entry is marked") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto made = vault->records().CreateRecord(
      vault.As(kCrmService, "complaint-handling"), client, "complaint",
      {{"complaint_number", "T-1"},
       {"received_on", "2026-01-02"},
       {"channel", "phone"},
       {"category", "service"},
       {"status", "received"},
       {"description", "Cold tea"},
       {"special_circumstances", "Cannot stand for long"}},
      {});
  REQUIRE(made);
  const RecordId record = made->id;
  const auto read = [&] {
    const auto shown = vault->records().GetRecord(
        vault.Again(vault.As(kSupervisor, "complaint-handling")), client, record);
    REQUIRE(shown);
    return shown->masked.empty();
  };
  CHECK(!read());
  const auto taken = vault->emergencies().OpenEmergency(vault.As(kSupervisor, "", "fire"), client,
                                                        {"complaint-handling", "CASE-1", 3600});
  REQUIRE(taken);
  CHECK(read());
  CHECK(vault.Rule() == "emergency:" + taken->id.Text());
  REQUIRE(
      vault->emergencies().ReviewEmergency(vault.As(kSecurityOfficer), taken->id, "not needed"));
  CHECK(!read());
  CHECK(vault.Rule() == "role:supervisor");
}

TEST_CASE("a lease helps where a budget is spent") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto reader = vault.With(R"([{"actions": ["record.read"], "view": "masked"},
      {"actions": ["record.read"], "conditions": {"budget": {"hour": 1}}}])");
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(reader), client, record)) == "ok");
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(reader), client, record)) ==
        "budget_exhausted");
  REQUIRE(vault->leases().GiveLease(
      vault.As(kSupervisor), client,
      {vault.principal, "contact", {"last_name"}, "client-care", "CASE-1", 3600}));
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(reader), client, record)) == "ok");
}

TEST_CASE("a denial holds in an emergency too") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  auto worker = vault.With(R"([{"actions": ["record.read"], "scope": "assigned"},
      {"deny": true, "actions": ["record.read"], "classes": ["contact"]},
      {"actions": ["emergency.open"]}])");
  worker.reason = "urgent";
  REQUIRE(vault->emergencies().OpenEmergency(vault.Again(worker), client,
                                             {"client-care", "CASE-1", 3600}));
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(worker), client, record)) ==
        "permission_denied");
}

TEST_CASE("a budget of plain reveals ends with 429 and an alert, exactly, also after a restart") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  std::vector<RecordId> records;
  for (int i = 0; i < 4; ++i) records.push_back(vault.NewContact(client, {{"last_name", "Doe"}}));
  const auto reader = vault.With(
      R"([{"actions": ["record.read"], "conditions": {"budget": {"hour": 3, "day": 5}}}])");
  const auto read = [&](std::size_t i = 0) {
    return AnswerOf(vault->records().GetRecord(vault.Again(reader), client, records[i]));
  };
  // A page counts as its records, and one that would go beyond shows nothing.
  const auto page = [&](std::size_t limit) {
    return AnswerOf(vault->records().ListRecords(vault.Again(reader), client, "", true,
                                                 {.limit = limit, .cursor = {}}));
  };
  CHECK(page(4) == "budget_exhausted");
  CHECK(vault.EntriesOf(vault.last).size() == 2);  // the refusal, and the alert
  CHECK(vault.EntriesOf(vault.last).back().at("action") == "budget.alert");
  CHECK(page(2) == "ok");
  vault.Close();
  vault.Open();
  CHECK(read() == "ok");
  CHECK(read() == "budget_exhausted");
  CHECK(vault.EntriesOf(vault.last).front().at("rule") == "check:budget");
  CHECK(read() == "budget_exhausted");
  CHECK(vault.EntriesOf(vault.last).size() == 1);  // one alert an hour
  vault.clock.Advance(3'600'000);
  CHECK(read() == "ok");
  CHECK(read() == "ok");
  CHECK(read() == "budget_exhausted");  // the day's
  vault.clock.Advance(24 * 3'600'000);
  CHECK(read() == "ok");
  vault.CheckInvariants();
}

TEST_CASE("in a list of all classes each class counts against its own budget") {
  RuleVault vault;
  vault.PutClass({{"name", "secret"},
                  {"purposes", {"client-care"}},
                  {"fields", {{"what", {{"type", "string"}}}}}});
  const ClientId client = vault.NewClient("A-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  vault.NewContact(client, {{"last_name", "Roe"}});
  vault.NewRecord(client, "secret", {{"what", "x"}});
  const auto reader = vault.With(R"([{"actions": ["record.read"], "classes": ["contact"]},
      {"actions": ["record.read"], "classes": ["secret"],
       "conditions": {"budget": {"hour": 2}}}])");
  const auto list = [&] {
    return AnswerOf(vault->records().ListRecords(vault.Again(reader), client, "", true, {}));
  };
  CHECK(list() == "ok");
  CHECK(list() == "ok");
  CHECK(list() == "budget_exhausted");
  CHECK(AnswerOf(vault->records().ListRecords(vault.Again(reader), client, "contact", true, {})) ==
        "ok");
}

TEST_CASE("what is special is not found by who sees it masked") {
  RuleVault vault;
  vault.PutClass(
      {{"name", "health"},
       {"purposes", {"client-care"}},
       {"fields",
        {{"diagnosis", {{"type", "string"}, {"index", true}, {"sensitivity", "special"}}},
         {"doctor", {{"type", "string"}, {"index", true}}}}}});
  vault.NewRecord(vault.NewClient("A-1"), "health", {{"diagnosis", "x"}, {"doctor", "y"}});
  const auto search = [&](Role role, const char* field, const char* value) {
    return AnswerOf(vault->searches().SearchByField(vault.As(role), "health", field, value, {}));
  };
  CHECK(search(kSupervisor, "doctor", "y") == "ok");
  CHECK(search(kSupervisor, "diagnosis", "x") == "permission_denied");
  CHECK(search(kCaseWorker, "diagnosis", "x") == "permission_denied");
  CHECK(search(kCrmService, "diagnosis", "x") == "ok");
}

TEST_CASE("what is shown masked costs no budget, and another grant without one is none") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto masked = vault.With(R"([{"actions": ["record.read"], "view": "masked"},
      {"actions": ["record.read"], "fields": ["email"],
       "conditions": {"budget": {"hour": 1}}}])");
  for (int i = 0; i < 3; ++i) {
    CHECK(AnswerOf(vault->records().GetRecord(vault.Again(masked), client, record)) == "ok");
  }
  const auto free = vault.With(R"([{"actions": ["record.read"]},
      {"actions": ["record.read"], "conditions": {"budget": {"hour": 1}}}])");
  for (int i = 0; i < 3; ++i) {
    CHECK(AnswerOf(vault->records().GetRecord(vault.Again(free), client, record)) == "ok");
  }
  for (const std::string bad : {R"({"budget": {}})", R"({"budget": {"hour": 0}})",
                                R"({"budget": {"week": 1}})", R"({"second_factor_minutes": 0})",
                                R"({"second_factor_minutes": "5"})", R"({"certificate": 1})"}) {
    INFO(bad);
    CHECK(AnswerOf(vault->roles().PutRole(
              vault.As(kAdministrator), "bad",
              R"({"grants": [{"actions": ["record.read"], "conditions": )" + bad + "}]}")) ==
          "role_invalid");
  }
}

TEST_CASE("a purpose touches only the classes that the register gives it") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(vault->records().GetRecord(vault.As(kCrmService), client, record));
  REQUIRE(vault->purposes().PutPurpose(vault.As(kAdministrator), "client-care",
                                       R"({"title": "Care", "legal_basis": "contract",
                                "classes": ["complaint", "complaint"]})"));
  const auto caller = vault.As(kCrmService);
  CHECK(AnswerOf(vault->records().GetRecord(caller, client, record)) == "purpose_not_allowed");
  CHECK(vault.EntryOf(caller).at("rule") == "check:purpose-class");
  CHECK(AnswerOf(vault->searches().SearchByField(vault.As(kCrmService), "contact", "last_name",
                                                 "Doe", {})) == "purpose_not_allowed");
  CHECK(vault->records().ListRecords(vault.As(kCrmService), client, "", true, {})->items.empty());
  CHECK(vault->purposes().GetPurpose(vault.As(kCrmService), "client-care")->classes ==
        Strings{"complaint"});
  vault.Close();
  vault.Open();
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), client, record)) ==
        "purpose_not_allowed");
  CHECK(AnswerOf(vault->purposes().PutPurpose(vault.As(kAdministrator), "x",
                                              R"({"title": "X", "legal_basis": "consent",
                                       "classes": []})")) == "purpose_invalid");
}

TEST_CASE("a client certificate is asked for where a grant wants one, and explained") {
  RuleVault vault;
  const ClientId client = vault.NewClient("A-1");
  auto caller = vault.With(R"([{"actions": ["client.read"],
      "conditions": {"certificate": true, "networks": ["192.0.2.0/24"]}}])");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Again(caller), client)) ==
        "certificate_required");
  caller.certificate = ClientCertificate{};
  CHECK(vault->clients().GetClient(vault.Again(caller), client));
  AccessQuestion question;
  question.principal = vault.principal;
  question.action = "client.read";
  question.client = client;
  question.purpose = "client-care";
  const auto explain = [&] {
    const auto answer =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    REQUIRE(answer);
    return answer->rule;
  };
  CHECK(explain() == "check:network");
  question.address = "192.0.2.9";
  CHECK(explain() == "check:certificate");
  question.certificate = true;
  CHECK(explain().starts_with("role:made-"));
}

}  // namespace
}  // namespace coffer::vault
