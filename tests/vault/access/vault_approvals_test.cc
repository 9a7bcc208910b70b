// What takes two people: asked by one, approved by another, done once by the first.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kApprovalDay = 24 * 3600;

class TwoPeople : public TestVault {
 public:
  TwoPeople() : TestVault({.two_person = true}) {}

  Result<Approval> Ask(Role role, const Proposal& proposal) {
    return (*this)->approvals().RequestApproval(As(role), proposal);
  }
  std::string Decide(Role role, const ApprovalId& id, bool approve = true) {
    last = As(role);
    return AnswerOf((*this)->approvals().DecideApproval(last, id, approve));
  }
  // Asked by the one and approved by the other.
  ApprovalId Approved(Role asker, const Proposal& proposal, Role approver) {
    const auto asked = Ask(asker, proposal);
    INFO(AnswerOf(asked));
    REQUIRE(asked);
    REQUIRE(Decide(approver, asked->id) == "ok");
    return asked->id;
  }
  std::string Erase(const ClientId& client, const std::string& approval,
                    Role role = kPrivacyOfficer) {
    last = As(role, "data-subject-request");
    last.approval = approval;
    return AnswerOf((*this)->erasures().Erase(last, client, {}));
  }
  Proposal Erasure(const ClientId& client) { return {"client.erase", client.Text(), {}}; }
  std::string MakeToken(const std::string& name, const std::string& role,
                        const std::string& approval) {
    last = As(kAdministrator);
    last.approval = approval;
    return AnswerOf((*this)->tokens().CreateToken(
        last,
        {.name = name, .principal = {}, .role = role, .lifetime_s = kApprovalDay, .limits = {}}));
  }
  std::string Rule() { return EntryOf(last).at("rule"); }
  Caller last;
};

TEST_CASE("an erasure takes the approval of another person, and is done once") {
  TwoPeople vault;
  const ClientId client = vault.NewClient("A-1");
  CHECK(vault.Erase(client, "") == "approval_required");
  CHECK(vault.Rule() == "check:approval");
  auto asker = vault.As(kPrivacyOfficer);
  // Who may not erase does not ask for it either.
  CHECK(AnswerOf(vault.Ask(kAdministrator, vault.Erasure(client))) == "permission_denied");
  asker.purpose = "data-subject-request";
  const auto asked = vault->approvals().RequestApproval(asker, vault.Erasure(client));
  REQUIRE(asked);
  CHECK(asked->state == ApprovalState::kPending);
  CHECK(vault.EntryOf(asker).at("client") == client.Text());
  CHECK(vault.EntryOf(asker).at("payload_hash") == crypto::HexEncode(asked->hash));
  CHECK(vault.Erase(client, asked->id.Text()) == "approval_invalid");  // not approved yet
  CHECK(vault.Decide(kPrivacyOfficer, asked->id) == "own_request");
  CHECK(vault.Rule() == "check:separation");
  CHECK(vault.Decide(kAdministrator, asked->id) == "permission_denied");  // approves roles only
  CHECK(vault.Decide(kCaseWorker, asked->id) == "permission_denied");
  CHECK(vault.Decide(kSupervisor, asked->id) == "ok");
  CHECK(vault.EntryOf(vault.last).at("payload_hash") == crypto::HexEncode(asked->hash));
  CHECK(vault.Decide(kSecurityOfficer, asked->id) == "approval_decided");
  CHECK(vault.Erase(client, asked->id.Text()) == "ok");
  CHECK(vault.EntryOf(vault.last)
            .at("detail")
            .get<std::string>()
            .starts_with(asked->id.Text() + "; erasure era_"));
  CHECK(vault.Erase(client, "") == "ok");  // again: the same answer, nothing to approve
  CHECK(vault.Erase(vault.NewClient("A-2"), asked->id.Text()) == "approval_invalid");
  CHECK(vault->approvals().GetApproval(vault.As(kSupervisor), asked->id)->state ==
        ApprovalState::kExecuted);
  vault.CheckInvariants();
}

TEST_CASE("an approval is for exactly what was asked, and by whom") {
  TwoPeople vault;
  const ClientId client = vault.NewClient("A-1");
  const ClientId other = vault.NewClient("A-2");
  const auto id = vault.Approved(kPrivacyOfficer, {"client.erase", client.Text(), {}}, kSupervisor);
  CHECK(vault.Erase(other, id.Text()) == "approval_invalid");
  // Another officer's.
  const auto role = vault.Approved(
      kAdministrator,
      {"role.give", "service:second", R"({"role": "privacy-officer", "by": "token"})"},
      kSecurityOfficer);
  auto caller = vault.As(kAdministrator);
  caller.approval = role.Text();
  const auto second = vault->tokens().CreateToken(caller, {.name = "second",
                                                           .principal = {},
                                                           .role = "privacy-officer",
                                                           .lifetime_s = kApprovalDay,
                                                           .limits = {}});
  REQUIRE(second);
  Caller thief = TwoPeople::Stranger(second->secret);
  thief.purpose = "data-subject-request";
  thief.approval = id.Text();
  CHECK(AnswerOf(vault->erasures().Erase(thief, client, {})) == "approval_invalid");
  for (const std::string text : {"apr_", "nonsense", "apr_00000000000000000000000000"}) {
    CHECK(vault.Erase(client, text) == "approval_invalid");
  }
  CHECK(vault.Erase(client, id.Text()) == "ok");
}

