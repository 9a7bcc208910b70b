// A restore never loosens: what was done to protect somebody after a copy was made is in force
// again before anybody is answered, when that copy is opened beside the ledger of today.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "audit/documents/ledger_act.h"
#include "tests/vault/test_vault.h"
#include "vault/catalog/action.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr std::string_view kFirstPassword = "correct horse battery staple";
constexpr std::string_view kSecondPassword = "incorrect mule charger paperclip";
constexpr std::string_view kWideRole =
    R"({"grants": [{"actions": ["record.read", "record.list"], "purposes": ["client-care"]}]})";
constexpr std::string_view kNarrowRole =
    R"({"grants": [{"actions": ["record.list"], "purposes": ["client-care"]}]})";
constexpr std::string_view kWiderRole =
    R"({"grants": [{"actions": ["record.read", "record.list"], "purposes": ["client-care"]},
                   {"actions": ["client.read"], "purposes": ["client-care"]}]})";

crypto::SecretBytes Typed(std::string_view text) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
}

template <class T>
void Did(const Result<T>& result) {
  INFO(AnswerOf(result) << " " << (result ? "" : result.error().detail));
  for (const auto& issue : IssuesOf(result)) UNSCOPED_INFO(issue);
  REQUIRE(result);
}

// A client with all that can be protected, or taken away; and a copy of that.
class Protecting : public TestVault {
 public:
  Protecting() {
    client = NewClient("P-1", {"vip"});
    record = NewContact(client, {{"last_name", "Doe"}});
    const auto user = (*this)->principals().CreateUser(As(kAdministrator),
                                                       {"tamsin", "Tamsin Tealeaf", "case-worker"});
    Did(user);
    person = user->user.id;
    Did((*this)->sessions().CompleteEnrolment(Stranger(), "tamsin", user->code,
                                              Typed(kFirstPassword), {}));
    Did((*this)->roles().PutRole(As(kAdministrator), "desk", kWideRole));
    token = *NewTokenFor("case-worker", 3600, "desk-service");
    machine = token.info.principal;
    Did((*this)->principals().UpdatePrincipal(
        As(kAdministrator), machine,
        {.name = {},
         .role = {},
         .disabled = {},
         .certificates = Strings{"dns:a.example", "dns:b.example"}}));
    Did((*this)->teams().PutTeam(As(kSupervisor), "north", {person, machine}));
    Did((*this)->assignments().Assign(As(kSupervisor), client, person, {}));
    Did((*this)->assignments().Assign(As(kSupervisor), client, machine, {}));
    const auto given = (*this)->leases().GiveLease(
        As(kSupervisor), client, {person, "contact", {"last_name"}, "client-care", "T-1", 3600});
    Did(given);
    lease = given->id;
    const auto held = (*this)->holds().PlaceHold(As(kPrivacyOfficer), OnClient("K-0"));
    Did(held);
    hold = held->id;
    const auto restricted = (*this)->restrictions().Restrict(
        As(kPrivacyOfficer), client, {"contact", "accuracy", {false, {"marketing"}}});
    Did(restricted);
    restriction = restricted->id;
    Did((*this)->consent_texts().PutConsentText(As(kPrivacyOfficer), "newsletter",
                                                {{{"en", "I agree."}}}));
    ConsentRequest agreed;
    agreed.purpose = "marketing";
    agreed.text = {"newsletter", 1, "en"};
    agreed.channel = "paper";
    agreed.evidence = "folder 12";
    const auto consented = (*this)->consents().GiveConsent(As(kPrivacyOfficer), client, agreed);
    Did(consented);
    consent = consented->consent.id;
    agreed.purpose = "billing";
    Did((*this)->consents().GiveConsent(As(kPrivacyOfficer), client, agreed));
    RequireConsent("billing", true);
    RequireConsent("legal-obligation", true);
    const auto disabled = NewTokenFor("case-worker", 3600, "sleeping");
    Did(disabled);
    sleeping = disabled->info.principal;
    Did(Disable(sleeping, true));
    const auto asked = (*this)->approvals().RequestApproval(As(kPrivacyOfficer),
                                                            {"client.erase", client.Text(), {}});
    Did(asked);
    approval = asked->id;
    clock.Advance(1000);
    Close();
    fs::copy(directory(), before(), fs::copy_options::recursive);
    Open();
    clock.Advance(1000);
  }

