// What ids are called: who may know it, that it is as it is now, and that a client's name is a
// disclosure like any other.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

LogFilter ActorNamed(const std::string& name) {
  LogFilter filter;
  filter.actor = name;
  return filter;
}

class NamedVault : public TestVault {
 public:
  NamedVault() : client(NewClient("A-1")) {
    const auto made =
        (*this)->principals().CreateUser(As(kAdministrator), {"bert", "Bert", "case-worker"});
    REQUIRE(made);
    bert = made->user.id;
    const auto service =
        (*this)->principals().CreateService(As(kAdministrator), {"mail", "case-worker", {}, {}});
    REQUIRE(service);
    mail = service->id;
    const auto put = (*this)->teams().PutTeam(As(kSupervisor), "north", {bert});
    REQUIRE(put);
    team = put->id;
  }
  std::vector<std::string> Names(const Caller& caller) {
    const auto names =
        (*this)->names().NamesOf(caller, {{bert, mail, team, bert}, {client, client}});
    INFO(AnswerOf(names));
    REQUIRE(names);
    std::vector<std::string> texts;
    for (const KnownName& known : *names) {
      texts.push_back(known.name + (known.disabled ? " disabled" : ""));
    }
    std::ranges::sort(texts);
    return texts;
  }
  // Without the auditor's, who reads it for the test.
  std::vector<audit::Entry> Entries() {
    std::vector<audit::Entry> entries = WholeLog();
    std::erase_if(entries, [](const auto& entry) { return entry.rule == "role:auditor"; });
    return entries;
  }

  ClientId client;
  PrincipalId bert, mail, team;
};

TEST_CASE("principals are named to whoever may list them or read the log, and to nobody else") {
  NamedVault vault;
  for (const Role role : kRoles) {
    const Caller caller = vault.As(role, "");
    const bool may = vault->principals().ListPrincipals(caller, PrincipalKind::kUser).has_value() ||
                     vault->access_log().ReadLog(caller, {}, {}).has_value();
    CAPTURE(static_cast<int>(role));
    CHECK(vault.Names(caller) == (may ? Strings{"bert", "mail", "north"} : Strings()));
  }
  CHECK(vault.Names(TestVault::Stranger("nobody's")).empty());
  CHECK(vault.Names(TestVault::Stranger()).empty());
}

TEST_CASE("a name is the present one, and says who can do nothing any more") {
  NamedVault vault;
  PrincipalChange renamed;
  renamed.name = "post";
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.mail, renamed));
  PrincipalChange disabled;
  disabled.disabled = true;
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.bert, disabled));
  CHECK(vault.Names(vault.As(kSecurityOfficer, "")) == Strings{"bert disabled", "north", "post"});
}

TEST_CASE("a page of the log comes with the names that its actors have then") {
  NamedVault vault;
  const auto names = [&] {
    const auto page = vault->access_log().ReadLog(vault.As(kSecurityOfficer, ""), {}, {});
    INFO(AnswerOf(page));
    REQUIRE((page && page->principals != nullptr));
    std::map<PrincipalId, std::string> texts;
    for (const auto& [id, known] : *page->principals) {
      texts[id] = known.name + (known.disabled ? " disabled" : "");
    }
    return texts;
  };
  CHECK(names()[vault.bert] == "bert");
  CHECK(names()[vault.team] == "north");
  PrincipalChange change;
  change.name = "post";
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.mail, change));
  CHECK(names()[vault.mail] == "post");
  change = {};
  change.disabled = true;
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.bert, change));
  CHECK(names()[vault.bert] == "bert disabled");
  change.disabled = false;
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.bert, change));
  CHECK(names()[vault.bert] == "bert");
  const auto made =
      vault->principals().CreateUser(vault.As(kAdministrator), {"carla", "Carla", "case-worker"});
  REQUIRE(made);
  CHECK(names()[made->user.id] == "carla");
  const auto south = vault->teams().PutTeam(vault.As(kSupervisor), "south", {made->user.id});
  REQUIRE(south);
  CHECK(names()[south->id] == "south");
  CHECK(names() == names());
  // Who may not read the log is given nothing.
  CHECK_FALSE(vault->access_log().ReadLog(vault.As(kCaseWorker, ""), {}, {}));
}