TEST_CASE("an approval that was rejected or has expired is worth nothing") {
  TwoPeople vault;
  const ClientId client = vault.NewClient("A-1");
  const auto rejected = vault.Ask(kPrivacyOfficer, vault.Erasure(client));
  REQUIRE(rejected);
  CHECK(vault.Decide(kSupervisor, rejected->id, false) == "ok");
  CHECK(vault.Erase(client, rejected->id.Text()) == "approval_invalid");
  CHECK(vault.Decide(kSecurityOfficer, rejected->id) == "approval_decided");

  const auto late = vault.Approved(kPrivacyOfficer, vault.Erasure(client), kSupervisor);
  const auto undecided = vault.Ask(kPrivacyOfficer, vault.Erasure(client));
  REQUIRE(undecided);
  vault.clock.Set({undecided->expires.ms - 1});
  CHECK(vault->approvals().GetApproval(vault.As(kSupervisor), undecided->id)->state ==
        ApprovalState::kPending);
  vault.clock.Set(undecided->expires);
  CHECK(vault.Erase(client, late.Text()) == "approval_invalid");
  CHECK(vault.Decide(kSupervisor, undecided->id) == "approval_expired");
  // A clock that is set back brings none back.
  vault.clock.Advance(-kApprovalDay * 1000);
  CHECK(vault.Erase(client, late.Text()) == "approval_invalid");
}

TEST_CASE("nobody approves their own request through another of their principals") {
  TwoPeople vault;
  const ClientId client = vault.NewClient("A-1");
  const auto owner = vault.TokenOf(kPrivacyOfficer).principal;
  auto caller = vault.As(kAdministrator);
  const auto helper = vault->principals().CreateService(
      caller, {.name = "helper", .role = "supervisor", .owner = owner, .certificates = {}});
  REQUIRE(helper);
  CHECK(helper->owner == owner);
  caller = vault.As(kAdministrator);
  caller.approval =
      vault
          .Approved(kAdministrator,
                    {"role.give", helper->id.Text(), R"({"role": "supervisor", "by": "token"})"},
                    kSecurityOfficer)
          .Text();
  const auto token = vault->tokens().CreateToken(caller, {.name = "helper",
                                                          .principal = helper->id,
                                                          .role = {},
                                                          .lifetime_s = kApprovalDay,
                                                          .limits = {}});
  INFO(AnswerOf(token));
  REQUIRE(token);
  const auto asked = vault.Ask(kPrivacyOfficer, vault.Erasure(client));
  REQUIRE(asked);
  CHECK(AnswerOf(vault->approvals().DecideApproval(TwoPeople::Stranger(token->secret), asked->id,
                                                   true)) == "own_request");
  // Nor by a second token of the very same service.
  const auto own = vault.Ask(kPrivacyOfficer, vault.Erasure(client));
  REQUIRE(own);
  caller = vault.As(kAdministrator);
  caller.approval =
      vault
          .Approved(kAdministrator,
                    {"role.give", owner.Text(), R"({"role": "privacy-officer", "by": "token"})"},
                    kSecurityOfficer)
          .Text();
  const auto second = vault->tokens().CreateToken(
      caller,
      {.name = "second", .principal = owner, .role = {}, .lifetime_s = kApprovalDay, .limits = {}});
  REQUIRE(second);
  CHECK(AnswerOf(vault->approvals().DecideApproval(TwoPeople::Stranger(second->secret), own->id,
                                                   true)) == "own_request");
}

