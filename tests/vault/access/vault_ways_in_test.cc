// No administrator reads client data alone: every sequence of up to three administrative calls of
// one of them, on accounts that lead to clients in every way there is, and then every credential
// that the administrator came to hold is tried.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <set>
#include <thread>

#include "crypto/client_key.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kFor = "complaint-handling";
constexpr std::int64_t kWaysDay = 24 * 3600;
constexpr std::string_view kChosen = "correct horse battery staple";

// What the administrator does to one account, and has got by it.
struct Attack {
  PrincipalId account;
  TokenId token;                      // of the account, which its holder has
  std::string held;                   // a certificate that the administrator has the key of
  std::set<std::string> tokens = {};  // secrets that were shown
  std::vector<std::pair<std::string, std::string>> codes = {};  // logins with a code
  std::set<std::string> facts = {};                             // what else its calls have changed
};

class WaysVault : public TestVault {
 public:
  WaysVault() : TestVault({.two_person = true}), client(NewClient("A-1")) {
    record = NewRecord(client);
    Role("bare", R"([{"actions": ["self.read"]}])");
    Role("reader", R"([{"actions": ["record.read", "record.list", "client.read"],
                        "scope": "assigned"}])");
    Role("duty", R"([{"actions": ["emergency.open"]}])");
    const auto key = crypto::NewClientKey();
    REQUIRE(key);
    csr = key->csr_pem;
  }

  RecordId NewRecord(const ClientId& of) {
    const auto made = (*this)->records().CreateRecord(As(kCrmService, kFor), of, "complaint",
                                                      {{"complaint_number", "C-1"},
                                                       {"received_on", "2026-01-02"},
                                                       {"channel", "phone"},
                                                       {"category", "service"},
                                                       {"status", "received"},
                                                       {"description", "The heating fails"}},
                                                      {});
    INFO(AnswerOf(made));
    REQUIRE(made);
    return made->id;
  }
  void Role(const std::string& name, const std::string& grants) {
    REQUIRE((*this)->roles().PutRole(As(kAdministrator), name, R"({"grants": )" + grants + "}"));
  }

  // By as many people as it takes.
  NewToken Service(const std::string& role) {
    const std::string name = "service " + std::to_string(++names_);
    Caller caller = As(kAdministrator);
    if (auto alone = (*this)->tokens().CreateToken(caller, {name, {}, role, kWaysDay, {}}))
      return *alone;
    const auto asked = (*this)->approvals().RequestApproval(
        As(kAdministrator),
        {"role.give", "service:" + name, R"({"role": ")" + role + R"(", "by": "token"})"});
    if (!asked) throw std::runtime_error(AnswerOf(asked));
    Must((*this)->approvals().DecideApproval(As(kSecurityOfficer), asked->id, true));
    caller = As(kAdministrator);
    caller.approval = asked->id.Text();
    return Must((*this)->tokens().CreateToken(caller, {name, {}, role, kWaysDay, {}}));
  }
  Attack On(const NewToken& token) {
    return {token.info.principal, token.info.id,
            "dns:held-" + std::to_string(++names_) + ".example"};
  }
  void Lease(const PrincipalId& holder) {
    Must((*this)->leases().GiveLease(
        As(kSupervisor), client, {holder, "complaint", {"description"}, kFor, "CASE-1", kWaysDay}));
  }
  void Assign(const PrincipalId& holder) {
    Must((*this)->assignments().Assign(As(kSupervisor), client, holder, {}));
  }
  void Disable(const PrincipalId& account) {
    Must((*this)->principals().UpdatePrincipal(As(kAdministrator), account, {{}, {}, true, {}}));
  }
  Attack OnUser() {
    const std::string login = "user-" + std::to_string(++names_);
    const auto made =
        Must((*this)->principals().CreateUser(As(kAdministrator), {login, "U", "case-worker"}));
    const auto password = crypto::SecretBytes::CopyOf(crypto::AsBytes(kChosen.substr(8)));
    Must((*this)->sessions().CompleteEnrolment(Stranger(), login, made.code, password, ""));
    return {made.user.id, {}, "dns:held-" + std::to_string(++names_) + ".example"};
  }

  template <class T>
  static T Must(Result<T> result) {
    if (!result) throw std::runtime_error(AnswerOf(result));
    return *std::move(result);
  }
  std::string Number() { return std::to_string(++names_); }

  ClientId client;
  RecordId record;
  std::string csr;

 private:
  std::atomic<int> names_{0};
};