  std::string before() const { return work() / "before"; }
  std::string ledger() const { return directory() + "/erasures.ledger"; }

  HoldRequest OnClient(std::string number, std::string class_name = {}) {
    return {client, std::move(class_name), {}, "Claim by a neighbour", std::move(number), Due()};
  }
  HoldRequest OnTag() { return {{}, {}, "vip", "Claim by a neighbour", "K-9", Due()}; }
  Timestamp Due() { return Timestamp{clock.Now().ms + std::int64_t{30} * 24 * 3600 * 1000}; }
  Result<PrincipalInfo> Disable(const PrincipalId& id, bool disabled) {
    return (*this)->principals().UpdatePrincipal(
        As(kAdministrator), id,
        {.name = {}, .role = {}, .disabled = disabled, .certificates = {}, .leave_clients = true});
  }
  Result<PrincipalInfo> SetRole(const PrincipalId& id, std::string role) {
    return (*this)->principals().UpdatePrincipal(
        As(kAdministrator), id,
        {.name = {}, .role = std::move(role), .disabled = {}, .certificates = {}});
  }
  Result<NewSession> LogIn(std::string_view password) {
    return (*this)->sessions().LogIn(Stranger(), "tamsin", Typed(password), {});
  }
  std::string Use(const NewToken& shown) {
    return AnswerOf((*this)->tokens().WhoAmI(Stranger(shown.secret)));
  }
  std::string HoldsNow() {
    const auto holds = (*this)->holds().ListHolds(As(kAuditor), {}, false, {});
    Did(holds);
    std::string text;
    for (const Hold& one : holds->items) {
      text += one.id.Text() + one.terms.class_name + one.terms.tag + one.terms.reason +
              one.terms.case_number + audit::FormatTimestamp(one.terms.review_due) + "\n";
    }
    return text;
  }
  std::string RestrictionsNow() {
    const auto all = (*this)->restrictions().ListRestrictions(As(kPrivacyOfficer), client);
    Did(all);
    std::string text;
    for (const Restriction& one : *all) {
      text += one.id.Text() + one.terms.class_name + one.terms.basis +
              (one.terms.stops.all_but ? " all but" : "");
      for (const auto& purpose : one.terms.stops.purposes) text += " " + purpose;
      text += "\n";
    }
    return text;
  }
  void RequireConsent(std::string_view purpose, bool required) {
    const json definition = {
        {"title", "A purpose"}, {"legal_basis", "consent"}, {"requires_consent", required}};
    Did((*this)->purposes().PutPurpose(As(kPrivacyOfficer), purpose, definition.dump()));
  }
  // What was agreed to, and what requests of such purposes are answered.
  std::string ConsentsNow() {
    const auto all = (*this)->consents().ListConsents(As(kPrivacyOfficer), client);
    Did(all);
    std::string text;
    for (const ToldConsent& one : *all) {
      const Consent& given = one.consent;
      text += given.id.Text() + (one.stands ? " stands " : " ") + given.evidence + given.authority;
      text += " " + StatementOf(given) + audit::FormatTimestamp(given.recorded) +
              given.recorded_by.Text();
      if (const auto& withdrawal = one.consent.withdrawal) {
        text += " " + audit::FormatTimestamp(withdrawal->withdrawn) + " " +
                withdrawal->recorded_by.Text() + " " +
                std::string(withdrawal->channel ? Name(*withdrawal->channel) : "");
      }
      text += "\n";
    }
    for (const std::string purpose : {"marketing", "billing", "legal-obligation"}) {
      text +=
          purpose + " " + AnswerOf((*this)->clients().GetClient(As(kCrmService, purpose), client));
    }
    return text;
  }
  std::string AssignmentsNow() {
    const auto all = (*this)->assignments().ListAssignments(As(kSupervisor), client);
    Did(all);
    std::string text;
    for (const Assignment& one : *all) {
      text += one.principal.Text() + (one.ends ? audit::FormatTimestamp(*one.ends) : "") + "\n";
    }
    return text;
  }
  PrincipalInfo Look(const PrincipalId& id) {
    const auto found = (*this)->principals().GetPrincipal(As(kSecurityOfficer), id);
    Did(found);
    return *found;
  }