TEST_CASE("nobody is called what would be taken for somebody else's id, or for the vault's own") {
  NamedVault vault;
  const Caller admin = vault.As(kAdministrator);
  for (const std::string& name : {vault.bert.Text(), vault.client.Text(), std::string("vault"),
                                  std::string("genesis"), "x_" + std::string(26, '0')}) {
    CAPTURE(name);
    CHECK(AnswerOf(vault->principals().CreateUser(admin, {name, "N", "case-worker"})) ==
          "principal_invalid");
    CHECK(AnswerOf(vault->principals().CreateService(admin, {name, "case-worker", {}, {}})) ==
          "principal_invalid");
    PrincipalChange change;
    change.name = name;
    CHECK(AnswerOf(vault->principals().UpdatePrincipal(admin, vault.mail, change)) ==
          "principal_invalid");
    CHECK(AnswerOf(vault->tokens().CreateToken(admin, {.name = name,
                                                       .principal = {},
                                                       .role = "case-worker",
                                                       .lifetime_s = 3600,
                                                       .limits = {}})) == "token_invalid");
    CHECK_FALSE(vault->teams().PutTeam(vault.As(kSupervisor), name, {}));
  }
  CHECK(AnswerOf(vault->principals().CreateService(
            admin, {"mail (" + vault.bert.Text() + ")", "case-worker", {}, {}})) ==
        "principal_invalid");
  CHECK(AnswerOf(vault->principals().CreateService(admin, {"VAULT", "case-worker", {}, {}})) ==
        "principal_invalid");
  // A person may be called so: nobody is shown by it.
  CHECK(vault->principals().CreateUser(admin, {"g.ruiz", "Genesis", "case-worker"}));
}

TEST_CASE("a service that is called like somebody is shown by its id alone") {
  NamedVault vault;
  PrincipalChange renamed;
  renamed.name = "Bert";
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), vault.mail, renamed));
  REQUIRE(vault->teams().PutTeam(vault.As(kSupervisor), "bert", {vault.bert}));
  CHECK(vault.Names(vault.As(kSecurityOfficer, "")) == Strings{"bert", "north"});
}

TEST_CASE("a restricted client is named to whoever may read it, and to nobody else") {
  NamedVault vault;
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {{}, "accuracy", {}}));
  std::size_t refused = 0;
  for (const Role role : kRoles) {
    const Caller caller = vault.As(role, "client-care");
    const bool may = vault->clients().GetClient(caller, vault.client).has_value();
    refused += may ? 0 : 1;
    CAPTURE(static_cast<int>(role));
    const auto before = vault.Entries().size();
    const auto names = vault.Names(caller);
    CHECK((std::ranges::find(names, "A-1") != names.end()) == may);
    CHECK(vault.Entries().size() == before + (may ? 1 : 0));
  }
  CHECK(refused > 0);
}

TEST_CASE("who may list tokens and know no names is told of none") {
  NamedVault vault;
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "lister",
                                 R"({"grants": [{"actions": ["token.list"]}]})"));
  const auto token = vault->tokens().CreateToken(
      vault.As(kAdministrator),
      {.name = "l", .principal = {}, .role = "lister", .lifetime_s = 3600, .limits = {}});
  REQUIRE(token);
  const Caller lister = TestVault::Stranger(token->secret);
  const auto near = vault->tokens().ListTokens(lister, {{}, "brt"}, {});
  CHECK(AnswerOf(near) == "filter_unknown");
  CHECK(near.error().issues.at(0).message.find("bert") == std::string::npos);
  CHECK(vault.Names(lister).empty());
  // An id that is nobody's is no empty list.
  for (const auto kind : {PrincipalKind::kService, PrincipalKind::kUser}) {
    const PrincipalId nobody = PrincipalId::New({}, kind);
    CHECK(AnswerOf(vault->tokens().ListTokens(lister, {{}, nobody.Text()}, {})) ==
          "filter_unknown");
    CHECK(AnswerOf(vault->assignments().ListAssignmentsOf(vault.As(kSupervisor), nobody, {})) ==
          "filter_unknown");
  }
}

