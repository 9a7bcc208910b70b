// How much one requester may have open, that the list has pages, and what of it is kept.
#include "vault/access/open_approvals.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class AskingVault : public TestVault {
 public:
  AskingVault() : TestVault({.two_person = true}) {}

  Result<Approval> Ask(const Proposal& proposal, Role role = kAdministrator) {
    clock.Advance(1);
    return (*this)->approvals().RequestApproval(As(role), proposal);
  }
  static Proposal Giving(int n) {
    return {"role.give", "service:s" + std::to_string(n), R"({"by":"token","role":"auditor"})"};
  }
  // Of about this many bytes, or some more.
  static Proposal Large(int n, std::size_t bytes) {
    json networks = json::array();
    for (int i = 0; i < 100; ++i) networks.push_back("2001:db8::" + std::to_string(i) + "/128");
    const json grant = {{"actions", {"client.read"}}, {"conditions", {{"networks", networks}}}};
    json grants = json::array();
    for (std::size_t size = 0; size < bytes; size += grant.dump().size()) grants.push_back(grant);
    return {"role.write", "made-" + std::to_string(n), json{{"grants", grants}}.dump()};
  }
  std::vector<Approval> All(std::size_t limit, std::size_t& pages) {
    std::vector<Approval> all;
    PageRequest page{.limit = limit, .cursor = {}};
    for (pages = 0;; ++pages) {
      const auto listed = (*this)->approvals().ListApprovals(As(kSecurityOfficer), page);
      INFO(AnswerOf(listed));
      REQUIRE(listed);
      CHECK(listed->items.size() <= limit);
      all.insert(all.end(), listed->items.begin(), listed->items.end());
      if (listed->next_cursor.empty()) return all;
      page.cursor = listed->next_cursor;
    }
  }
  std::int64_t Rows() { return Number("SELECT count(*) FROM approvals"); }
};

TEST_CASE("one requester keeps four hundred approvals open, and others are not concerned") {
  AskingVault vault;
  const auto before = vault.Rows();
  std::optional<ApprovalId> one;
  for (std::size_t n = 0; n < kMaxOpenApprovals; ++n) {
    const auto asked = vault.Ask(AskingVault::Giving(static_cast<int>(n)));
    INFO(n << " " << AnswerOf(asked));
    REQUIRE(asked);
    one = asked->id;
  }
  CHECK(AnswerOf(vault.Ask(AskingVault::Giving(5000))) == "too_many_approvals");
  CHECK(vault.Rows() == before + static_cast<std::int64_t>(kMaxOpenApprovals));
  CHECK(AnswerOf(vault.Ask({"client.export", "all", {}}, kPrivacyOfficer)) == "ok");
  REQUIRE(vault->approvals().WithdrawApproval(vault.As(kAdministrator), *one));
  CHECK(AnswerOf(vault.Ask(AskingVault::Giving(5001))) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("large contents count by their bytes, and one that is too large is refused") {
  AskingVault vault;
  std::size_t bytes = 0;
  std::string answer = "ok";
  for (int n = 0; n < 40 && answer == "ok"; ++n) {
    const Proposal large = AskingVault::Large(n, 100'000);
    answer = AnswerOf(vault.Ask(large));
    if (answer == "ok") bytes += large.content.size();
  }
  CHECK(answer == "too_many_approvals");
  CHECK(bytes <= kMaxOpenApprovalBytes);
  CHECK(AnswerOf(vault.Ask({"role.write", "r", std::string(kMaxApprovalContent + 1, ' ')})) ==
        "document_too_large");
  // Each page is bounded too.
  std::size_t pages = 0;
  const auto all = vault.All(200, pages);
  CHECK(pages >= 1);
  CHECK(all.size() >= 15);
}

TEST_CASE("who asks and withdraws for ever leaves no more than is kept") {
  AskingVault vault;
  const auto before = vault.Rows();
  for (std::size_t n = 0; n < kMaxUnusedApprovals + 60; ++n) {
    const auto asked = vault.Ask(AskingVault::Giving(static_cast<int>(n)));
    REQUIRE(asked);
    REQUIRE(vault->approvals().WithdrawApproval(vault.As(kAdministrator), asked->id));
  }
  CHECK(vault.Rows() <= before + static_cast<std::int64_t>(kMaxUnusedApprovals) + 1);
  vault.clock.Advance(kUnusedApprovalsKeptMs + 1000);
  REQUIRE(vault.Ask(AskingVault::Giving(0)));
  CHECK(vault.Number("SELECT count(*) FROM approvals WHERE ended IS NOT NULL") == 0);
  vault.CheckInvariants();
}

TEST_CASE("the list has each approval once, those that wait for a decision first") {
  AskingVault vault;
  std::set<std::string> asked;
  for (int n = 0; n < 23; ++n) {
    const auto one = vault.Ask(AskingVault::Giving(n));
    REQUIRE(one);
    asked.insert(one->id.Text());
    if (n % 3 == 0)
      REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), one->id, n % 2 == 0));
    if (n % 3 == 1) REQUIRE(vault->approvals().WithdrawApproval(vault.As(kAdministrator), one->id));
  }
  std::size_t pages = 0;
  const auto whole = vault.All(200, pages);
  CHECK(pages == 0);
  for (const std::size_t limit : {1U, 2U, 5U, 23U}) {
    const auto paged = vault.All(limit, pages);
    REQUIRE(paged.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(paged[i].id == whole[i].id);
  }
  bool closed = false;
  for (const Approval& one : whole) {
    asked.erase(one.id.Text());
    if (one.state != ApprovalState::kPending) closed = true;
    CHECK(closed == (one.state != ApprovalState::kPending));
  }
  CHECK(asked.empty());
  CHECK(AnswerOf(vault->approvals().ListApprovals(
            vault.As(kSecurityOfficer), {.limit = 5, .cursor = "made-up"})) == "cursor_invalid");
}

TEST_CASE("an executed approval is kept for as long as acts, and no longer") {
  AskingVault vault;
  const auto make = [&] {
    const auto asked =
        vault.Ask({"role.give", "service:s1", R"({"by":"token","role":"administrator"})"});
    REQUIRE(asked);
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
    Caller caller = vault.As(kAdministrator);
    caller.approval = asked->id.Text();
    CHECK(AnswerOf(vault->tokens().CreateToken(caller, {.name = "s1",
                                                        .principal = {},
                                                        .role = "administrator",
                                                        .lifetime_s = 366 * 24 * 3600,
                                                        .limits = {}})) == "ok");
    return asked->id;
  };
  const ApprovalId id = make();
  const auto there = [&] {
    return vault.Number("SELECT count(*) FROM approvals WHERE aid = ?", id.bytes());
  };
  vault.clock.Advance(std::int64_t{300} * 24 * 3600 * 1000);
  REQUIRE(vault.Ask(AskingVault::Giving(2)));
  CHECK(there() == 1);
  vault.Close();
  vault.Tamper("UPDATE approvals SET executed = executed - ?", kExecutedApprovalsKeptMs);
  vault.Open(true);
  REQUIRE(vault.Ask(AskingVault::Giving(3)));
  CHECK(there() == 0);
}

}  // namespace
}  // namespace coffer::vault
