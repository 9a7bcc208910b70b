// Which conditions a lease and emergency access are under: every condition of every grant of the
// tier that decides, and no other, as a table over both.
#include "vault/access/conditions.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/support/open_vault.h"
#include "vault/catalog/purpose.h"

namespace coffer::vault {
namespace {

constexpr audit::Timestamp kFriday{1'767'323'045'000};  // 2026-01-02T03:04:05Z

// A condition, a request that breaks it and no other, and what the caller is told.
struct Broken {
  const char* condition;
  void (*breaks)(AccessFacts&);
  std::string_view told;
};
const Broken kBroken[] = {
    {R"({"networks": ["192.0.2.0/24"]})", [](AccessFacts& f) { f.address = "198.51.100.1"; },
     "network_not_allowed"},
    {R"({"networks": ["192.0.2.0/24"]})", [](AccessFacts& f) { f.address = ""; },
     "network_not_allowed"},
    {R"({"hours": {"zone": "UTC", "days": ["fri"], "from": "03:00", "to": "04:00"}})",
     [](AccessFacts& f) { f.now.ms += 3600 * 1000; }, "outside_hours"},
    {R"({"certificate": true})", [](AccessFacts& f) { f.certificate_shown = false; },
     "certificate_required"},
    {R"({"second_factor_minutes": 5})", [](AccessFacts& f) { f.second_factor = std::nullopt; },
     "second_factor_required"},
    {R"({"second_factor_minutes": 5})",
     [](AccessFacts& f) { f.second_factor = audit::Timestamp{kFriday.ms - 6 * 60 * 1000}; },
     "second_factor_required"},
    {R"({"reason": true})", [](AccessFacts& f) { f.reason_given = false; }, "reason_required"},
    {R"({"ticket": true})", [](AccessFacts& f) { f.ticket_given = false; }, "ticket_required"},
};

// The grants of a role, "C" for the condition; whether it counts for reading a record through a
// lease, and through emergency access.
struct Where {
  const char* grants;
  bool lease, emergency;
};
const Where kWhere[] = {
    // Of the action itself, whatever else the grant is about.
    {R"([{"actions": ["record.read"], "scope": "assigned", "conditions": C}])", true, true},
    {R"([{"actions": ["record.read"], "scope": {"tag": "vip"}, "conditions": C}])", true, true},
    {R"([{"actions": ["record.read"], "classes": ["other"], "conditions": C}])", true, true},
    {R"([{"actions": ["record.read"], "fields": ["other"], "scope": "assigned", "conditions": C}])",
     true, true},
    {R"([{"actions": ["record.read"], "purposes": ["other"], "conditions": C}])", true, true},
    {R"([{"actions": ["record.read"], "view": "masked", "scope": "assigned", "conditions": C}])",
     true, true},
    // Of one among several, in any order.
    {R"([{"actions": ["record.read"], "scope": "assigned"},
         {"actions": ["record.read"], "scope": "assigned", "conditions": C}])",
     true, true},
    {R"([{"actions": ["record.read"], "scope": "assigned", "conditions": C},
         {"actions": ["record.read"], "scope": "assigned"}])",
     true, true},
    // Of another action, where the role has the action: not.
    {R"([{"actions": ["record.read"], "scope": "assigned"},
         {"actions": ["record.update"], "conditions": C}])",
     false, false},
    // Where it has not: of whatever touches clients, and else of whatever there is.
    {R"([{"actions": ["client.read"], "conditions": C}])", true, true},
    {R"([{"actions": ["client.read"]}, {"actions": ["log.read"], "conditions": C}])", false, false},
    {R"([{"actions": ["log.read"], "conditions": C}])", true, true},
    {R"([{"actions": ["self.read"]}, {"actions": ["log.read"], "conditions": C}])", true, true},
    // Of taking it.
    {R"([{"actions": ["record.read"], "scope": "assigned"},
         {"actions": ["emergency.open"], "conditions": C}])",
     false, true},
};

