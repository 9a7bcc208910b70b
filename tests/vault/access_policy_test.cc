#include "vault/access_policy.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

namespace coffer::vault {
namespace {

using enum Action;

// Written by hand from what each role is for, not from the code: administrator, security officer,
// privacy officer, case worker, CRM service, auditor. 'x' may, '.' may not.
struct Row {
  Action action;
  std::string_view name;
  bool client_data;
  std::string_view who;  // A S P C R U
};
constexpr Row kMatrix[] = {
    {kClientCreate, "client.create", true, "....x."},
    {kClientRead, "client.read", true, "..xxx."},
    {kClientUpdate, "client.update", true, "...xx."},
    {kClientList, "client.list", true, "..x.x."},
    {kClientSearch, "client.search", true, "..xxx."},
    {kClientErase, "client.erase", true, "..x..."},
    {kRecordCreate, "record.create", true, "...xx."},
    {kRecordRead, "record.read", true, "..xxx."},
    {kRecordList, "record.list", true, "..xxx."},
    {kRecordUpdate, "record.update", true, "...xx."},
    {kRecordDelete, "record.delete", true, "..x.x."},
    {kRecordImport, "record.import", true, "....x."},
    {kClassRead, "class.read", false, "xxxxxx"},
    {kClassWrite, "class.write", false, "x....."},
    {kPurposeRead, "purpose.read", false, "xxxxxx"},
    {kPurposeWrite, "purpose.write", false, "x.x..."},
    {kTokenCreate, "token.create", false, "x....."},
    {kTokenList, "token.list", false, "xx...."},
    {kTokenRevoke, "token.revoke", false, "xx...."},
    {kLogRead, "log.read", false, ".xx..x"},
    {kLogVerify, "log.verify", false, ".xx..x"},
    {kStatusRead, "status.read", false, "xxx..x"},
    {kMetricsRead, "metrics.read", false, "xx...."},
    {kSelfRead, "self.read", false, "xxxxxx"},
};
static_assert(std::size(kMatrix) == kActionCount, "every action has its row");

constexpr Role kColumns[] = {Role::kAdministrator, Role::kSecurityOfficer, Role::kPrivacyOfficer,
                             Role::kCaseWorker,    Role::kCrmService,      Role::kAuditor};

constexpr audit::Timestamp kNow{1'767'323'045'000};

ClassSchema ClassFor(std::vector<std::string> purposes) {
  ClassSchema schema;
  schema.name = "contact";
  schema.purposes = std::move(purposes);
  return schema;
}

// Everything is right: what a test then takes away is what refuses.
AccessFacts Facts(Role role, Action action) {
  AccessFacts facts;
  facts.action = action;
  facts.role = role;
  facts.token_expires = {kNow.ms + 1};
  facts.now = kNow;
  facts.purpose = "client-care";
  facts.purpose_registered = true;
  return facts;
}

std::string Refusal(const AccessFacts& facts) {
  const auto decision = Decide(facts);
  return decision.allowed ? "allowed" : decision.rule + " " + std::string(decision.error.reason);
}

TEST_CASE("each role may do what its column says and nothing else") {
  for (const Row& row : kMatrix) {
    for (std::size_t column = 0; column < std::size(kColumns); ++column) {
      const Role role = kColumns[column];
      INFO(Name(role) << " " << row.name);
      const bool may = row.who[column] == 'x';
      CHECK(RoleAllows(role, row.action) == may);
      const auto decision = Decide(Facts(role, row.action));
      CHECK(decision.allowed == may);
      if (may) {
        CHECK(decision.rule == "role:" + std::string(Name(role)));
      } else {
        CHECK(decision.rule == "check:role");
        CHECK(decision.error.code == Code::kPermissionDenied);
        CHECK(decision.error.reason == "permission_denied");
      }
    }
  }
}

TEST_CASE("who runs the vault and who watches it touch no client data") {
  for (const Row& row : kMatrix) {
    INFO(row.name);
    CHECK(TouchesClientData(row.action) == row.client_data);
    if (!row.client_data) continue;
    CHECK(!RoleAllows(Role::kAdministrator, row.action));
    CHECK(!RoleAllows(Role::kSecurityOfficer, row.action));
    CHECK(!RoleAllows(Role::kAuditor, row.action));
  }
}

TEST_CASE("nobody erases and creates, or writes tokens and reads the log") {
  for (const Role role : kRoles) {
    INFO(Name(role));
    CHECK(!(RoleAllows(role, kClientErase) && RoleAllows(role, kRecordUpdate)));
    CHECK(!(RoleAllows(role, kTokenCreate) && RoleAllows(role, kLogRead)));
    CHECK(!(RoleAllows(role, kTokenCreate) && RoleAllows(role, kRecordRead)));
  }
}

TEST_CASE("the words for actions and roles are those of the log") {
  std::set<std::string_view> names;
  for (const Row& row : kMatrix) {
    CHECK(Name(row.action) == row.name);
    names.insert(Name(row.action));
  }
  CHECK(names.size() == kActionCount);

  const std::pair<Role, std::string_view> roles[] = {
      {Role::kAdministrator, "administrator"},    {Role::kSecurityOfficer, "security-officer"},
      {Role::kPrivacyOfficer, "privacy-officer"}, {Role::kCaseWorker, "case-worker"},
      {Role::kCrmService, "crm-service"},         {Role::kAuditor, "auditor"}};
  // The numbers stand in the database.
  std::int64_t number = 1;
  for (const auto& [role, name] : roles) {
    CHECK(Name(role) == name);
    CHECK(RoleFromName(name) == role);
    CHECK(RoleFromNumber(number) == role);
    CHECK(static_cast<std::int64_t>(role) == number++);
  }
  for (const char* name : {"", "admin", "Administrator", "crm-service ", "none"}) {
    CHECK(!RoleFromName(name));
  }
  for (const std::int64_t unknown : {0, 7, -1, 257}) CHECK(!RoleFromNumber(unknown));
}

TEST_CASE("a role that is in no table may do nothing") {
  const auto forged = static_cast<Role>(99);
  for (const Row& row : kMatrix) {
    CHECK(!RoleAllows(forged, row.action));
    CHECK(Refusal(Facts(forged, row.action)) == "check:role permission_denied");
  }
}

TEST_CASE("facts that nobody filled in refuse") {
  for (const Row& row : kMatrix) {
    AccessFacts facts;
    facts.action = row.action;
    CHECK(Refusal(facts) == "check:authentication unauthenticated");
  }
}

TEST_CASE("who asks is checked before what is asked, and that before why") {
  const ClassSchema billing_only = ClassFor({"billing"});
  // From everything wrong, one thing after the other is put right: the next check refuses.
  AccessFacts facts;
  facts.action = kRecordRead;
  facts.token_revoked = true;
  facts.token_expires = kNow;
  facts.now = kNow;
  facts.record_class = &billing_only;
  CHECK(Refusal(facts) == "check:authentication unauthenticated");
  facts.role = Role::kAuditor;
  CHECK(Refusal(facts) == "check:token-revoked unauthenticated");
  facts.token_revoked = false;
  CHECK(Refusal(facts) == "check:token-expired unauthenticated");
  facts.token_expires = {kNow.ms + 1};
  CHECK(Refusal(facts) == "check:role permission_denied");
  facts.role = Role::kCaseWorker;
  CHECK(Refusal(facts) == "check:purpose purpose_required");
  facts.purpose = "client-care";
  CHECK(Refusal(facts) == "check:purpose purpose_unknown");
  facts.purpose_registered = true;
  CHECK(Refusal(facts) == "check:class-purpose purpose_not_allowed");
  facts.purpose = "billing";
  CHECK(Refusal(facts) == "allowed");
}

TEST_CASE("each refusal has the code that its answer derives from") {
  AccessFacts facts = Facts(Role::kCaseWorker, kRecordRead);
  facts.purpose = {};
  CHECK(Decide(facts).error.code == Code::kInvalidArgument);
  facts = Facts(Role::kCaseWorker, kRecordRead);
  facts.purpose_registered = false;
  CHECK(Decide(facts).error.code == Code::kUnprocessable);
  const ClassSchema billing_only = ClassFor({"billing"});
  facts = Facts(Role::kCaseWorker, kRecordRead);
  facts.record_class = &billing_only;
  CHECK(Decide(facts).error.code == Code::kPermissionDenied);
  facts = Facts(Role::kCaseWorker, kRecordRead);
  facts.role.reset();
  CHECK(Decide(facts).error.code == Code::kUnauthenticated);
}

TEST_CASE("a token is good until the millisecond in which it expires") {
  AccessFacts facts = Facts(Role::kAuditor, kLogRead);
  facts.token_expires = {kNow.ms + 1};
  CHECK(Decide(facts).allowed);
  facts.token_expires = kNow;
  CHECK(!Decide(facts).allowed);
  facts.token_expires = {kNow.ms - 1};
  CHECK(!Decide(facts).allowed);
}

TEST_CASE("only what touches client data needs a purpose") {
  for (const Row& row : kMatrix) {
    for (const Role role : kRoles) {
      if (!RoleAllows(role, row.action)) continue;
      INFO(Name(role) << " " << row.name);
      AccessFacts facts = Facts(role, row.action);
      facts.purpose = {};
      facts.purpose_registered = false;
      CHECK(Decide(facts).allowed == !row.client_data);
    }
  }
}

TEST_CASE("a class is read only for one of its purposes") {
  const ClassSchema schema = ClassFor({"billing", "client-care"});
  AccessFacts facts = Facts(Role::kCrmService, kRecordCreate);
  facts.record_class = &schema;
  CHECK(Decide(facts).allowed);
  facts.purpose = "marketing";
  CHECK(Refusal(facts) == "check:class-purpose purpose_not_allowed");
  const ClassSchema none = ClassFor({});
  facts.record_class = &none;
  facts.purpose = "client-care";
  CHECK(Refusal(facts) == "check:class-purpose purpose_not_allowed");
}

}  // namespace
}  // namespace coffer::vault
