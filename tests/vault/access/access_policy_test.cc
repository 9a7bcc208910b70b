#include "vault/access/access_policy.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "tests/support/open_vault.h"
#include "tests/support/roles.h"
#include "vault/access/token_limits.h"
#include "vault/catalog/purpose.h"

namespace coffer::vault {
namespace {

using enum Action;

// Written by hand from what each role is for, not from the code: administrator, security officer,
// privacy officer, case worker, CRM service, auditor, supervisor. 'x' may, '.' may not.
struct PolicyRow {
  Action action;
  std::string_view name;
  bool client_data;
  std::string_view who;  // A S P C R U V
};
constexpr PolicyRow kMatrix[] = {
    {kClientCreate, "client.create", true, "....x.."},
    {kClientRead, "client.read", true, "..xxx.x"},
    {kClientUpdate, "client.update", true, "...xx.."},
    {kClientList, "client.list", true, "..xxx.x"},
    {kClientSearch, "client.search", true, "..xxx.x"},
    {kClientErase, "client.erase", true, "..x...."},
    {kClientExport, "client.export", true, "..x...."},
    {kClientPackage, "client.package", true, "..x...."},
    {kClientTrace, "client.trace", false, ".xx...."},
    {kRecordCreate, "record.create", true, "...xx.."},
    {kRecordRead, "record.read", true, "..xxx.x"},
    {kRecordList, "record.list", true, "..xxx.x"},
    {kRecordUpdate, "record.update", true, "...xx.."},
    {kRecordDelete, "record.delete", true, "..x.x.."},
    {kRecordImport, "record.import", true, "....x.."},
    {kRecordErase, "record.erase", true, "..x...."},
    {kClassRead, "class.read", false, "xxxxxxx"},
    {kClassWrite, "class.write", false, "x......"},
    {kPurposeRead, "purpose.read", false, "xxxxxxx"},
    {kPurposeWrite, "purpose.write", false, "x.x...."},
    {kTokenCreate, "token.create", false, "x......"},
    {kTokenList, "token.list", false, "xx....."},
    {kTokenRevoke, "token.revoke", false, "xx....."},
    {kPrincipalRead, "principal.read", false, "xx....x"},
    {kPrincipalWrite, "principal.write", false, "x......"},
    {kTeamRead, "team.read", false, "xx....x"},
    {kTeamWrite, "team.write", false, "......x"},
    {kSessionList, "session.list", false, "xx....."},
    {kSessionRevoke, "session.revoke", false, "xx....."},
    {kRoleRead, "role.read", false, "xx...x."},
    {kRoleWrite, "role.write", false, "x......"},
    {kAssignmentRead, "assignment.read", false, ".xx...x"},
    {kAssignmentWrite, "assignment.write", false, "......x"},
    {kLeaseRead, "lease.read", false, ".xx...x"},
    {kLeaseWrite, "lease.write", false, "......x"},
    {kEmergencyOpen, "emergency.open", false, "......x"},
    {kEmergencyRead, "emergency.read", false, ".x....."},
    {kEmergencyReview, "emergency.review", false, ".x....."},
    {kErasureRead, "erasure.read", false, ".xx..x."},
    {kHoldRead, "hold.read", false, ".xx..xx"},
    {kHoldWrite, "hold.write", false, ".xx...."},
    {kHoldLift, "hold.lift", false, "..x...."},
    {kRestrictionRead, "restriction.read", false, ".xx..xx"},
    {kRestrictionWrite, "restriction.write", false, "..x...."},
    {kConsentRead, "consent.read", false, "..x..x."},
    {kConsentWrite, "consent.write", false, "..x...."},
    {kConsentTextRead, "consent-text.read", false, "..x..x."},
    {kConsentTextWrite, "consent-text.write", false, "..x...."},
    {kRequestRead, "request.read", false, ".xx..x."},
    {kRequestWrite, "request.write", false, "..x...."},
    {kNoticeRead, "notice.read", false, ".xx..x."},
    {kNoticeWrite, "notice.write", false, "..x...."},
    {kRecipientRead, "recipient.read", false, ".xx..x."},
    {kRecipientWrite, "recipient.write", false, "..x...."},
    {kDisclosureRead, "disclosure.read", false, ".xx..x."},
    {kDisclosureWrite, "disclosure.write", false, "..x...."},
    {kClientOverview, "client.overview", false, ".xx...."},
    {kRegimeWrite, "regime.write", false, "..x...."},
    {kPackageRead, "package.read", false, "..x..x."},
    {kRetentionRead, "retention.read", false, "xxx..x."},
    {kRetentionWrite, "retention.write", false, "..x...."},
    {kRetentionRun, "retention.run", false, "..x...."},
    {kClockConfirm, "clock.confirm", false, "..x...."},
    {kApprovalRequest, "approval.request", false, "x.x...."},
    {kApprovalRead, "approval.read", false, "xxx...x"},
    {kApprovalDecide, "approval.decide", false, "xxx...x"},
    {kAccessExplain, "access.explain", false, ".x....."},
    {kBreachRead, "breach.read", false, ".xx..x."},
    {kBreachWrite, "breach.write", false, ".xx...."},
    {kBreachScope, "breach.scope", false, ".xx...."},
    {kProcessingRead, "processing.read", false, ".xx..x."},
    {kProcessingWrite, "processing.write", false, "..x...."},
    {kLogRead, "log.read", false, ".xx..x."},
    {kLogVerify, "log.verify", false, ".xx..x."},
    {kNoteRead, "note.read", false, ".xx...."},
    {kBackupRead, "backup.read", false, "xxx..x."},
    {kBackupRun, "backup.run", false, "xx....."},
    {kStatusRead, "status.read", false, "xxx..x."},
    {kMetricsRead, "metrics.read", false, "xx....."},
    {kSelfRead, "self.read", false, "xxxxxxx"},
};
// Which no role gives: everybody's own, and those of who is not known yet.
constexpr Action kOwn[] = {kTokenRotate, kSessionEnd, kSessionStepUp, kPasswordChange,
                           kApprovalWithdraw};
constexpr Action kOpen[] = {kEnrolmentRead, kEnrolmentComplete, kSessionCreate};
static_assert(std::size(kMatrix) + std::size(kOwn) + std::size(kOpen) == kActionCount,
              "every action has its row");

constexpr Role kColumns[] = {Role::kAdministrator, Role::kSecurityOfficer, Role::kPrivacyOfficer,
                             Role::kCaseWorker,    Role::kCrmService,      Role::kAuditor,
                             Role::kSupervisor};

constexpr audit::Timestamp kNow{1'767'323'045'000};

ClassSchema ClassFor(std::vector<std::string> purposes) {
  ClassSchema schema;
  schema.name = "contact";
  schema.purposes = std::move(purposes);
  return schema;
}

const Purpose kClientCare{"client-care", "Client care", "contract", {}, {}, {}};

// Everything is right: what a test then takes away is what refuses.
AccessFacts Facts(Role role, Action action) {
  AccessFacts facts;
  facts.action = action;
  facts.role = FindBuiltInRole(Name(role));
  facts.authenticated = true;
  facts.now = kNow;
  facts.purpose = "client-care";
  facts.registered = &kClientCare;
  return facts;
}

std::string Refusal(const AccessFacts& facts) {
  const auto decision = Decide(facts);
  return decision.allowed ? "allowed" : decision.rule + " " + std::string(decision.error.reason);
}

TEST_CASE("each role may do what its column says and nothing else") {
  for (const PolicyRow& row : kMatrix) {
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
  for (const PolicyRow& row : kMatrix) {
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
  for (const PolicyRow& row : kMatrix) {
    CHECK(Name(row.action) == row.name);
    names.insert(Name(row.action));
  }
  CHECK(names.size() == std::size(kMatrix));

  CHECK(BuiltInRoles().size() == std::size(kColumns));
  for (const Role role : kColumns) CHECK(FindBuiltInRole(Name(role))->name == Name(role));
  for (const char* name : {"", "admin", "Administrator", "crm-service ", "none"}) {
    CHECK(FindBuiltInRole(name) == nullptr);
  }
  for (const PolicyRow& row : kMatrix) CHECK(ActionFromName(row.name) == row.action);
  for (const char* name : {"", "record", "record.Read", "record.read "}) {
    CHECK(!ActionFromName(name));
  }
}

TEST_CASE("a principal without a role may do nothing") {
  for (const PolicyRow& row : kMatrix) {
    AccessFacts facts = Facts(Role::kCrmService, row.action);
    facts.role = nullptr;
    CHECK(Refusal(facts) == "check:role permission_denied");
  }
}

TEST_CASE("facts that nobody filled in refuse") {
  for (const PolicyRow& row : kMatrix) {
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
  facts.credential_fault = "token-expired";
  const TokenLimits limits{{kLogRead}, {}, {}};
  facts.limits = &limits;
  facts.now = kNow;
  facts.record_class = &billing_only;
  CHECK(Refusal(facts) == "check:authentication unauthenticated");
  facts.authenticated = true;
  facts.role = FindBuiltInRole("auditor");
  CHECK(Refusal(facts) == "check:token-expired unauthenticated");
  facts.credential_fault = {};
  CHECK(Refusal(facts) == "check:token-scope permission_denied");
  facts.limits = nullptr;
  CHECK(Refusal(facts) == "check:role permission_denied");
  facts.role = FindBuiltInRole("crm-service");
  CHECK(Refusal(facts) == "check:purpose purpose_required");
  facts.purpose = "client-care";
  CHECK(Refusal(facts) == "check:purpose purpose_unknown");
  facts.registered = &kClientCare;
  CHECK(Refusal(facts) == "check:class-purpose purpose_not_allowed");
  facts.purpose = "billing";
  CHECK(Refusal(facts) == "allowed");
}

TEST_CASE("each refusal has the code that its answer derives from") {
  AccessFacts facts = Facts(Role::kCrmService, kRecordRead);
  facts.purpose = {};
  CHECK(Decide(facts).error.code == Code::kInvalidArgument);
  facts = Facts(Role::kCrmService, kRecordRead);
  facts.registered = nullptr;
  CHECK(Decide(facts).error.code == Code::kUnprocessable);
  const ClassSchema billing_only = ClassFor({"billing"});
  facts = Facts(Role::kCrmService, kRecordRead);
  facts.record_class = &billing_only;
  CHECK(Decide(facts).error.code == Code::kPermissionDenied);
  facts = Facts(Role::kCrmService, kRecordRead);
  facts.authenticated = false;
  CHECK(Decide(facts).error.code == Code::kUnauthenticated);
}

TEST_CASE("what is everybody's own needs no grant, and what is open is no principal's") {
  for (const Action action : kOwn) {
    AccessFacts facts = Facts(Role::kAuditor, action);
    CHECK(Decide(facts).rule == "self");
    facts.credential_fault = "session-ended";
    CHECK(Refusal(facts) == "check:session-ended unauthenticated");
    facts.authenticated = false;
    CHECK(Refusal(facts) == "check:authentication unauthenticated");
  }
  for (const Action action : kOpen) {
    CHECK(Refusal(Facts(Role::kAdministrator, action)) == "check:role permission_denied");
  }
}

TEST_CASE("only what touches client data needs a purpose") {
  for (const PolicyRow& row : kMatrix) {
    for (const Role role : kRoles) {
      if (!RoleAllows(role, row.action)) continue;
      INFO(Name(role) << " " << row.name);
      AccessFacts facts = Facts(role, row.action);
      facts.purpose = {};
      facts.registered = nullptr;
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

RoleDocument Parsed(std::string_view grants) {
  auto role = ParseRole("made-here", R"({"grants": )" + std::string(grants) + "}");
  INFO(testing::AnswerOf(role));
  REQUIRE(role);
  return *std::move(role);
}

// One client of which everything is known, and one that is not there.
struct Asked {
  RoleDocument role;
  AccessFacts facts;
  ClientFacts client;

  explicit Asked(std::string_view grants, Action action = kRecordRead) : role(Parsed(grants)) {
    facts = Facts(Role::kCrmService, action);
    facts.role = &role;
    facts.client = &client;
  }
  Asked(const Asked&) = delete;
};

TEST_CASE("outside of its scope a client is not there, whatever else is wrong with the grant") {
  Asked assigned(R"([{"actions": ["record.read"], "scope": "assigned",
                      "conditions": {"ticket": true}}])");
  CHECK(Refusal(assigned.facts) == "check:scope not_found");
  assigned.client.assigned = true;
  CHECK(Refusal(assigned.facts) == "check:ticket ticket_required");
  assigned.facts.ticket_given = true;
  CHECK(Refusal(assigned.facts) == "allowed");

  Asked tagged(R"([{"actions": ["record.read"], "scope": {"tag": "vip"}}])");
  for (const char* tags : {"", "vi", "vips", "a-vip b", "eu.vip"}) {
    tagged.client.tags = tags;
    CHECK(Refusal(tagged.facts) == "check:scope not_found");
  }
  for (const char* tags : {"vip", "a vip", "vip z", "a vip z"}) {
    tagged.client.tags = tags;
    CHECK(Refusal(tagged.facts) == "allowed");
  }
}

TEST_CASE("a denial wins over every grant, in any order") {
  for (const char* grants :
       {R"([{"actions": ["record.read"]}, {"deny": true, "actions": ["record.read"]}])",
        R"([{"deny": true, "actions": ["record.read"]}, {"actions": ["record.read"]}])"}) {
    CHECK(Refusal(Asked(grants).facts) == "check:denial permission_denied");
  }
  Asked scoped(R"([{"actions": ["record.read"]},
                   {"deny": true, "actions": ["record.read"], "scope": {"tag": "vip"}}])");
  CHECK(Refusal(scoped.facts) == "allowed");
  scoped.client.tags = "vip";
  CHECK(Refusal(scoped.facts) == "check:denial permission_denied");
}

TEST_CASE("a denial for some classes or clients waits until one of them is asked for") {
  ClassSchema complaint = ClassFor({"client-care"});
  complaint.name = "complaint";
  const ClassSchema contact = ClassFor({"client-care"});
  Asked asked(R"([{"actions": ["record.read"]},
                  {"deny": true, "actions": ["record.read"], "classes": ["complaint"]}])");
  CHECK(Refusal(asked.facts) == "allowed");  // the record is still to be found
  CHECK(!ShowsEverything(Decide(asked.facts)));
  asked.facts.record_class = &contact;
  CHECK(Refusal(asked.facts) == "allowed");
  asked.facts.record_class = &complaint;
  CHECK(Refusal(asked.facts) == "check:denial permission_denied");

  Asked tagged(R"([{"actions": ["client.list"]},
                   {"deny": true, "actions": ["client.list"], "scope": {"tag": "vip"}}])",
               kClientList);
  tagged.facts.client = nullptr;
  CHECK(Refusal(tagged.facts) == "allowed");
  tagged.client.tags = "vip";
  tagged.facts.client = &tagged.client;
  CHECK(Refusal(tagged.facts) == "check:denial permission_denied");
}

TEST_CASE("a grant is about its classes and purposes alone") {
  const ClassSchema contact = ClassFor({"billing", "client-care"});
  Asked asked(R"([{"actions": ["record.read"], "classes": ["complaint"]}])");
  asked.facts.record_class = &contact;
  CHECK(Refusal(asked.facts) == "check:class permission_denied");
  Asked purpose(R"([{"actions": ["record.read"], "purposes": ["billing"]}])");
  purpose.facts.record_class = &contact;
  CHECK(Refusal(purpose.facts) == "check:grant-purpose purpose_not_allowed");
  purpose.facts.purpose = "billing";
  CHECK(Refusal(purpose.facts) == "allowed");
}

TEST_CASE("conditions are asked of the request, and what cannot be evaluated refuses") {
  Asked network(R"([{"actions": ["record.read"],
                     "conditions": {"networks": ["192.0.2.0/24", "2001:db8::/32"]}}])");
  for (const char* address : {"", "198.51.100.7", "no address", "192.0.2.7/32", "2001:db9::1"}) {
    network.facts.address = address;
    CHECK(Refusal(network.facts) == "check:network network_not_allowed");
  }
  for (const char* address : {"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"}) {
    network.facts.address = address;
    CHECK(Refusal(network.facts) == "allowed");
  }
  Asked denial(R"([{"actions": ["record.read"]}, {"deny": true, "actions": ["record.read"],
                    "conditions": {"networks": ["192.0.2.0/24"]}}])");
  denial.facts.address = "";
  CHECK(Refusal(denial.facts) == "check:denial permission_denied");
  denial.facts.address = "198.51.100.7";
  CHECK(Refusal(denial.facts) == "allowed");

  // kNow is Friday, 2026-01-02T03:04:05Z: five past four in Berlin.
  Asked hours(R"([{"actions": ["record.read"], "conditions": {"hours": {
      "zone": "Europe/Berlin", "days": ["fri"], "from": "04:00", "to": "04:05"}}}])");
  CHECK(Refusal(hours.facts) == "allowed");
  hours.facts.now.ms += 60'000;
  CHECK(Refusal(hours.facts) == "check:hours outside_hours");
  Asked reason(R"([{"actions": ["record.read"], "conditions": {"reason": true}}])");
  CHECK(Refusal(reason.facts) == "check:reason reason_required");
  reason.facts.reason_given = true;
  CHECK(Refusal(reason.facts) == "allowed");
}