struct StartingPoint {
  const char* name;
  Attack (*make)(WaysVault&);
};
const StartingPoint kStarts[] = {
    {"plain service", [](WaysVault& v) { return v.On(v.Service("case-worker")); }},
    {"service with a lease",
     [](WaysVault& v) {
       const auto token = v.Service("auditor");
       v.Lease(token.info.principal);
       return v.On(token);
     }},
    {"service without a role to speak of, with a lease",
     [](WaysVault& v) {
       const auto token = v.Service("bare");
       v.Lease(token.info.principal);
       return v.On(token);
     }},
    {"service with emergency access",
     [](WaysVault& v) {
       const auto token = v.Service("duty");
       Caller opener = WaysVault::Stranger(token.secret);
       opener.reason = "nobody else is here";
       WaysVault::Must(
           v->emergencies().OpenEmergency(opener, v.client, {kFor, "CASE-1", kWaysDay}));
       return v.On(token);
     }},
    {"assigned service",
     [](WaysVault& v) {
       const auto token = v.Service("case-worker");
       v.Assign(token.info.principal);
       return v.On(token);
     }},
    {"service with an assignment and a lease, and a role that shows neither",
     [](WaysVault& v) {
       const auto token = v.Service("bare");
       v.Assign(token.info.principal);
       v.Lease(token.info.principal);
       return v.On(token);
     }},
    {"disabled service, assigned and leased since, whose token the administrator kept",
     [](WaysVault& v) {
       const auto token = v.Service("case-worker");
       v.Disable(token.info.principal);
       v.Assign(token.info.principal);
       v.Lease(token.info.principal);
       Attack attack = v.On(token);
       attack.tokens.insert(token.secret);
       return attack;
     }},
    {"disabled service with a lease and a role that shows nothing, whose token was kept",
     [](WaysVault& v) {
       const auto token = v.Service("bare");
       v.Disable(token.info.principal);
       v.Lease(token.info.principal);
       Attack attack = v.On(token);
       attack.tokens.insert(token.secret);
       return attack;
     }},
    {"member of a team that is assigned",
     [](WaysVault& v) {
       const auto token = v.Service("case-worker");
       const auto team = WaysVault::Must(
           v->teams().PutTeam(v.As(kSupervisor), "team-" + v.Number(), {token.info.principal}));
       v.Assign(team.id);
       return v.On(token);
     }},
    {"privileged service", [](WaysVault& v) { return v.On(v.Service("crm-service")); }},
    {"assigned user",
     [](WaysVault& v) {
       Attack attack = v.OnUser();
       v.Assign(attack.account);
       v.Lease(attack.account);
       return attack;
     }},
};

struct Step {
  const char* name;
  // Whether it was done.
  bool (*take)(WaysVault&, Attack&);
};

bool Patch(WaysVault& v, Attack& a, const PrincipalChange& change) {
  const bool done =
      v->principals().UpdatePrincipal(v.As(kAdministrator), a.account, change).has_value();
  // What hung on the account may be gone, whatever it is now.
  if (done && (change.role || change.disabled == true)) a.facts.insert("changed");
  return done;
}
bool Done(Attack& a, bool done, const char* fact) {
  if (done) a.facts.insert(fact);
  return done;
}
bool Keep(Attack& a, const Result<NewToken>& token) {
  if (token) a.tokens.insert(token->secret);
  return Done(a, token.has_value(), "token");
}
// Asked for and approved by the same one, and then done with that.
bool AskOneself(WaysVault& v, Attack& a, const std::string& content) {
  const auto asked = v->approvals().RequestApproval(v.As(kAdministrator),
                                                    {"role.give", a.account.Text(), content});
  if (!asked) return false;
  (void)v->approvals().DecideApproval(v.As(kAdministrator), asked->id, true);
  Caller caller = v.As(kAdministrator);
  caller.approval = asked->id.Text();
  return v->principals()
      .UpdatePrincipal(caller, a.account, {{}, "reader", false, {{a.held}}})
      .has_value();
}