  // The copy is opened beside the ledger as it is now, or beside none.
  void Restore(bool with_ledger = true) {
    Close();
    fs::remove_all(work() / "kept");
    fs::copy(ledger(), work() / "kept");
    fs::remove_all(directory());
    fs::copy(before(), directory(), fs::copy_options::recursive);
    fs::remove(ledger());
    if (with_ledger) fs::copy(work() / "kept", ledger());
    Open();
  }
  // What the start said of acts, as "action detail", without when.
  Strings Told() {
    Strings told;
    for (const auto& entry : WholeLog()) {
      if (!entry.action.starts_with("act.") && entry.outcome != "act_not_replayed") continue;
      told.push_back(entry.action + " " + entry.detail.substr(0, entry.detail.find(" of 2")));
    }
    return told;
  }
  std::size_t LinesNow() {
    std::ifstream file(ledger());
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  ClientId client;
  RecordId record;
  PrincipalId person, machine, sleeping;
  NewToken token;
  LeaseId lease;
  HoldId hold;
  RestrictionId restriction;
  ConsentId consent;
  ApprovalId approval;
};

struct ActCase {
  std::string told;  // of the entry
  std::function<void(Protecting&)> act;
  // What is in force, as requests see it.
  std::function<std::string(Protecting&)> state;
};

std::string TokenState(Protecting& v) { return v.Use(v.token); }
std::string HoldState(Protecting& v) { return v.HoldsNow(); }
std::string RestrictionState(Protecting& v) { return v.RestrictionsNow(); }
std::string ConsentState(Protecting& v) { return v.ConsentsNow(); }
std::string AssignmentState(Protecting& v) { return v.AssignmentsNow(); }
std::string FirstPasswordState(Protecting& v) { return AnswerOf(v.LogIn(kFirstPassword)); }

std::vector<ActCase> ProtectiveActs() {
  return {
      {"hold.placed",
       [](Protecting& v) { Did(v->holds().PlaceHold(v.As(kPrivacyOfficer), v.OnClient("K-1"))); },
       HoldState},
      {"hold.placed",
       [](Protecting& v) {
         Did(v->holds().PlaceHold(v.As(kPrivacyOfficer), v.OnClient("K-2", "contact")));
       },
       HoldState},
      {"hold.placed",
       [](Protecting& v) { Did(v->holds().PlaceHold(v.As(kPrivacyOfficer), v.OnTag())); },
       HoldState},
      {"restriction.placed",
       [](Protecting& v) {
         Did(v->restrictions().Restrict(v.As(kPrivacyOfficer), v.client, {{}, "disputed", {}}));
       },
       [](Protecting& v) {
         return v.RestrictionsNow() +
                AnswerOf(v->records().GetRecord(v.As(kCrmService), v.client, v.record));
       }},
      {"token.ended",
       [](Protecting& v) { Did(v->tokens().RevokeToken(v.As(kAdministrator), v.token.info.id)); },
       TokenState},
      {"token.ended",
       [](Protecting& v) {
         Did(v->tokens().RotateToken(v.As(kAdministrator), v.token.info.id, 0));
       },
       TokenState},
      {"principal.disabled", [](Protecting& v) { Did(v.Disable(v.machine, true)); },
       [](Protecting& v) {
         return v.Use(v.token) + (v.Look(v.machine).disabled ? " disabled" : "");
       }},
      {"principal.role", [](Protecting& v) { Did(v.SetRole(v.machine, "desk")); },
       [](Protecting& v) { return v.Look(v.machine).role; }},
      {"principal.certificates",
       [](Protecting& v) {
         Did(v->principals().UpdatePrincipal(
             v.As(kAdministrator), v.machine,
             {.name = {}, .role = {}, .disabled = {}, .certificates = Strings{"dns:b.example"}}));
       },
       [](Protecting& v) {
         std::string text;
         for (const auto& binding : v.Look(v.machine).certificates) text += binding + " ";
         return text;
       }},
      {"user.credentials",
       [](Protecting& v) {
         const auto session = v.LogIn(kFirstPassword);
         Did(session);
         Did(v->sessions().ChangePassword(TestVault::Stranger(session->secret),
                                          Typed(kFirstPassword), Typed(kSecondPassword), {}));
       },
       [](Protecting& v) {
         return FirstPasswordState(v) + " " + AnswerOf(v.LogIn(kSecondPassword));
       }},
      {"user.credentials",
       [](Protecting& v) { Did(v->principals().EnrolAgain(v.As(kAdministrator), v.person)); },
       FirstPasswordState},
      {"team.members",
       [](Protecting& v) { Did(v->teams().PutTeam(v.As(kSupervisor), "north", {v.person})); },
       [](Protecting& v) {
         const auto teams = v->teams().ListTeams(v.As(kAdministrator));
         Did(teams);
         std::string text;
         for (const auto& member : teams->front().members) text += member.Text() + " ";
         return text;
       }},
      {"role.put",
       [](Protecting& v) { Did(v->roles().PutRole(v.As(kAdministrator), "desk", kNarrowRole)); },
       [](Protecting& v) {
         const auto role = v->roles().GetRole(v.As(kAdministrator), "desk");
         Did(role);
         return (*role)->definition + std::to_string((*role)->version);
       }},
      {"assignment.ended",
       [](Protecting& v) {
         Did(v->assignments().Unassign(v.As(kSupervisor), v.client, v.machine));
       },
       AssignmentState},
      {"assignment.ended",
       [](Protecting& v) {
         Did(v->assignments().Assign(v.As(kSupervisor), v.client, v.person, {{}, v.Due()}));
       },
       AssignmentState},
      {"lease.ended",
       [](Protecting& v) { Did(v->leases().EndLease(v.As(kSupervisor), v.client, v.lease)); },
       [](Protecting& v) {
         const auto leases = v->leases().ListLeases(v.As(kSupervisor), v.client);
         Did(leases);
         return std::to_string(leases->size());
       }},
      {"approval.closed",
       [](Protecting& v) {
         Did(v->approvals().DecideApproval(v.As(kSupervisor), v.approval, false));
       },
       [](Protecting& v) {
         const auto found = v->approvals().GetApproval(v.As(kSupervisor), v.approval);
         Did(found);
         return std::string(Name(found->state));
       }},
      {"consent.withdrawn",
       [](Protecting& v) {
         Did(v->consents().WithdrawConsent(v.As(kPrivacyOfficer), v.client, v.consent,
                                           ConsentChannel::kEmail));
       },
       ConsentState},
      {"consent.withdrawn",
       [](Protecting& v) {
         const auto all = v->consents().ListConsents(v.As(kPrivacyOfficer), v.client);
         Did(all);
         Did(v->consents().WithdrawConsent(v.As(kPrivacyOfficer), v.client, all->back().consent.id,
                                           {}));
       },
       ConsentState},
      // Of one that the copy lacks it is known as well: somebody might record it again.
      {"consent.withdrawn",
       [](Protecting& v) {
         v.clock.Advance(1);
         ConsentRequest agreed;
         agreed.purpose = "legal-obligation";
         agreed.text = {"newsletter", 1, "en"};
         agreed.channel = "app";
         agreed.evidence = "folder 13";
         agreed.authority = "her mother";
         agreed.expires = Timestamp{v.clock.Now().ms + 1'000'000};
         const auto told = v->consents().GiveConsent(v.As(kPrivacyOfficer), v.client, agreed);
         Did(told);
         Did(v->consents().WithdrawConsent(v.As(kPrivacyOfficer), v.client, told->consent.id, {}));
       },
       ConsentState},
      {"consent.required", [](Protecting& v) { v.RequireConsent("contract-fulfilment", true); },
       [](Protecting& v) {
         return AnswerOf(
             v->clients().GetClient(v.As(kCrmService, "contract-fulfilment"), v.client));
       }},
  };
}

// What takes protection back, and what is told of it.
std::vector<ActCase> LooseningActs() {
  return {
      {"hold.lifted",
       [](Protecting& v) { Did(v->holds().LiftHold(v.As(kPrivacyOfficer), v.hold)); }, HoldState},
      {"restriction.lifted",
       [](Protecting& v) {
         Did(v->restrictions().LiftRestriction(
             v.As(kPrivacyOfficer, std::string(Protecting::kPurpose), "settled"), v.client,
             v.restriction));
       },
       RestrictionState},
      {"consent.not-required", [](Protecting& v) { v.RequireConsent("legal-obligation", false); },
       ConsentState},
      {"principal.enabled", [](Protecting& v) { Did(v.Disable(v.sleeping, false)); },
       [](Protecting& v) {
         return std::string(v.Look(v.sleeping).disabled ? "disabled" : "enabled");
       }},
      {"role.put",
       [](Protecting& v) { Did(v->roles().PutRole(v.As(kAdministrator), "desk", kWiderRole)); },
       [](Protecting& v) {
         return (*v->roles().GetRole(v.As(kAdministrator), "desk"))->definition;
       }},
  };
}

// Each action's lines: what stands in the second column, word by word.
std::map<std::string, std::set<std::string>> LinesByAction() {
  std::ifstream file(COFFER_SOURCE_DIR "/docs/decisions/0025-a-restore-never-loosens.md");
  REQUIRE(file.good());
  std::map<std::string, std::set<std::string>> lines;
  for (std::string row; std::getline(file, row);) {
    if (!row.starts_with("| `")) continue;
    const auto end = row.find('`', 3), column = row.find("| ", end);
    const std::string action = row.substr(3, end - 3);
    INFO(action);
    CHECK(!lines.contains(action));
    std::istringstream words(row.substr(column + 2, row.find(" |", column) - column - 2));
    for (std::string word; words >> word;) {
      std::erase(word, '`');
      lines[action].insert(word);
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("each act that protects is in force again in an older state, and told of once") {
  Protecting vault;
  for (const ActCase& one : ProtectiveActs()) {
    const std::string loose = one.state(vault);
    one.act(vault);
    const std::string strict = one.state(vault);
    INFO(one.told << "\n" << loose << "\n" << strict);
    CHECK(loose != strict);
    vault.Restore();
    CHECK(one.state(vault) == strict);
    const Strings told = vault.Told();
    CHECK(std::ranges::count_if(told, [&](const std::string& text) {
            return text.starts_with("act.replayed " + one.told + " ");
          }) == 1);
    vault.CheckInvariants();
    // The same start again finds nothing to do, and the ledger has nothing twice.
    vault.Close();
    const std::size_t lines = vault.LinesNow();
    vault.Open();
    CHECK(one.state(vault) == strict);
    CHECK(vault.Told() == told);
    CHECK(vault.LinesNow() == lines);
    // Without the ledger it would be gone: what is tested here is the ledger. And the next case
    // begins with the same.
    vault.Restore(false);
    CHECK(one.state(vault) == loose);
    CHECK(vault.Told().empty());
  }
}

TEST_CASE("what takes protection back is not repeated in an older state, and told of") {
  Protecting vault;
  for (const ActCase& one : LooseningActs()) {
    const std::string strict = one.state(vault);
    one.act(vault);
    const std::string loose = one.state(vault);
    INFO(one.told << "\n" << strict << "\n" << loose);
    CHECK(loose != strict);
    vault.Restore();
    CHECK(one.state(vault) == strict);
    const Strings told = vault.Told();
    REQUIRE(told.size() == 1);
    CHECK(told.front().starts_with("act.not-repeated " + one.told + " "));
    CHECK(std::ranges::any_of(vault.operator_log(), [&](const std::string& line) {
      return line.find("is not repeated") != line.npos && line.find(one.told) != line.npos;
    }));
    vault.CheckInvariants();
    vault.Close();
    vault.Open();
    CHECK(vault.Told() == told);
    vault.Restore(false);
  }
}

TEST_CASE("of several acts about one thing the last one counts") {
  Protecting vault;
  const auto held = vault->holds().PlaceHold(vault.As(kPrivacyOfficer), vault.OnTag());
  Did(held);
  Did(vault->holds().LiftHold(vault.As(kPrivacyOfficer), held->id));
  Did(vault.Disable(vault.machine, true));
  Did(vault.Disable(vault.machine, false));
  Did(vault.Disable(vault.sleeping, false));
  Did(vault.Disable(vault.sleeping, true));
  Did(vault->assignments().Unassign(vault.As(kSupervisor), vault.client, vault.machine));
  Did(vault->assignments().Assign(vault.As(kSupervisor), vault.client, vault.machine, {}));
  const std::string holds = vault.HoldsNow(), assignments = vault.AssignmentsNow();
  vault.Restore();
  CHECK(vault.HoldsNow() == holds);
  CHECK(vault.AssignmentsNow() == assignments);
  CHECK(!vault.Look(vault.machine).disabled);
  CHECK(vault.Look(vault.sleeping).disabled);
  // All of it is as it was: there is nothing to tell.
  CHECK(vault.Told() == Strings{});
  vault.CheckInvariants();
}

TEST_CASE("all that was done since a copy is in force again together, sessions have ended") {
  Protecting vault;
  const auto session = vault.LogIn(kFirstPassword);
  Did(session);
  vault.Close();
  fs::remove_all(vault.before());
  fs::copy(vault.directory(), vault.before(), fs::copy_options::recursive);
  vault.Open();
  const auto acts = ProtectiveActs();
  // The password is changed once, and the token ends once.
  for (const std::size_t at : {0UZ, 1UZ, 2UZ, 3UZ, 4UZ, 6UZ, 8UZ, 11UZ, 12UZ, 13UZ, 14UZ, 15UZ,
                               16UZ, 17UZ, 18UZ, 19UZ, 20UZ}) {
    acts[at].act(vault);
  }
  const std::string holds = vault.HoldsNow(), restrictions = vault.RestrictionsNow(),
                    assignments = vault.AssignmentsNow(), consents = vault.ConsentsNow();
  vault.Restore();
  CHECK(vault.HoldsNow() == holds);
  CHECK(vault.RestrictionsNow() == restrictions);
  CHECK(vault.ConsentsNow() == consents);
  CHECK(vault.AssignmentsNow() == assignments);
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.Stranger(session->secret))) != "ok");
  CHECK(std::ranges::count(vault.Told(), "act.replayed sessions ended: 1") == 1);
  CHECK(vault.Told().size() == 18);
  const auto report = vault->verification().VerifyLog(vault.As(kAuditor), true);
  Did(report);
  for (const auto& finding : report->log.findings) FAIL_CHECK(finding.message);
  vault.CheckInvariants();
}

TEST_CASE("of an erased client nothing is put in force again, and nothing is told") {
  Protecting vault;
  const ClientId other = vault.NewClient("P-2");
  vault.Close();
  fs::remove_all(vault.before());
  fs::copy(vault.directory(), vault.before(), fs::copy_options::recursive);
  vault.Open();
  const auto held = vault->holds().PlaceHold(
      vault.As(kPrivacyOfficer), {other, {}, {}, "Claim by a neighbour", "K-3", vault.Due()});
  Did(held);
  Did(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), other, {{}, "disputed", {}}));
  Did(vault->holds().LiftHold(vault.As(kPrivacyOfficer), held->id));
  Did(vault->erasures().Erase(vault.As(kPrivacyOfficer), other, {}));
  vault.Restore();
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), other)) == "not_found");
  CHECK(vault.Told() == Strings{});
  vault.CheckInvariants();
}