TEST_CASE("a lease gives its fields of its client for its purpose until it expires") {
  ClassSchema schema = ClassFor({"billing", "client-care"});
  for (const char* name : {"iban", "name"}) schema.fields.emplace_back().name = name;
  const LeaseTerms lease{"lease_1", "contact", {"iban"}, "client-care", {kNow.ms + 1}};
  const LeaseTerms* const leases[] = {&lease};
  Asked asked(R"([{"actions": ["client.read"], "scope": "assigned"}])");
  asked.client.leases = leases;
  CHECK(Refusal(asked.facts) == "allowed");
  const auto decision = Decide(asked.facts);
  CHECK(decision.rule == "lease:lease_1");
  CHECK(ViewsOf(decision, schema) == std::vector{View::kPlain, View::kNone});
  CHECK(!ShowsEverything(decision));

  for (const Action other : {kRecordUpdate, kRecordDelete, kClientUpdate, kClientErase}) {
    asked.facts.action = other;
    CHECK(Refusal(asked.facts) == "check:role permission_denied");
  }
  asked.facts.action = kClientRead;  // whose reference and tags are no fields of the lease
  CHECK(Refusal(asked.facts) == "check:scope not_found");
  asked.facts.action = kRecordRead;
  asked.facts.purpose = "billing";
  CHECK(Refusal(asked.facts) == "check:role permission_denied");
  asked.facts.purpose = "client-care";
  asked.facts.now = lease.expires;  // that very moment
  CHECK(Refusal(asked.facts) == "check:role permission_denied");
}

