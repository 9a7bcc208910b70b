// Each action with each narrowing, in grants and in denials: the role is refused, or it narrows.
#include "vault/catalog/role_narrowing.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/open_vault.h"
#include "vault/catalog/purpose.h"

namespace coffer::vault {
namespace {

using enum Action;
using nlohmann::json;

// Written by hand from what each action looks at. Of each narrowing in turn: '.' refused, 'x'
// narrows grants and denials, 'g' grants alone.
//   assigned, tag, classes, fields, sensitivity, view, purposes, approves,
//   reason, ticket, networks, hours, certificate, second factor, budget
struct NarrowingRow {
  Action action;
  std::string_view narrows;
};
constexpr std::string_view kOfClients = "xx....x.ggxxgg.";
constexpr std::string_view kOfRecords = "xxxxx.x.ggxxgg.";
constexpr std::string_view kAboutClients = "xx......ggxxgg.";
constexpr std::string_view kPlainly = "........ggxxgg.";
constexpr NarrowingRow kTable[] = {
    {kClientCreate, ".x....x.ggxxgg."},   {kClientRead, kOfClients},
    {kClientUpdate, kOfClients},          {kClientList, kOfClients},
    {kClientSearch, kOfRecords},          {kClientErase, kOfRecords},
    {kClientExport, "xxxxxgx.ggxxggg"},   {kClientPackage, "xxxxxgx.ggxxggg"},
    {kClientTrace, kAboutClients},        {kRecordCreate, kOfRecords},
    {kRecordRead, "xxxxxgx.ggxxggg"},     {kRecordList, "xxxxxgx.ggxxgg."},
    {kRecordUpdate, kOfRecords},          {kRecordDelete, kOfRecords},
    {kRecordImport, kOfRecords},          {kRecordErase, kOfRecords},
    {kAssignmentRead, kAboutClients},     {kAssignmentWrite, kAboutClients},
    {kLeaseRead, kAboutClients},          {kLeaseWrite, kAboutClients},
    {kEmergencyOpen, kAboutClients},      {kHoldRead, kAboutClients},
    {kHoldWrite, kAboutClients},          {kHoldLift, kAboutClients},
    {kRestrictionRead, kAboutClients},    {kRestrictionWrite, kAboutClients},
    {kConsentRead, kAboutClients},        {kConsentWrite, kAboutClients},
    {kRequestRead, kAboutClients},        {kRequestWrite, kAboutClients},
    {kPackageRead, kAboutClients},        {kNoticeRead, kAboutClients},
    {kNoticeWrite, kAboutClients},        {kDisclosureRead, kAboutClients},
    {kDisclosureWrite, kAboutClients},    {kClientOverview, kAboutClients},
    {kApprovalDecide, ".......gggxxgg."},
};

std::string_view RowOf(Action action) {
  const auto* const found = std::ranges::find(kTable, action, &NarrowingRow::action);
  return found == std::end(kTable) ? kPlainly : found->narrows;
}

json WithNarrowing(json grant, Narrowing narrowing) {
  static const char* const kMembers[] = {
      R"({"scope": "assigned"})",
      R"({"scope": {"tag": "vip"}})",
      R"({"classes": ["contact"]})",
      R"({"fields": ["city"]})",
      R"({"sensitivity": ["internal"]})",
      R"({"view": "masked"})",
      R"({"purposes": ["client-care"]})",
      R"({"approves": ["client.erase"]})",
      R"({"conditions": {"reason": true}})",
      R"({"conditions": {"ticket": true}})",
      R"({"conditions": {"networks": ["192.0.2.0/24"]}})",
      R"({"conditions": {"hours": {"zone": "UTC", "days": ["fri"], "from": "03:00", "to": "04:00"}}})",
      R"({"conditions": {"certificate": true}})",
      R"({"conditions": {"second_factor_minutes": 5}})",
      R"({"conditions": {"budget": {"hour": 3}}})"};
  grant.update(json::parse(kMembers[static_cast<std::size_t>(narrowing)]));
  return grant;
}

json GrantOf(std::vector<std::string_view> actions, bool deny = false) {
  json grant = {{"actions", actions}};
  if (deny) grant["deny"] = true;
  return grant;
}

Result<RoleDocument> ParseGrants(const std::vector<json>& grants,
                                 RoleOrigin origin = RoleOrigin::kGiven) {
  return ParseRole("made-here", json{{"grants", grants}}.dump(), origin);
}

constexpr audit::Timestamp kFriday{1'767'323'045'000};  // 2026-01-02T03:04:05Z
const Purpose kCare{"client-care", "Client care", "contract", {}, {}, {}};
const Purpose kMarketing{"marketing", "Marketing", "consent", {}, {}, {}};

ClassSchema ClassOfOneField(std::string name, std::string field, Sensitivity sensitivity) {
  ClassSchema schema;
  schema.name = std::move(name);
  schema.purposes = {"client-care", "marketing"};
  schema.fields.emplace_back().name = std::move(field);
  schema.fields[0].sensitivity = sensitivity;
  return schema;
}

// A request that everything allows; `outside`: one that this narrowing alone leaves out.
struct Request {
  ClientFacts client{true, "vip", {}};
  ClassSchema schema = ClassOfOneField("contact", "city", Sensitivity::kInternal);
  AccessFacts facts;