// Those that go through alone come back in sequences; what is refused changes nothing.
const Step kSteps[] = {
    {"role auditor", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "auditor", {}, {}}); }},
    {"role bare", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "bare", {}, {}}); }},
    {"role reader", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "reader", {}, {}}); }},
    {"role crm-service",
     [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "crm-service", {}, {}}); }},
    {"disable", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, {}, true, {}}); }},
    {"enable", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, {}, false, {}}); }},
    {"bind", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, {}, {}, {{a.held}}}); }},
    {"bind and demote",
     [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "bare", {}, {{a.held}}}); }},
    {"bind, demote and enable",
     [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, "bare", false, {{a.held}}}); }},
    {"unbind", [](WaysVault& v, Attack& a) { return Patch(v, a, {{}, {}, {}, Strings{}}); }},
    {"rename", [](WaysVault& v, Attack& a) { return Patch(v, a, {"x", {}, {}, {}}); }},
    {"token",
     [](WaysVault& v, Attack& a) {
       return Keep(
           a, v->tokens().CreateToken(v.As(kAdministrator), {"x", a.account, {}, kWaysDay, {}}));
     }},
    {"rotate",
     [](WaysVault& v, Attack& a) {
       return Keep(a, v->tokens().RotateToken(v.As(kAdministrator), a.token, 60));
     }},
    {"revoke",
     [](WaysVault& v, Attack& a) {
       return v->tokens().RevokeToken(v.As(kAdministrator), a.token).has_value();
     }},
    {"issue a certificate",
     [](WaysVault& v, Attack& a) {
       return v->principals()
           .IssueCertificate(v.As(kAdministrator), a.account, v.csr, kWaysDay)
           .has_value();
     }},
    {"enrol again",
     [](WaysVault& v, Attack& a) {
       const auto code = v->principals().EnrolAgain(v.As(kAdministrator), a.account);
       if (code) a.codes.emplace_back(code->user.login, code->code);
       return Done(a, code.has_value(), "code");
     }},
    {"ask oneself to bind",
     [](WaysVault& v, Attack& a) {
       return AskOneself(
           v, a,
           R"({"role": "reader", "by": "change", "disabled": false, "certificates": [")" + a.held +
               R"("]})");
     }},
    {"new service with the certificate",
     [](WaysVault& v, Attack& a) {
       const auto made = v->principals().CreateService(v.As(kAdministrator),
                                                       {"x", "reader", a.account, {a.held}});
       return Done(a, made.has_value(), "service");
     }},
    {"new service with a token",
     [](WaysVault& v, Attack& a) {
       return Keep(
           a, v->tokens().CreateToken(v.As(kAdministrator), {"x", {}, "reader", kWaysDay, {}}));
     }},
    {"new user",
     [](WaysVault& v, Attack& a) {
       const auto made = v->principals().CreateUser(v.As(kAdministrator),
                                                    {"user-" + v.Number(), "U", "case-worker"});
       if (made) a.codes.emplace_back(made->user.login, made->code);
       return Done(a, made.has_value(), "user");
     }},
    {"change a role",
     [](WaysVault& v, Attack&) {
       return v->roles()
           .PutRole(v.As(kAdministrator), "bare", R"({"grants": [{"actions": ["record.read"]}]})")
           .has_value();
     }},
};

// Whether the caller is shown anything of the client.
bool Reads(WaysVault& v, Caller caller) {
  caller.purpose = kFor;
  caller.reason = "because";
  caller.ticket = "CASE-1";
  const auto again = [&] {
    caller.call = CallId::New(v.clock.Now());
    return caller;
  };
  return v->records().GetRecord(again(), v.client, v.record).has_value() ||
         v->clients().GetClient(again(), v.client).has_value();
}

