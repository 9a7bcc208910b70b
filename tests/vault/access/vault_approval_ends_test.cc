// What an approval is bound to, and how it ends before it is used.
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kEndsDay = 24 * 3600;

class BoundVault : public TestVault {
 public:
  BoundVault() : TestVault({.two_person = true}), client(NewClient("A-1")) {
    REQUIRE((*this)->roles().PutRole(As(kAdministrator), "desk", kDesk));
  }
  static constexpr const char* kDesk =
      R"({"grants": [{"actions": ["client.read"], "scope": "assigned"}]})";

  Approval Ask(const Proposal& proposal, Role role = kAdministrator) {
    const auto asked = (*this)->approvals().RequestApproval(As(role), proposal);
    INFO(AnswerOf(asked));
    for (const auto& issue : IssuesOf(asked)) UNSCOPED_INFO(issue);
    REQUIRE(asked);
    return *asked;
  }
  ApprovalId Approved(const Proposal& proposal, Role role = kAdministrator,
                      Role approver = kSecurityOfficer) {
    const auto asked = Ask(proposal, role);
    const auto decided = (*this)->approvals().DecideApproval(As(approver), asked.id, true);
    INFO(AnswerOf(decided));
    REQUIRE(decided);
    return asked.id;
  }
  Caller With(const ApprovalId& id, Role role = kAdministrator) {
    Caller caller = As(role, "data-subject-request");
    caller.approval = id.Text();
    return caller;
  }
  std::string Change(const PrincipalId& account, const PrincipalChange& change,
                     const std::optional<ApprovalId>& id = {}) {
    last = id ? With(*id) : As(kAdministrator);
    return AnswerOf((*this)->principals().UpdatePrincipal(last, account, change));
  }
  Proposal Changing(const PrincipalId& account, const std::string& members) {
    return {"role.give", account.Text(), R"({"by": "change", )" + members + "}"};
  }
  PrincipalId Worker() const { return TokenOf(kCaseWorker).principal; }
  Approval Look(const ApprovalId& id) {
    const auto read = (*this)->approvals().GetApproval(As(kSecurityOfficer), id);
    REQUIRE(read);
    return *read;
  }
  // A second one of a role, by two people.
  NewToken Second(const std::string& role) {
    const auto id =
        Approved({"role.give", "service:second", R"({"role": ")" + role + R"(", "by": "token"})"});
    auto token = (*this)->tokens().CreateToken(With(id), {"second", {}, role, kEndsDay, {}});
    INFO(AnswerOf(token));
    REQUIRE(token);
    return *std::move(token);
  }
  std::string Erase(const ApprovalId& id) {
    last = With(id, kPrivacyOfficer);
    return AnswerOf((*this)->erasures().Erase(last, client, {}));
  }
  Proposal Erasure() { return {"client.erase", client.Text(), {}}; }

  ClientId client;
  Caller last;
};

TEST_CASE("an approval of a change is of exactly that change") {
  const std::string a = "dns:a.example", b = "dns:b.example";
  // What is asked for, and what is then done with it; each fits itself alone.
  struct Case {
    const char* asked;
    PrincipalChange done;
  };
  const Case cases[] = {
      {R"("role": "desk")", {{}, "desk", {}, {}}},
      {R"("role": "case-worker", "disabled": false)", {{}, {}, false, {}}},
      {R"("role": "desk", "disabled": false)", {{}, "desk", false, {}}},
      {R"("role": "case-worker", "certificates": ["dns:a.example"])", {{}, {}, {}, {{a}}}},
      {R"("role": "desk", "certificates": ["dns:a.example"])", {{}, "desk", {}, {{a}}}},
      {R"("role": "case-worker", "certificates": ["dns:a.example", "dns:b.example"])",
       {{}, {}, {}, {{a, b}}}},
      {R"("role": "case-worker", "certificates": ["dns:a.example"], "disabled": false)",
       {{}, {}, false, {{a}}}},
  };
  BoundVault vault;
  REQUIRE(vault.Change(vault.Worker(), {{}, {}, true, {}}) == "ok");
  for (const Case& asked : cases) {
    const auto id = vault.Approved(vault.Changing(vault.Worker(), asked.asked));
    for (const Case& done : cases) {
      INFO(asked.asked << " / " << done.asked);
      if (&asked == &done) continue;
      CHECK(vault.Change(vault.Worker(), done.done, id) == "approval_invalid");
    }
  }
  for (const Case& asked : cases) {
    INFO(asked.asked);
    BoundVault other;
    REQUIRE(other.Change(other.Worker(), {{}, {}, true, {}}) == "ok");
    const auto id = other.Approved(other.Changing(other.Worker(), asked.asked));
    CHECK(other.Change(other.Worker(), asked.done, id) == "ok");
    CHECK(other.Look(id).state == ApprovalState::kExecuted);
  }
}

