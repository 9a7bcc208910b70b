// Conditions of leases through the vault: given, kept, shown, logged, and explained as they decide.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kPurposeHere = "complaint-handling";

class LeaseVault : public TestVault {
 public:
  LeaseVault() : client(NewClient("A-1")) {
    const json complaint = {{"complaint_number", "C-1"},
                            {"received_on", "2026-01-02"},
                            {"channel", "phone"},
                            {"category", "service"},
                            {"status", "received"},
                            {"description", "The heating fails"},
                            {"special_circumstances", "asthma"}};
    const auto made = (*this)->records().CreateRecord(As(kCrmService, kPurposeHere), client,
                                                      "complaint", complaint, {});
    INFO(AnswerOf(made));
    REQUIRE(made);
    record = made->id;
    REQUIRE((*this)->roles().PutRole(As(kAdministrator), "desk", R"({"grants": [
        {"actions": ["record.read", "record.list", "client.read"], "scope": "assigned",
         "conditions": {"networks": ["192.0.2.0/24"],
                        "hours": {"zone": "UTC", "days": ["fri"], "from": "03:00", "to": "04:00"}}},
        {"actions": ["emergency.open"]}]})"));
    const auto token = NewTokenFor("desk", 30 * 24 * 3600);
    REQUIRE(token);
    holder = token->info.principal;
    secret_ = token->secret;
  }
  Caller AsHolder(const std::string& address = "192.0.2.7") {
    Caller caller = Stranger(secret_);
    caller.purpose = kPurposeHere;
    caller.address = address;
    return caller;
  }
  LeaseRequest Request(std::optional<std::string> conditions = {}) {
    return {holder,   "complaint",   {"special_circumstances"}, kPurposeHere,
            "CASE-1", 7 * 24 * 3600, std::move(conditions)};
  }
  Lease Give(std::optional<std::string> conditions = {}) {
    given = As(kSupervisor);
    const auto lease = (*this)->leases().GiveLease(given, client, Request(std::move(conditions)));
    INFO(AnswerOf(lease));
    REQUIRE(lease);
    return *lease;
  }
  std::string Read(const std::string& address = "192.0.2.7") {
    return AnswerOf((*this)->records().GetRecord(AsHolder(address), client, record));
  }
  AccessAnswer Explain(const std::string& address = "192.0.2.7") {
    AccessQuestion question;
    question.principal = holder;
    question.action = "record.read";
    question.client = client;
    question.class_name = "complaint";
    question.purpose = kPurposeHere;
    question.address = address;
    const auto answer =
        (*this)->access_explanations().ExplainAccess(As(kSecurityOfficer), question);
    INFO(AnswerOf(answer));
    REQUIRE(answer);
    return *answer;
  }

  ClientId client;
  RecordId record;
  PrincipalId holder;
  Caller given;

 private:
  std::string secret_;
};

TEST_CASE("a lease opens no hour and no network, and an explanation says so") {
  LeaseVault vault;
  CHECK(vault.Read() == "not_found");
  const Lease lease = vault.Give();
  CHECK(!lease.conditions);
  CHECK(vault.Read() == "ok");
  CHECK(vault.Explain().allowed);
  CHECK(vault.Read("198.51.100.1") == "network_not_allowed");
  const auto far = vault.Explain("198.51.100.1");
  CHECK(!far.allowed);
  CHECK(far.reason == "network_not_allowed");
  REQUIRE(far.leases.size() == 1);
  CHECK(far.leases[0].id == lease.id.Text());
  CHECK(!far.leases[0].open);
  CHECK(far.leases[0].reason == "network_not_allowed");
  CHECK(!far.leases[0].conditions);
  vault.clock.Advance(3600 * 1000);
  CHECK(vault.Read() == "outside_hours");
  CHECK(vault.Explain().reason == "outside_hours");
  vault.clock.Advance(-3600 * 1000);
}

TEST_CASE("emergency access opens no hour and no network") {
  LeaseVault vault;
  Caller opener = vault.AsHolder();
  opener.reason = "nobody else is here";
  REQUIRE(vault->emergencies().OpenEmergency(opener, vault.client,
                                             {kPurposeHere, "CASE-1", 24 * 3600}));
  CHECK(vault.Read() == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.AsHolder(), vault.client)) == "ok");
  CHECK(vault.Read("198.51.100.1") == "network_not_allowed");
  CHECK(AnswerOf(vault->clients().GetClient(vault.AsHolder("198.51.100.1"), vault.client)) ==
        "network_not_allowed");
  CHECK(AnswerOf(vault->records().ListRecords(vault.AsHolder("198.51.100.1"), vault.client, "",
                                              true, {})) == "network_not_allowed");
}

TEST_CASE("a lease's own conditions are kept, shown, logged and explained") {
  LeaseVault vault;
  const std::string own = R"({"networks":["198.51.100.0/24"]})";
  const Lease lease = vault.Give(R"({ "networks": ["198.51.100.0/24"] })");
  CHECK(lease.conditions == own);
  CHECK(
      vault.EntryOf(vault.given).at("detail").get<std::string>().ends_with("; conditions " + own));
  const auto check = [&] {
    CHECK(vault.Read("198.51.100.1") == "ok");
    CHECK(vault.Read("192.0.2.7") == "network_not_allowed");
    const auto listed = vault->leases().ListLeases(vault.As(kSupervisor), vault.client);
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK(listed->front().conditions == own);
    const auto explained = vault.Explain("198.51.100.1");
    CHECK(explained.allowed);
    REQUIRE(explained.leases.size() == 1);
    CHECK(explained.leases[0].open);
    CHECK(explained.leases[0].conditions == own);
    CHECK(vault.Explain("192.0.2.7").reason == "network_not_allowed");
  };
  check();
  vault.Close();
  vault.Open();
  check();
  vault.CheckInvariants();
}

TEST_CASE("conditions that cannot be read any more end the lease, and not the vault") {
  LeaseVault vault;
  vault.Give(R"({"hours": {"zone": "UTC", "days": ["fri"], "from": "00:00", "to": "24:00"}})");
  CHECK(vault.Read() == "ok");
  vault.Close();
  vault.Tamper("UPDATE leases SET conditions = replace(conditions, 'UTC', 'Mars/North')");
  vault.Open(true);
  CHECK(vault.Read() == "outside_hours");
  CHECK(vault.Explain().leases.at(0).reason == "outside_hours");
}

TEST_CASE("conditions of a lease that are not valid give none") {
  LeaseVault vault;
  for (const char* wrong : {"[]", "{", "1", R"({"budget": {"hour": 1}})", R"({"ticket": "yes"})",
                            R"({"networks": ["everywhere"]})"}) {
    INFO(wrong);
    const auto refused =
        vault->leases().GiveLease(vault.As(kSupervisor), vault.client, vault.Request(wrong));
    CHECK(AnswerOf(refused) == "lease_invalid");
    REQUIRE(!refused.error().issues.empty());
    CHECK(refused.error().issues[0].pointer.starts_with("/conditions"));
  }
  CHECK(vault->leases().ListLeases(vault.As(kSupervisor), vault.client)->empty());
}

}  // namespace
}  // namespace coffer::vault