// Which of the credentials that the administrator holds reads.
bool AnyReads(WaysVault& v, const Attack& attack) {
  Caller by_certificate = WaysVault::Stranger();
  by_certificate.certificate = ClientCertificate{{attack.held}};
  if (Reads(v, by_certificate) || Reads(v, v.As(kAdministrator))) return true;
  for (const auto& secret : attack.tokens) {
    if (Reads(v, WaysVault::Stranger(secret))) return true;
  }
  const auto password = crypto::SecretBytes::CopyOf(crypto::AsBytes(kChosen));
  for (const auto& [login, code] : attack.codes) {
    (void)v->sessions().CompleteEnrolment(WaysVault::Stranger(), login, code, password, "");
    const auto session = v->sessions().LogIn(WaysVault::Stranger(), login, password, "");
    if (session && Reads(v, WaysVault::Stranger(session->secret))) return true;
  }
  return false;
}

// What the next calls depend on. Two sequences that come to the same go on alike.
std::string StateOf(WaysVault& v, const Attack& attack) {
  const auto info =
      WaysVault::Must(v->principals().GetPrincipal(v.As(kAdministrator), attack.account));
  std::string state = info.role + (info.disabled ? " disabled" : "");
  for (const auto& binding : info.certificates) state += " " + binding.substr(0, 8);
  for (const auto& fact : attack.facts) state += " " + fact;
  return state;
}

using Sequence = std::vector<const Step*>;

Attack After(WaysVault& v, const StartingPoint& start, const Sequence& done) {
  Attack attack = start.make(v);
  for (const Step* step : done) (void)step->take(v, attack);
  return attack;
}

// Every step after every sequence of up to two that went through, each on an account of its own.
// A refused call changes nothing: the sequence without it is another one. Of sequences that come
// to the same state the first goes on.
void TryAll(WaysVault& v, const StartingPoint& start, std::vector<std::string>& found, int& tried) {
  std::set<std::string> seen = {StateOf(v, start.make(v))};
  std::vector<Sequence> sequences = {{}};
  for (std::size_t at = 0; at < sequences.size(); ++at) {
    const Sequence done = sequences[at];
    std::optional<Attack> attack;
    std::string before;
    for (const Step& step : kSteps) {
      if (!attack) {
        attack = After(v, start, done);
        before = StateOf(v, *attack);
      }
      ++tried;
      if (!step.take(v, *attack)) continue;
      const std::string now = StateOf(v, *attack);
      if (now == before) continue;
      if (seen.insert(now).second) {
        Sequence longer = done;
        longer.push_back(&step);
        if (AnyReads(v, *attack)) {
          std::string sequence = start.name;
          for (const Step* one : longer) sequence += std::string("; ") + one->name;
          found.push_back(sequence);
        } else if (longer.size() < 3) {
          sequences.push_back(std::move(longer));
        }
      }
      attack.reset();
    }
  }
}

TEST_CASE("no three calls of one administrator show client data to what that one holds") {
  WaysVault vault;
  constexpr std::size_t kCount = std::size(kStarts);
  std::vector<std::vector<std::string>> found(kCount);
  std::vector<std::string> failures(kCount);
  std::vector<int> tried(kCount);
  {
    std::vector<std::jthread> threads;  // their operations share commits
    for (std::size_t i = 0; i < kCount; ++i) {
      threads.emplace_back([&, i] {
        try {
          const Attack before = kStarts[i].make(vault);
          if (AnyReads(vault, before)) failures[i] = "reads without any call";
          TryAll(vault, kStarts[i], found[i], tried[i]);
        } catch (const std::exception& error) {
          failures[i] = error.what();
        }
      });
    }
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    INFO(kStarts[i].name << ": " << failures[i]);
    CHECK(failures[i].empty());
    CHECK(tried[i] > 100);
    for (const auto& sequence : found[i]) UNSCOPED_INFO(sequence);
    CHECK(found[i].empty());
  }
}