TEST_CASE("a hold whose words are under a key that an erasure destroyed holds without them") {
  Protecting vault;
  Did(vault->holds().LiftHold(vault.As(kPrivacyOfficer), vault.hold));
  const auto held =
      vault->holds().PlaceHold(vault.As(kPrivacyOfficer), vault.OnClient("K-4", "interaction"));
  Did(held);
  Did(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                     {"interaction", "disputed", {false, {}, {"contract"}}}));
  Did(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                              {ErasureBasis::kRequest, {}, {vault.record}}));
  vault.Restore();
  const auto again = vault->holds().GetHold(vault.As(kPrivacyOfficer), held->id);
  Did(again);
  CHECK(again->terms.class_name == "interaction");
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {})) == "held");
  const auto restricted =
      vault->restrictions().ListRestrictions(vault.As(kPrivacyOfficer), vault.client);
  Did(restricted);
  REQUIRE(restricted->size() == 2);
  CHECK(restricted->at(1).terms.stops.legal_bases == Strings{"contract"});
  CHECK(restricted->at(1).terms.stops.purposes.size() > 1);  // those that rested on it
  vault.CheckInvariants();
}

TEST_CASE("what the vault has and the ledger has not is added to it, in whatever state it is cut") {
  Protecting vault;
  for (const ActCase& one : {ProtectiveActs()[0], ProtectiveActs()[4], LooseningActs()[0]}) {
    one.act(vault);
  }
  vault.Close();
  std::ifstream file(vault.ledger());
  Strings lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  REQUIRE(lines.size() > 3);
  const auto put = [&](std::size_t left, std::string_view torn) {
    std::ofstream out(vault.ledger(), std::ios::trunc);
    for (std::size_t i = 0; i < left; ++i) out << lines[i] << '\n';
    out << torn;
  };
  for (const std::size_t left : {std::size_t{0}, lines.size() / 2, lines.size() - 1}) {
    put(left, std::string_view(lines[left]).substr(0, 40));
    vault.Open();
    CHECK(vault.Told().empty());
    vault.Close();
    CHECK(vault.LinesNow() == lines.size());
  }
  // And after a restore that ledger has all of it.
  vault.Restore();
  CHECK(vault.Told().size() == 3);
  vault.CheckInvariants();
  // Twice, out of their place, or altered: the chain shows it, and nothing is served.
  vault.Close();
  for (const auto& damage : {Strings{lines[0], lines[0]}, Strings{lines[1]},
                             Strings{std::string(lines[0]).replace(10, 1, "x")}}) {
    std::ofstream out(vault.ledger(), std::ios::trunc);
    for (const auto& line : damage) out << line << '\n';
    out.close();
    CHECK(AnswerOf(vault.TryOpen()) == "ledger_damaged");
  }
}