  Request(const RoleDocument& role, Action action, Narrowing narrowing, bool outside) {
    facts.action = action;
    facts.authenticated = true;
    facts.role = &role;
    facts.now = kFriday;
    facts.purpose = "client-care";
    facts.registered = &kCare;
    facts.address = "192.0.2.7";
    facts.reason_given = facts.ticket_given = facts.certificate_shown = true;
    facts.second_factor = kFriday;
    facts.client = &client;
    facts.record_class = IsAboutRecords(action) ? &schema : nullptr;
    if (outside) LeaveOut(narrowing);
  }
  Request(const Request&) = delete;

  void LeaveOut(Narrowing narrowing) {
    switch (narrowing) {
      case Narrowing::kAssigned:
        client.assigned = false;
        break;
      case Narrowing::kTag:
        client.tags = "eu";
        break;
      case Narrowing::kClasses:
        schema.name = "complaint";
        break;
      case Narrowing::kFields:
        schema.fields[0].name = "iban";
        break;
      case Narrowing::kSensitivity:
        schema.fields[0].sensitivity = Sensitivity::kSpecial;
        break;
      case Narrowing::kPurposes:
        facts.purpose = "marketing";
        facts.registered = &kMarketing;
        break;
      case Narrowing::kReason:
        facts.reason_given = false;
        break;
      case Narrowing::kTicket:
        facts.ticket_given = false;
        break;
      case Narrowing::kNetworks:
        facts.address = "198.51.100.7";
        break;
      case Narrowing::kHours:
        facts.now.ms += 3'600'000;
        facts.second_factor = facts.now;
        break;
      case Narrowing::kCertificate:
        facts.certificate_shown = false;
        break;
      case Narrowing::kSecondFactor:
        facts.second_factor->ms -= 300'001;
        break;
      case Narrowing::kBudget:
        facts.revealed = {3, 3};
        break;
      case Narrowing::kView:
      case Narrowing::kApproves:
        break;
    }
  }