class LeasedRead {
 public:
  LeasedRead(std::string grants, const char* condition, bool emergency, const char* own = nullptr) {
    const auto at = grants.find("\"conditions\": C");
    grants.replace(at, 15, "\"conditions\": " + std::string(condition));
    auto parsed = ParseRole("made-here", R"({"grants": )" + grants + "}");
    INFO(grants << " " << testing::AnswerOf(parsed));
    REQUIRE(parsed);
    role_ = *std::move(parsed);
    lease_ = {emergency ? "emg_1" : "lease_1",
              emergency ? "" : "contact",
              {},
              "client-care",
              {kFriday.ms + 7200 * 1000},
              emergency};
    if (own != nullptr) {
      std::vector<Issue> issues;
      lease_.own = ParseOwnConditions(own, issues);
      REQUIRE(issues.empty());
    }
    schema_.name = "contact";
    schema_.purposes = {"client-care"};
    facts.action = Action::kRecordRead;
    facts.authenticated = true;
    facts.role = &role_;
    facts.now = kFriday;
    facts.purpose = "client-care";
    facts.registered = &purpose_;
    facts.address = "192.0.2.7";
    facts.reason_given = facts.ticket_given = facts.certificate_shown = true;
    facts.second_factor = kFriday;
    facts.record_class = &schema_;
    facts.client = &client_;
    client_.leases = leases_;
  }
  LeasedRead(const LeasedRead&) = delete;

  std::string Answer() const {
    const auto decision = Decide(facts);
    if (decision.allowed) return decision.leases.empty() ? "without it" : "by it";
    return std::string(decision.error.reason);
  }
  AccessFacts facts;

 private:
  RoleDocument role_;
  LeaseTerms lease_;
  ClassSchema schema_;
  Purpose purpose_{"client-care", "Client care", "contract", {}, {}, {}};
  const LeaseTerms* leases_[1] = {&lease_};
  ClientFacts client_;
};

TEST_CASE("every condition of the holder's role holds for leases and emergency access") {
  for (const Where& where : kWhere) {
    for (const Broken& broken : kBroken) {
      for (const bool emergency : {false, true}) {
        INFO(where.grants << " " << broken.condition << " emergency " << emergency);
        LeasedRead read(where.grants, broken.condition, emergency);
        CHECK(read.Answer() == "by it");
        broken.breaks(read.facts);
        const bool counts = emergency ? where.emergency : where.lease;
        CHECK(read.Answer() == (counts ? broken.told : "by it"));
      }
    }
  }
}

TEST_CASE("a lease's own conditions count in the place of its holder's role's") {
  for (const Where& where : kWhere) {
    for (const Broken& broken : kBroken) {
      INFO(where.grants << " " << broken.condition);
      LeasedRead free(where.grants, broken.condition, false, "{}");
      broken.breaks(free.facts);
      CHECK(free.Answer() == "by it");
      LeasedRead own(where.grants, "{}", false, broken.condition);
      CHECK(own.Answer() == "by it");
      broken.breaks(own.facts);
      CHECK(own.Answer() == broken.told);
    }
  }
}

TEST_CASE("a budget of the role is no condition of a lease, and no lease has one") {
  LeasedRead read(R"([{"actions": ["record.read"], "scope": "assigned", "conditions": C}])",
                  R"({"budget": {"hour": 1}})", false);
  CHECK(read.Answer() == "by it");
  std::vector<Issue> issues;
  ParseOwnConditions(R"({"budget": {"hour": 1}})", issues);
  REQUIRE(issues.size() == 1);
  CHECK(issues[0].pointer == "/conditions/budget");
}

TEST_CASE("a denial wins over a lease") {
  LeasedRead read(R"([{"actions": ["record.read"], "scope": "assigned"},
      {"deny": true, "actions": ["record.read"], "conditions": C}])",
                  R"({"networks": ["192.0.2.0/24"]})", false, "{}");
  CHECK(read.Answer() == "permission_denied");
  read.facts.address = "198.51.100.1";
  CHECK(read.Answer() == "by it");
}

TEST_CASE("what is wrong with a lease's own conditions is told, and what cannot be read is unmet") {
  for (const auto& [text, pointer] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "/conditions"},
           {"nonsense", "/conditions"},
           {"null", "/conditions"},
           {R"({"mood": "good"})", "/conditions/mood"},
           {R"({"networks": ["10.0.0.1/8"]})", "/conditions/networks"},
           {R"({"networks": []})", "/conditions/networks"},
           {R"({"hours": {"zone": "Mars/North", "days": ["mon"], "from": "08:00",
                "to": "09:00"}})",
            "/conditions/hours/zone"},
           {R"({"ticket": 1})", "/conditions/ticket"}}) {
    INFO(text);
    std::vector<Issue> issues;
    ParseOwnConditions(text, issues);
    REQUIRE(!issues.empty());
    CHECK(issues[0].pointer == pointer);
    const auto stored = ReadOwnConditions(text);
    REQUIRE(stored);
    CHECK(!stored->conditions);
  }
  CHECK(ReadOwnConditions(R"({"ticket":true})")->conditions->ticket);
}

}  // namespace
}  // namespace coffer::vault