TEST_CASE("an approver sees the ways into the account, those that are there and that will be") {
  BoundVault vault;
  const auto worker = vault.Worker();
  const auto id = vault.Approved(
      vault.Changing(worker, R"("role": "case-worker", "certificates": ["dns:a.example"])"));
  REQUIRE(vault.Change(worker, {{}, {}, {}, {{"dns:a.example"}}}, id) == "ok");
  for (const char* by : {"token", "rotation", "certificate"}) {
    INFO(by);
    const auto asked = vault.Ask({"role.give", worker.Text(),
                                  R"({"role": "case-worker", "by": ")" + std::string(by) + "\"}"});
    const json content = json::parse(asked.proposal.content);
    CHECK(content.at("account") ==
          json{{"role", "case-worker"}, {"disabled", false}, {"certificates", {"dns:a.example"}}});
    CHECK(content.at("role_version") == 0);
    REQUIRE(asked.account);
    CHECK(asked.account->tokens == 1);
    CHECK(asked.account->principal.certificates == Strings{"dns:a.example"});
  }
  const auto asked = vault.Ask(vault.Changing(worker, R"("role": "desk")"));
  const json content = json::parse(asked.proposal.content);
  CHECK(content.at("certificates") == json{"dns:a.example"});
  CHECK(content.at("disabled") == false);
  CHECK(content.at("role") == "desk");
  CHECK(content.at("role_version") == 1);
  // A user, with the code that is on its way and without a session.
  const auto made =
      vault->principals().CreateUser(vault.As(kAdministrator), {"ada", "Ada", "case-worker"});
  REQUIRE(made);
  const auto user = vault.Ask(vault.Changing(made->user.id, R"("role": "desk")"));
  REQUIRE(user.account);
  CHECK(user.account->enrolment);
  CHECK(user.account->sessions == 0);
  CHECK(!user.account->principal.enrolled);
  // A service that is to be made has no account yet.
  const auto fresh =
      vault.Ask({"role.give", "service:x", R"({"role": "crm-service", "by": "token"})"});
  CHECK(!fresh.account);
  CHECK(!json::parse(fresh.proposal.content).contains("account"));
}

TEST_CASE("where the account or the role has changed since, an approval to give is none") {
  const std::pair<const char*, std::function<void(BoundVault&)>> changes[] = {
      {"certificate taken away",
       [](BoundVault& v) { REQUIRE(v.Change(v.Worker(), {{}, {}, {}, Strings{}}) == "ok"); }},
      {"disabled",
       [](BoundVault& v) { REQUIRE(v.Change(v.Worker(), {{}, {}, true, {}}) == "ok"); }},
      {"other role",
       [](BoundVault& v) { REQUIRE(v.Change(v.Worker(), {{}, "auditor", {}, {}}) == "ok"); }},
      {"role changed", [](BoundVault& v) {
         const std::string wider = R"({"grants": [{"actions": ["client.read"]}]})";
         const auto id = v.Approved({"role.write", "desk", wider});
         REQUIRE(v->roles().PutRole(v.With(id), "desk", wider));
       }}};
  for (const auto& [name, change] : changes) {
    INFO(name);
    BoundVault vault;
    const auto bind = vault.Approved(vault.Changing(
        vault.Worker(), R"("role": "case-worker", "certificates": ["dns:a.example"])"));
    REQUIRE(vault.Change(vault.Worker(), {{}, {}, {}, {{"dns:a.example"}}}, bind) == "ok");
    const auto id = vault.Approved(vault.Changing(vault.Worker(), R"("role": "desk")"));
    change(vault);
    CHECK(vault.Change(vault.Worker(), {{}, "desk", {}, {}}, id) == "approval_invalid");
  }
  BoundVault untouched;
  const auto id = untouched.Approved(untouched.Changing(untouched.Worker(), R"("role": "desk")"));
  REQUIRE(untouched.Change(untouched.Worker(), {"Renamed", {}, {}, {}}) == "ok");
  CHECK(untouched.Change(untouched.Worker(), {{}, "desk", {}, {}}, id) == "ok");
}