TEST_CASE("giving a privileged role in any way takes two people") {
  TwoPeople vault;
  CHECK(vault.MakeToken("worker", "case-worker", "") == "ok");
  CHECK(vault.MakeToken("audit", "auditor", "") == "ok");
  for (const Role role :
       {kAdministrator, kSecurityOfficer, kPrivacyOfficer, kSupervisor, kCrmService}) {
    INFO(Name(role));
    CHECK(vault.MakeToken("x", std::string(Name(role)), "") == "approval_required");
  }
  const auto admin = [&] { return vault.As(kAdministrator); };
  CHECK(AnswerOf(vault->principals().CreateUser(admin(), {"ada", "Ada", "supervisor"})) ==
        "approval_required");
  CHECK(AnswerOf(vault->principals().CreateService(
            admin(), {"x", "crm-service", {}, {"dns:crm.example"}})) == "approval_required");
  const auto crm = vault.TokenOf(kCrmService);
  CHECK(AnswerOf(vault->tokens().CreateToken(
            admin(), {"x", crm.principal, {}, kApprovalDay, {}})) == "approval_required");
  CHECK(AnswerOf(vault->tokens().RotateToken(admin(), crm.id, 0)) == "approval_required");
  const std::string spki = "spki:" + std::string(64, 'a');
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(
            admin(), crm.principal, {{}, {}, {}, {{spki}}})) == "approval_required");
  const auto worker = vault.TokenOf(kCaseWorker).principal;
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(
            admin(), worker, {{}, "supervisor", {}, {}})) == "approval_required");
  // Nor is an account taken over that has clients, whatever it may see of them.
  CHECK(AnswerOf(vault->tokens().CreateToken(admin(), {"x", worker, {}, kApprovalDay, {}})) ==
        "approval_required");
  CHECK(AnswerOf(vault->tokens().RotateToken(admin(), vault.TokenOf(kCaseWorker).id, 0)) ==
        "approval_required");
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(admin(), worker, {{}, "auditor", {}, {}})) ==
        "ok");
  // Taking away, renaming and disabling do not; enabling again does.
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(admin(), crm.principal,
                                                     {"CRM", {}, true, {}})) == "ok");
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(admin(), crm.principal,
                                                     {{}, {}, false, {}})) == "approval_required");
  // A user who has a privileged role is not enrolled again by one person.
  auto caller = admin();
  caller.approval =
      vault
          .Approved(kAdministrator,
                    {"role.give", "user:ada", R"({"role": "supervisor", "by": "user"})"},
                    kSecurityOfficer)
          .Text();
  const auto ada = vault->principals().CreateUser(caller, {"ada", "Ada", "supervisor"});
  REQUIRE(ada);
  CHECK(AnswerOf(vault->principals().EnrolAgain(admin(), ada->user.id)) == "approval_required");
  // An approval for one role is none for another.
  const auto id = vault.Approved(
      kAdministrator, {"role.give", "service:x", R"({"role": "supervisor", "by": "token"})"},
      kSecurityOfficer);
  CHECK(vault.MakeToken("x", "administrator", id.Text()) == "approval_invalid");
  CHECK(vault.MakeToken("y", "supervisor", id.Text()) == "approval_invalid");
  CHECK(vault.MakeToken("x", "supervisor", id.Text()) == "ok");
  CHECK(vault.MakeToken("x", "supervisor", id.Text()) == "approval_invalid");
}

TEST_CASE("nobody approves what gives themselves a role") {
  TwoPeople vault;
  const auto officer = vault.TokenOf(kSecurityOfficer).principal;
  const auto asked = vault.Ask(kAdministrator, {"role.give", officer.Text(),
                                                R"({"role": "administrator", "by": "change"})"});
  REQUIRE(asked);
  CHECK(vault.Decide(kSecurityOfficer, asked->id) == "own_request");
}

TEST_CASE("taking a role away opens no way into the account") {
  TwoPeople vault;
  const auto worker = vault.TokenOf(kCaseWorker).principal;
  const auto admin = [&] { return vault.As(kAdministrator); };
  REQUIRE(vault->principals().UpdatePrincipal(admin(), worker, {{}, "auditor", {}, {}}));
  // Its leases are still there.
  CHECK(AnswerOf(vault->tokens().CreateToken(admin(), {"x", worker, {}, kApprovalDay, {}})) ==
        "approval_required");
  CHECK(AnswerOf(vault->tokens().RotateToken(admin(), vault.TokenOf(kCaseWorker).id, 0)) ==
        "approval_required");
  CHECK(AnswerOf(vault->principals().UpdatePrincipal(
            admin(), worker, {{}, "case-worker", {}, {}})) == "approval_required");
}

TEST_CASE("nobody approves a service of their own") {
  TwoPeople vault;
  const auto asked =
      vault.Ask(kAdministrator, {"role.give", "service:x",
                                 R"({"role": "crm-service", "by": "service", "certificates":
                           ["dns:crm.example"], "owner": ")" +
                                     vault.TokenOf(kSecurityOfficer).principal.Text() + R"("})"});
  REQUIRE(asked);
  CHECK(vault.Decide(kSecurityOfficer, asked->id) == "own_request");
}