TEST_CASE("looking up principals leaves no entry, and no name is in the log") {
  NamedVault vault;
  const auto before = vault.Entries().size();
  (void)vault.Names(vault.As(kSecurityOfficer, ""));
  CHECK(vault.Entries().size() == before);
  for (const auto& entry : vault.Entries()) {
    CHECK(entry.detail.find("bert") == std::string::npos);
    CHECK(entry.detail.find("A-1") == std::string::npos);
  }
}

TEST_CASE("a client is named by an entry of its own, to whose role may read it for the purpose") {
  NamedVault vault;
  for (const Role role : kRoles) {
    for (const std::string purpose : {"", "client-care", "no-such-purpose"}) {
      CAPTURE(static_cast<int>(role), purpose);
      const Caller caller = vault.As(role, purpose);
      const bool may = vault->clients().GetClient(caller, vault.client).has_value();
      const auto before = vault.Entries().size();
      const auto names = vault.Names(caller);
      CHECK((std::ranges::find(names, "A-1") != names.end()) == may);
      const auto log = vault.Entries();
      REQUIRE(log.size() == before + (may ? 1 : 0));
      if (!may) continue;
      CHECK(log.back().action == "client.read");
      CHECK(log.back().client == vault.client.Text());
      CHECK(log.back().fields == Strings{"external_ref"});
      CHECK(log.back().purpose == purpose);
      CHECK(log.back().decision == audit::Decision::kAllow);
      CHECK(log.back().request == caller.call.Text());
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("an erased client has no name any more") {
  NamedVault vault;
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(vault.Names(vault.As(kPrivacyOfficer)) == Strings{"bert", "mail", "north"});
}

TEST_CASE("the log is searched by a login or a service's name as by the id") {
  NamedVault vault;
  for (const auto& [name, id] : {std::pair<std::string, PrincipalId>{"bert", vault.bert},
                                 {"BERT", vault.bert},
                                 {"mail", vault.mail}}) {
    CAPTURE(name);
    const auto by_name =
        vault->access_log().ReadLog(vault.As(kSecurityOfficer, ""), ActorNamed(name), {});
    INFO(AnswerOf(by_name));
    REQUIRE(by_name);
    CHECK(by_name->entries.empty());
    // Whose history was looked at is in the log, as an id.
    CHECK(vault.Entries().back().detail == id.Text());
    const std::string counted = AnswerOf(
        vault->access_log().SummariseLog(vault.As(kSecurityOfficer, ""), {ActorNamed(name)}));
    CAPTURE(counted);
    CHECK((counted == "ok" || counted == "index_behind"));
  }
}

TEST_CASE("what nobody is called is told apart from who did nothing") {
  NamedVault vault;
  const Caller officer = vault.As(kSecurityOfficer, "");
  const auto unknown = vault->access_log().ReadLog(officer, ActorNamed("brt"), {});
  CHECK(AnswerOf(unknown) == "filter_unknown");
  REQUIRE(unknown.error().issues.size() == 1);
  CHECK(unknown.error().issues[0].pointer == "/actor");
  CHECK(unknown.error().issues[0].message.find("near: bert") != std::string::npos);
  CHECK(AnswerOf(vault->access_log().SummariseLog(officer, {ActorNamed("nobody")})) ==
        "filter_unknown");
  CHECK(AnswerOf(vault->evidence().MakeEvidence(officer, {"", "nobody", {}, {}})) ==
        "evidence_invalid");
  CHECK(AnswerOf(vault->tokens().ListTokens(officer, {{}, "nobody"}, {})) == "filter_unknown");
  // Who may not read the log learns nothing of names.
  const auto refused =
      vault->access_log().ReadLog(vault.As(kCaseWorker, ""), ActorNamed("brt"), {});
  CHECK(AnswerOf(refused) == "permission_denied");
  CHECK(refused.error().issues.empty());
}

TEST_CASE("a name of several principals is refused, not guessed") {
  NamedVault vault;
  REQUIRE(
      vault->principals().CreateService(vault.As(kAdministrator), {"bert", "case-worker", {}, {}}));
  const auto both =
      vault->access_log().ReadLog(vault.As(kSecurityOfficer, ""), ActorNamed("bert"), {});
  CHECK(AnswerOf(both) == "filter_unknown");
  CHECK(both.error().issues[0].message.find("several") != std::string::npos);
}

TEST_CASE("a refusal by throttling names the account that was tried, where there is one") {
  NamedVault vault;
  const auto guess = [&](const char* login) {
    return AnswerOf(vault->sessions().LogIn(
        TestVault::Stranger(), login, crypto::SecretBytes::CopyOf(crypto::AsBytes("a guess")), ""));
  };
  std::map<std::string, std::string> actors;
  for (const char* login : {"bert", "nobody"}) {
    std::string answer;
    for (int i = 0; i < 30 && answer != "login_throttled"; ++i) answer = guess(login);
    REQUIRE(answer == "login_throttled");
    const auto entry = vault.Entries().back();
    CHECK(entry.rule == "check:throttle");
    CHECK(entry.outcome == "login_throttled");
    actors[login] = entry.actor;
  }
  CHECK(actors["bert"] == vault.bert.Text());
  CHECK(actors["nobody"].empty());
  // So do the other things that are asked before somebody is known.
  CHECK(AnswerOf(vault->sessions().ReadEnrolment(TestVault::Stranger(), "bert", "cfe_x")) ==
        "login_throttled");
  CHECK(vault.Entries().back().actor == vault.bert.Text());
  CHECK(AnswerOf(vault->sessions().CompleteEnrolment(
            TestVault::Stranger(), "Bert", "cfe_x",
            crypto::SecretBytes::CopyOf(crypto::AsBytes("a password")), "")) == "login_throttled");
  CHECK(vault.Entries().back().actor == vault.bert.Text());
}

TEST_CASE("a token's state is whether it can be used, and lists are of one state or service") {
  NamedVault vault;
  const Caller admin = vault.As(kAdministrator, "");
  const auto make = [&](std::int64_t lifetime_s) {
    TokenRequest request;
    request.name = "t";
    request.principal = vault.mail;
    request.lifetime_s = lifetime_s;
    const auto made = vault->tokens().CreateToken(vault.As(kAdministrator, ""), request);
    INFO(AnswerOf(made));
    REQUIRE(made);
    return made->info.id;
  };
  const TokenId lasting = make(86'400), brief = make(60), revoked = make(86'400);
  const TokenId rotated = make(86'400);
  REQUIRE(vault->tokens().RevokeToken(admin, revoked));
  const auto heir = vault->tokens().RotateToken(admin, rotated, 30);
  REQUIRE(heir);
  const auto states = [&](const TokenFilter& filter) {
    std::map<TokenId, TokenState> found;
    std::string cursor;
    do {  // page by page
      const auto page =
          vault->tokens().ListTokens(vault.As(kAdministrator, ""), filter, {1, cursor});
      INFO(AnswerOf(page));
      REQUIRE(page);
      for (const auto& token : page->items) found[token.id] = token.state;
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return found;
  };
  using States = std::map<TokenId, TokenState>;
  using enum TokenState;
  // While both go on, the old one can be used, and says what comes after it.
  CHECK(states({{}, "mail"}).at(rotated) == kActive);
  vault.clock.Advance(61'000);
  const TokenFilter mail{{}, "mail"};
  CHECK(states(mail) == States{{lasting, kActive},
                               {brief, kExpired},
                               {revoked, kRevoked},
                               {rotated, kRotated},
                               {heir->info.id, kActive}});
  CHECK(states({kExpired, vault.mail.Text()}) == States{{brief, kExpired}});
  const auto all = vault->tokens().ListTokens(admin, {}, {200, ""});
  const auto active = vault->tokens().ListTokens(admin, {kActive, ""}, {200, ""});
  REQUIRE((all && active));
  CHECK(all->items.size() == active->items.size() + 3);
  const auto old = std::ranges::find(all->items, rotated, &TokenInfo::id);
  REQUIRE(old != all->items.end());
  CHECK(old->replaced_by == heir->info.id);
  CHECK(std::ranges::all_of(active->items, [](const auto& t) { return t.expires_in_s > 0; }));
  PrincipalChange disabled;
  disabled.disabled = true;
  REQUIRE(vault->principals().UpdatePrincipal(admin, vault.mail, disabled));
  CHECK(states({kDisabled, "mail"}) == States{{lasting, kDisabled}, {heir->info.id, kDisabled}});
}

}  // namespace
}  // namespace coffer::vault