TEST_CASE(
    "an approval is withdrawn by who asked or approved, before it is used, and by nobody else") {
  BoundVault vault;
  const auto withdraw = [&](Role role, const ApprovalId& id) {
    vault.last = vault.As(role, std::string(BoundVault::kPurpose), "not wanted any more");
    return AnswerOf(vault->approvals().WithdrawApproval(vault.last, id));
  };
  const auto pending = vault.Ask(vault.Erasure(), kPrivacyOfficer);
  for (const Role role : {kSupervisor, kSecurityOfficer, kAdministrator, kCaseWorker, kAuditor}) {
    INFO(Name(role));
    CHECK(withdraw(role, pending.id) == "not_found");
  }
  CHECK(withdraw(kPrivacyOfficer, pending.id) == "ok");
  const json entry = vault.EntryOf(vault.last);
  CHECK(entry.at("action") == "approval.withdraw");
  CHECK(entry.at("client") == vault.client.Text());
  CHECK(entry.at("payload_hash") == crypto::HexEncode(pending.hash));
  CHECK(entry.at("detail") == pending.id.Text() + "; client.erase withdrawn");
  CHECK(vault.Look(pending.id).state == ApprovalState::kWithdrawn);
  CHECK(vault.Look(pending.id).ended_by == vault.TokenOf(kPrivacyOfficer).principal);
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSupervisor), pending.id, true)) ==
        "approval_withdrawn");
  CHECK(withdraw(kPrivacyOfficer, pending.id) == "approval_withdrawn");
  CHECK(vault.Erase(pending.id) == "approval_invalid");

  for (const Role role : {kPrivacyOfficer, kSupervisor}) {
    const auto approved = vault.Approved(vault.Erasure(), kPrivacyOfficer, kSupervisor);
    CHECK(withdraw(kSecurityOfficer, approved) == "not_found");
    CHECK(withdraw(role, approved) == "ok");
    CHECK(vault.Erase(approved) == "approval_invalid");
  }
  const auto rejected = vault.Ask(vault.Erasure(), kPrivacyOfficer);
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), rejected.id, false));
  CHECK(withdraw(kPrivacyOfficer, rejected.id) == "approval_rejected");
  CHECK(withdraw(kSupervisor, rejected.id) == "not_found");
  CHECK(vault->monitoring().ReadStatus(vault.As(kAdministrator))->open_approvals == 0);

  const auto used = vault.Approved(vault.Erasure(), kPrivacyOfficer, kSupervisor);
  CHECK(vault.Erase(used) == "ok");
  CHECK(withdraw(kPrivacyOfficer, used) == "approval_used");
  CHECK(withdraw(kSupervisor, used) == "approval_used");
  CHECK(withdraw(kPrivacyOfficer, ApprovalId::New(vault.clock.Now())) == "not_found");
  vault.Close();
  vault.Open();
  CHECK(vault.Look(pending.id).state == ApprovalState::kWithdrawn);
  vault.CheckInvariants();
}