TEST_CASE("a ledger shows neither words, names, tags nor what people log in with") {
  Protecting vault;
  for (const ActCase& one : ProtectiveActs()) {
    if (one.told != "token.ended" && one.told != "user.credentials") one.act(vault);
  }
  Did(vault->principals().EnrolAgain(vault.As(kAdministrator), vault.person));
  vault.Close();
  std::ifstream file(vault.ledger());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const char* word : {"neighbour", "K-1", "disputed", "tamsin", "Tamsin", "vip", "north",
                           "example", "argon", "client-care", "T-1"}) {
    INFO(word);
    CHECK(text.find(word) == text.npos);
  }
}

TEST_CASE("of each action it is decided whether a restore repeats it, and each line is of one") {
  const auto lines = LinesByAction();
  for (int i = 0; i < kActionCount; ++i) {
    INFO(Name(static_cast<Action>(i)));
    CHECK(lines.contains(std::string(Name(static_cast<Action>(i)))));
  }
  CHECK(lines.size() == kActionCount);
  std::set<std::string> used;
  for (const auto& [action, words] : lines) {
    INFO(action);
    CHECK(!words.empty());
    for (const auto& word : words) {
      INFO(word);
      const bool no_act = word == "none" || word == "erasure";
      CHECK((no_act || audit::ActKindFromName(word)));
      CHECK((word != "none" || words.size() == 1));
      if (!no_act) used.insert(word);
    }
  }
  CHECK(used.size() == audit::kActKindCount);
}

TEST_CASE("each act that takes protection back has one that protects, of the same thing") {
  for (int i = 0; i < audit::kActKindCount; ++i) {
    const auto kind = static_cast<audit::ActKind>(i);
    INFO(Name(kind));
    CHECK(audit::ActKindFromName(Name(kind)) == kind);
    CHECK(audit::Protects(audit::SubjectOf(kind)));
    CHECK((audit::Protects(kind) == (audit::SubjectOf(kind) == kind)));
  }
  CHECK(!audit::ActKindFromName("hold.forgotten"));
}

}  // namespace coffer::vault