TEST_CASE("of several grants the one that shows more of a field counts, and denials take away") {
  ClassSchema schema = ClassFor({"client-care"});
  for (const char* name : {"city", "email", "health", "iban", "note"}) {
    schema.fields.emplace_back().name = name;
  }
  schema.fields[2].sensitivity = Sensitivity::kSpecial;
  Asked asked(R"([{"actions": ["record.read"], "view": "presence"},
                  {"actions": ["record.read"], "view": "masked", "fields": ["email", "iban"]},
                  {"actions": ["record.read"], "fields": ["city", "email"]},
                  {"actions": ["record.read"], "classes": ["other"]},
                  {"actions": ["record.read"], "sensitivity": ["special"]},
                  {"deny": true, "actions": ["record.read"], "fields": ["note"]}])");
  CHECK(ViewsOf(Decide(asked.facts), schema) ==
        std::vector{View::kPlain, View::kPlain, View::kPlain, View::kMasked, View::kNone});
}

TEST_CASE("a role is refused at each of its faults") {
  const auto issues_of = [](std::string_view text) {
    return testing::IssuesOf(ParseRole("made-here", text));
  };
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "must be an object"},
      {R"({})", "/grants is required"},
      {R"({"grants": {}})", "/grants must be a list of at most 100 grants"},
      {R"({"grants": [], "more": 1})", "/more is not a known member"},
      {R"({"grants": [], "name": "other"})", "/name must be the name in the path"},
      {R"({"grants": [1]})", "/grants/0 must be an object"},
      {R"({"grants": [{}]})", "/grants/0/actions is required"},
      {R"({"grants": [{"actions": ["record.eat"]}]})",
       "/grants/0/actions has an item that is no action that roles give"},
      {R"({"grants": [{"actions": ["record.read"], "scope": "mine"}]})",
       R"(/grants/0/scope must be "all", "assigned" or {"tag": …})"},
      {R"({"grants": [{"actions": ["record.read"], "view": "none"}]})",
       "/grants/0/view must be one of plain, masked, presence"},
      {R"({"grants": [{"actions": ["record.read"], "conditions": {"networks": ["10.0.0.1/8"]}}]})",
       "/grants/0/conditions/networks has an item that is no network, as 192.0.2.0/24 is one"},
      {R"({"grants": [{"actions": ["record.read"], "conditions": {"mood": "good"}}]})",
       "/grants/0/conditions/mood is not a known condition"},
      {R"({"grants": [{"actions": ["token.create", "record.read"]}]})",
       "/grants gives client data together with running or watching the vault (separation of "
       "duties)"}};
  for (const auto& [text, wanted] : cases) {
    INFO(text);
    const auto issues = issues_of(text);
    CHECK(std::ranges::any_of(issues, [&](const std::string& issue) {
      return issue == wanted || issue == " " + std::string(wanted);
    }));
  }
}

}  // namespace
}  // namespace coffer::vault