TEST_CASE("an approval ends with the account or the role of who asked or approved") {
  struct Case {
    const char* name;
    bool approver, disables;
    ApprovalEnd end;
  };
  for (const Case& one : {Case{"approver disabled", true, true, ApprovalEnd::kApproverDisabled},
                          Case{"approver's role", true, false, ApprovalEnd::kApproverRole},
                          Case{"requester disabled", false, true, ApprovalEnd::kRequesterDisabled},
                          Case{"requester's role", false, false, ApprovalEnd::kRequesterRole}}) {
    for (const bool decided : {true, false}) {
      if (one.approver && !decided) continue;
      INFO(one.name << " decided " << decided);
      BoundVault vault;
      const auto supervisor = vault.Second("supervisor");
      const auto officer = vault.Second("privacy-officer");
      const auto asker = [&] {
        Caller caller = BoundVault::Stranger(officer.secret);
        caller.purpose = "data-subject-request";
        return caller;
      };
      const auto asked = vault->approvals().RequestApproval(asker(), vault.Erasure());
      REQUIRE(asked);
      if (decided) {
        REQUIRE(vault->approvals().DecideApproval(BoundVault::Stranger(supervisor.secret),
                                                  asked->id, true));
      }
      const auto who = one.approver ? supervisor.info.principal : officer.info.principal;
      PrincipalChange change;
      if (one.disables) {
        change.disabled = true;
      } else {
        change.role = "auditor";
      }
      CHECK(vault.Change(who, change) == "ok");
      const auto entries = vault.EntriesOf(vault.last);
      REQUIRE(entries.size() == 2);
      CHECK(entries[0].at("action") == "approval.withdraw");
      CHECK(entries[0].at("detail") ==
            asked->id.Text() + "; client.erase void; " + std::string(Name(one.end)));
      auto seen = vault.Look(asked->id);
      CHECK(seen.state == ApprovalState::kVoid);
      CHECK(seen.end == one.end);
      // Back again, the account is; the approval is not.
      const std::string role = one.approver ? "supervisor" : "privacy-officer";
      const auto back =
          vault.Approved(vault.Changing(who, R"("disabled": false, "role": ")" + role + '"'));
      REQUIRE(vault.Change(who, {{}, role, false, {}}, back) == "ok");
      CHECK(vault.Look(asked->id).state == ApprovalState::kVoid);
      Caller erasing = asker();
      erasing.approval = asked->id.Text();
      CHECK(AnswerOf(vault->erasures().Erase(erasing, vault.client, {})) == "approval_void");
      CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSupervisor), asked->id, true)) ==
            "approval_ended");
      vault.CheckInvariants();
    }
  }
}

TEST_CASE("an approval is void while its approver's role may not approve it") {
  BoundVault vault;
  const std::string can =
      R"({"grants": [{"actions": ["approval.decide"], "approves": ["client.erase"]}]})";
  const std::string cannot =
      R"({"grants": [{"actions": ["approval.decide"], "approves": ["hold.lift"]}]})";
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "approver", can));
  const auto approver = vault.Second("approver");
  const auto asked = vault.Ask(vault.Erasure(), kPrivacyOfficer);
  REQUIRE(vault->approvals().DecideApproval(BoundVault::Stranger(approver.secret), asked.id, true));
  const auto change = vault.Approved({"role.write", "approver", cannot});
  REQUIRE(vault->roles().PutRole(vault.With(change), "approver", cannot));
  CHECK(vault.Look(asked.id).state == ApprovalState::kVoid);
  CHECK(vault.Look(asked.id).end == ApprovalEnd::kApproverRole);
  CHECK(vault.Erase(asked.id) == "approval_void");
  CHECK(vault.EntryOf(vault.last).at("rule") == "check:approval");
}

TEST_CASE("an export that goes on stops when its approver is disabled") {
  BoundVault vault;
  vault.NewClient("A-2");
  const auto officer = vault.Second("security-officer");
  Caller asker = vault.As(kPrivacyOfficer, "data-subject-request");
  const auto asked = vault->approvals().RequestApproval(asker, {"client.export", "all", {}});
  INFO(AnswerOf(asked));
  REQUIRE(asked);
  REQUIRE(vault->approvals().DecideApproval(BoundVault::Stranger(officer.secret), asked->id, true));
  const auto page = [&](const std::string& cursor) {
    Caller caller = vault.As(kPrivacyOfficer, "data-subject-request");
    caller.approval = asked->id.Text();
    return vault->exports().Export(caller, {}, {1, cursor});
  };
  const auto first = page("");
  INFO(AnswerOf(first));
  REQUIRE(first);
  REQUIRE(!first->next_cursor.empty());
  CHECK(AnswerOf(page(first->next_cursor)) == "ok");
  REQUIRE(vault.Change(officer.info.principal, {{}, {}, true, {}}) == "ok");
  CHECK(AnswerOf(page(first->next_cursor)) == "approval_void");
}

}  // namespace
}  // namespace coffer::vault