  // Allowed, and with the field in plain sight where it is told by fields.
  bool Passes() const {
    const auto decision = Decide(facts);
    if (!decision.allowed || facts.record_class == nullptr) return decision.allowed;
    return ViewsOf(decision, schema) == std::vector{View::kPlain};
  }
};

TEST_CASE("a grant narrows each of its actions by each of its members, or is refused") {
  for (int i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    if (KindOf(action) != ActionKind::kGranted) continue;
    for (int n = 0; n < kNarrowingCount; ++n) {
      const auto narrowing = static_cast<Narrowing>(n);
      const json grant = WithNarrowing(GrantOf({Name(action)}), narrowing);
      INFO(grant.dump());
      const auto role = ParseGrants({grant});
      const bool accepted = RowOf(action)[static_cast<std::size_t>(n)] != '.';
      REQUIRE(role.has_value() == accepted);
      if (!accepted) {
        REQUIRE(role.error().reason == "role_invalid");
        const auto issues = testing::IssuesOf(role);
        const std::string wanted =
            "/grants/0" + std::string(MemberOf(narrowing)) +
            (narrowing == Narrowing::kApproves ? " is for approval.decide"
                                               : " does not narrow " + std::string(Name(action)));
        CHECK(std::ranges::find(issues, wanted) != issues.end());
        continue;
      }
      if (narrowing == Narrowing::kApproves) {
        CHECK(role->grants[0].CoversApproval("client.erase"));
        CHECK(!role->grants[0].CoversApproval("role.write"));
      } else if (narrowing == Narrowing::kView) {
        Request request(*role, action, narrowing, false);
        const auto decision = Decide(request.facts);
        REQUIRE(decision.allowed);
        CHECK(ViewsOf(decision, request.schema) == std::vector{View::kMasked});
      } else {
        CHECK(Request(*role, action, narrowing, false).Passes());
        CHECK(!Request(*role, action, narrowing, true).Passes());
      }
    }
  }
}

TEST_CASE("a denial is narrowed by each of its members, or is refused") {
  for (int i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    if (KindOf(action) != ActionKind::kGranted) continue;
    for (int n = 0; n < kNarrowingCount; ++n) {
      const auto narrowing = static_cast<Narrowing>(n);
      const json denial = WithNarrowing(GrantOf({Name(action)}, true), narrowing);
      INFO(denial.dump());
      const auto role = ParseGrants({GrantOf({Name(action)}), denial});
      const bool accepted = RowOf(action)[static_cast<std::size_t>(n)] == 'x';
      REQUIRE(role.has_value() == accepted);
      if (!accepted) {
        CHECK(testing::IssuesOf(role).front().starts_with("/grants/1" +
                                                          std::string(MemberOf(narrowing))));
        continue;
      }
      CHECK(!Request(*role, action, narrowing, false).Passes());
      CHECK(Request(*role, action, narrowing, true).Passes());
    }
  }
}

TEST_CASE("a budget narrows what stands beside what spends it") {
  for (int i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    if (KindOf(action) != ActionKind::kGranted) continue;
    const auto role =
        ParseGrants({WithNarrowing(GrantOf({Name(action), "record.read"}), Narrowing::kBudget)});
    INFO(Name(action));
    REQUIRE(role.has_value() == TouchesClientData(action));
    if (!role) continue;
    CHECK(Request(*role, action, Narrowing::kBudget, false).Passes());
    CHECK(!Request(*role, action, Narrowing::kBudget, true).Passes());
  }
}

TEST_CASE("a stored role that would be refused is no wider than it reads") {
  for (int i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    if (KindOf(action) != ActionKind::kGranted) continue;
    for (int n = 0; n < kNarrowingCount; ++n) {
      const auto narrowing = static_cast<Narrowing>(n);
      for (const bool deny : {false, true}) {
        const json grant = WithNarrowing(GrantOf({Name(action)}, deny), narrowing);
        const std::vector<json> grants = {GrantOf({deny ? Name(action) : "self.read"}), grant};
        if (ParseGrants(grants)) continue;
        INFO(grant.dump());
        const auto role = ParseGrants(grants, RoleOrigin::kStored);
        // What was refused before is not stored.
        const bool stored =
            narrowing != Narrowing::kApproves && !(deny && narrowing == Narrowing::kBudget);
        REQUIRE(role.has_value() == stored);
        if (!role) continue;
        REQUIRE(role->not_evaluated.size() == 1);
        CHECK(role->not_evaluated[0].pointer == "/grants/1" + std::string(MemberOf(narrowing)));
        for (const bool outside : {false, true}) {
          const Request request(*role, action, narrowing, outside);
          const auto decision = Decide(request.facts);
          CHECK((!decision.allowed || (!deny && action == kSelfRead)));
          CHECK(role->grants[0].place == 0);
        }
      }
    }
  }
}

TEST_CASE("of a stored grant the actions that all of it narrows stay") {
  const json grant = WithNarrowing(
      WithNarrowing(GrantOf({"record.read", "class.read", "log.read"}), Narrowing::kTag),
      Narrowing::kPurposes);
  const auto refused = ParseGrants({grant});
  CHECK(testing::IssuesOf(refused) ==
        std::vector<std::string>{"/grants/0/scope does not narrow class.read, log.read",
                                 "/grants/0/purposes does not narrow class.read, log.read"});
  const auto role = ParseGrants({grant}, RoleOrigin::kStored);
  REQUIRE(role);
  CHECK(role->Allows(kRecordRead));
  CHECK(!role->Allows(kClassRead));
  CHECK(!role->Allows(kLogRead));
}

TEST_CASE("the built-in roles say nothing that is not evaluated") {
  for (const RoleDocument& role : BuiltInRoles()) {
    INFO(role.name);
    CHECK(role.not_evaluated.empty());
    for (const Grant& grant : role.grants) CHECK(UnevaluatedIn(grant, "").empty());
  }
}

TEST_CASE("what is searched unseen is said by a grant of searching alone") {
  const auto issues_of = [](const char* grant) {
    return testing::IssuesOf(ParseGrants({json::parse(grant)}));
  };
  CHECK(issues_of(R"({"actions": ["client.search"], "search": "unseen"})").empty());
  CHECK(issues_of(R"({"actions": ["client.search"], "search": "unseen",
                      "conditions": {"budget": {"day": 5}}})")
            .empty());
  CHECK(issues_of(R"({"actions": ["client.search"], "search": "masked"})") ==
        std::vector<std::string>{"/grants/0/search must be \"unseen\""});
  for (const char* wrong :
       {R"({"actions": ["client.read"], "search": "unseen"})",
        R"({"deny": true, "actions": ["client.search"], "search": "unseen"})"}) {
    CHECK(issues_of(wrong) ==
          std::vector<std::string>{"/grants/0/search is for grants of client.search"});
  }
}

}  // namespace
}  // namespace coffer::vault