// With two people each of the ways is there, so that the search above looks where something is.
TEST_CASE("with the approval of a second person every way in is one") {
  WaysVault vault;
  for (const char* by : {"token", "rotation", "change"}) {
    INFO(by);
    const auto service = vault.Service("case-worker");
    vault.Assign(service.info.principal);
    Attack attack = vault.On(service);
    CHECK(!AnyReads(vault, attack));
    std::string content = std::string(R"({"role": "case-worker", "by": ")") + by + '"';
    if (by == std::string("change")) content += R"(, "certificates": [")" + attack.held + R"("])";
    const auto asked = vault->approvals().RequestApproval(
        vault.As(kAdministrator), {"role.give", attack.account.Text(), content + "}"});
    INFO(AnswerOf(asked));
    REQUIRE(asked);
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
    Caller caller = vault.As(kAdministrator);
    caller.approval = asked->id.Text();
    if (by == std::string("token")) {
      REQUIRE(Keep(attack,
                   vault->tokens().CreateToken(caller, {"x", attack.account, {}, kWaysDay, {}})));
    } else if (by == std::string("rotation")) {
      REQUIRE(Keep(attack, vault->tokens().RotateToken(caller, attack.token, 60)));
    } else {
      REQUIRE(vault->principals().UpdatePrincipal(caller, attack.account,
                                                  {{}, {}, {}, {{attack.held}}}));
    }
    CHECK(AnyReads(vault, attack));
  }
}

TEST_CASE("leases and emergency access end with the role of their holder, and with the account") {
  for (const bool by_role : {true, false}) {
    INFO(by_role);
    WaysVault vault;
    const auto leased = vault.Service("bare");
    vault.Lease(leased.info.principal);
    const auto opener = vault.Service("duty");
    Caller open = WaysVault::Stranger(opener.secret);
    open.reason = "nobody else is here";
    REQUIRE(vault->emergencies().OpenEmergency(open, vault.client, {kFor, "CASE-1", kWaysDay}));
    CHECK(Reads(vault, WaysVault::Stranger(leased.secret)));
    CHECK(Reads(vault, WaysVault::Stranger(opener.secret)));
    PrincipalChange change;
    if (by_role) {
      change.role = "auditor";
    } else {
      change.disabled = true;
    }
    for (const auto& service : {leased, opener}) {
      const auto caller = vault.As(kAdministrator);
      REQUIRE(vault->principals().UpdatePrincipal(caller, service.info.principal, change));
      // An entry about the client, and the change's own.
      const auto entries = vault.EntriesOf(caller);
      REQUIRE(entries.size() == 2);
      CHECK(entries[0].at("client") == vault.client.Text());
      CHECK(entries[0].at("detail").get<std::string>().ends_with(service.info.principal.Text() +
                                                                 " ended"));
      CHECK(!Reads(vault, WaysVault::Stranger(service.secret)));
    }
    CHECK(vault->leases().ListLeases(vault.As(kSupervisor), vault.client)->empty());
    const auto emergency =
        vault->emergencies().ListEmergencies(vault.As(kSecurityOfficer))->front();
    CHECK(emergency.expires <= vault.clock.Now());
    CHECK(!emergency.reviewed);  // it is still to be reviewed
    // Neither comes back, by whatever two people decide.
    const auto asked = vault->approvals().RequestApproval(
        vault.As(kAdministrator), {"role.give", opener.info.principal.Text(),
                                   R"({"role": "duty", "by": "change", "disabled": false})"});
    REQUIRE(asked);
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
    Caller caller = vault.As(kAdministrator);
    caller.approval = asked->id.Text();
    REQUIRE(vault->principals().UpdatePrincipal(caller, opener.info.principal,
                                                {{}, "duty", false, {}}));
    CHECK(!Reads(vault, WaysVault::Stranger(opener.secret)));
    vault.Close();
    vault.Open();
    CHECK(!Reads(vault, WaysVault::Stranger(opener.secret)));
    vault.CheckInvariants();
  }
}

}  // namespace
}  // namespace coffer::vault