TEST_CASE("a service rotates its own token alone") {
  TwoPeople vault;
  const auto rotated =
      vault->tokens().RotateToken(vault.As(kCrmService), vault.TokenOf(kCrmService).id, 600);
  INFO(AnswerOf(rotated));
  REQUIRE(rotated);
  CHECK(vault->tokens().WhoAmI(TwoPeople::Stranger(rotated->secret)));
  CHECK(vault->tokens().WhoAmI(vault.As(kCrmService)));
  vault.clock.Advance(600'000);
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.As(kCrmService))) == "unauthenticated");
  CHECK(vault->tokens().WhoAmI(TwoPeople::Stranger(rotated->secret)));
  CHECK(AnswerOf(vault->tokens().RotateToken(vault.As(kCaseWorker), rotated->info.id, 0)) ==
        "permission_denied");
  // The one that was replaced is over: it makes no more of itself.
  CHECK(AnswerOf(vault->tokens().RotateToken(vault.As(kCrmService), vault.TokenOf(kCrmService).id,
                                             0)) == "unauthenticated");
}

TEST_CASE("changing a role takes two people, and is done as it was shown") {
  TwoPeople vault;
  const auto put = [&](const std::string& grants, const std::string& approval) {
    auto caller = vault.As(kAdministrator);
    caller.approval = approval;
    return AnswerOf(vault->roles().PutRole(caller, "clerk", R"({"grants": )" + grants + "}"));
  };
  const std::string narrow = R"([{"actions": ["client.read"], "scope": "assigned"}])";
  const std::string wide = R"([{"actions": ["client.read"]}])";
  CHECK(put(narrow, "") == "ok");  // nobody has it yet
  CHECK(put(narrow, "") == "ok");  // unchanged
  CHECK(put(wide, "") == "approval_required");
  const auto bad = vault.Ask(kAdministrator, {"role.write", "clerk", R"({"grants": [{}]})"});
  CHECK(IssuesOf(bad) == Strings{"/content/grants/0/actions is required"});
  const auto id = vault.Approved(
      kAdministrator, {"role.write", "clerk", R"({"grants": )" + wide + "}"}, kSecurityOfficer);
  CHECK(put(R"([{"actions": ["client.read", "record.read"]}])", id.Text()) == "approval_invalid");
  CHECK(put(wide, id.Text()) == "ok");
  CHECK(put(narrow, id.Text()) == "approval_invalid");
}

TEST_CASE("a vault for one person says so in its log and its status") {
  TestVault alone;
  CHECK(!alone->monitoring().ReadStatus(alone.As(kAdministrator))->two_person);
  CHECK(alone.WholeLog().front().detail.ends_with("; one person decides alone"));
  const auto caller = alone.As(kPrivacyOfficer, "data-subject-request");
  REQUIRE(alone->erasures().Erase(caller, alone.NewClient("A-1"), {}));
  CHECK(alone.EntryOf(caller).at("detail").get<std::string>().starts_with("one person alone"));

  TwoPeople two;
  CHECK(two->monitoring().ReadStatus(two.As(kAdministrator))->two_person);
  CHECK_FALSE(two.WholeLog().front().detail.contains("alone"));
  const auto asked = two.Ask(kPrivacyOfficer, two.Erasure(two.NewClient("A-1")));
  REQUIRE(asked);
  CHECK(two->monitoring().ReadStatus(two.As(kAdministrator))->open_approvals == 1);
}

TEST_CASE("what is wrong with a proposal is told") {
  TwoPeople vault;
  const auto issues = [&](const Proposal& proposal) {
    return IssuesOf(vault.Ask(kAdministrator, proposal));
  };
  CHECK(issues({"client.read", "x", {}}).front().starts_with("/action"));
  CHECK(issues({"client.erase", "x", {}}) == Strings{"/target must be a client's id"});
  CHECK(issues({"client.erase", "", {}}).front().starts_with("/target"));
  CHECK(issues({"role.give", "x", R"({"role": "auditor", "by": "token"})"})
            .front()
            .starts_with("/target"));
  CHECK(issues({"role.give", "user:x", R"({"role": "nonsense", "by": "user"})"})
            .front()
            .starts_with("/content"));
  CHECK(issues({"role.give", "user:x", {}}).front().starts_with("/content"));
  CHECK(issues({"role.give", "user:x", R"({"role": "auditor", "by": "user", "more": 1})"})
            .front()
            .starts_with("/content"));
  for (const std::string more :
       {R"("owner": "svc_x", "by": "service")", R"("certificates": [], "by": "change")",
        R"("certificates": ["x"], "by": "change")",
        R"("certificates": ["dns:crm.example"], "by": "token")"}) {
    INFO(more);
    CHECK(issues({"role.give", "service:x", R"({"role": "auditor", )" + more + "}"}).size() == 1);
  }
  CHECK(issues({"role.write", "clerk", {}}).front().starts_with("/content"));
  // A client that is not there is not asked about.
  CHECK(AnswerOf(vault.Ask(kPrivacyOfficer, vault.Erasure(ClientId::New(vault.clock.Now())))) ==
        "not_found");
}

}  // namespace
}  // namespace coffer::vault
