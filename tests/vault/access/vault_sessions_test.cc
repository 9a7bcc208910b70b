// Users: enrolment, passwords, second factors, sessions and what ends them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <set>

#include "crypto/totp.h"
#include "tests/support/authenticator.h"
#include "tests/vault/test_vault.h"
#include "vault/access/login.h"

namespace coffer::vault {
namespace {

using enum Role;
using testing::Authenticator;

constexpr std::string_view kPassword = "correct horse battery staple";
constexpr std::int64_t kSessionMinute = 60'000;

crypto::SecretBytes Secret(std::string_view text) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
}

class UserVault : public TestVault {
 public:
  struct User {
    PrincipalId id;
    std::string login;
    std::optional<Authenticator> app;
    std::vector<std::string> recovery_codes;
  };

  NewEnrolment Create(const std::string& login, Role role) {
    auto made = (*this)->principals().CreateUser(
        As(kAdministrator), {login, "Tamsin Tealeaf", std::string(Name(role))});
    INFO(AnswerOf(made));
    REQUIRE(made);
    return *std::move(made);
  }
  User Enrol(const NewEnrolment& enrolment, bool with_factor = true) {
    User user{enrolment.user.id, enrolment.user.login, {}, {}};
    std::string totp;
    if (with_factor) {
      const auto offer = (*this)->sessions().ReadEnrolment(Stranger(), user.login, enrolment.code);
      INFO(AnswerOf(offer));
      REQUIRE(offer);
      user.app.emplace(offer->totp_uri);
      totp = user.app->CodeAt(clock.Now());
    }
    const auto done = (*this)->sessions().CompleteEnrolment(Stranger(), user.login, enrolment.code,
                                                            Secret(kPassword), totp);
    INFO(AnswerOf(done) << (done ? "" : " " + IssuesOf(done).front()));
    REQUIRE(done);
    user.recovery_codes = done->recovery_codes;
    clock.Advance(30'000);  // the code is used up
    return user;
  }
  User NewUser(const std::string& login = "tamsin", Role role = kCaseWorker,
               bool with_factor = true) {
    return Enrol(Create(login, role), with_factor);
  }

  std::string Code(const User& user) {
    return user.app ? user.app->CodeAt(clock.Now()) : std::string();
  }
  Result<NewSession> TryLogIn(const std::string& login, std::string_view password,
                              std::string_view factor, std::string address = "192.0.2.7") {
    last = Stranger();
    last.address = std::move(address);
    return (*this)->sessions().LogIn(last, login, Secret(password), factor);
  }
  NewSession LogIn(const User& user) {
    auto session = TryLogIn(user.login, kPassword, Code(user));
    INFO(AnswerOf(session));
    REQUIRE(session);
    clock.Advance(30'000);
    return *std::move(session);
  }
  std::string Use(const NewSession& session) {
    last = Stranger(session.secret);
    return AnswerOf((*this)->tokens().WhoAmI(last));
  }
  std::string Rule() { return EntryOf(last).at("rule"); }

  Caller last;
};

TEST_CASE("a user is enrolled by a one-time code, and the administrator knows no password") {
  UserVault vault;
  const auto caller = vault.As(kAdministrator);
  const auto made =
      vault->principals().CreateUser(caller, {"tamsin", "Tamsin Tealeaf", "case-worker"});
  REQUIRE(made);
  CHECK(made->user.id.Text().starts_with("usr_"));
  CHECK(made->code.starts_with("cfe_"));
  CHECK(made->code.size() == 30);
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kAdministrator, {{"action", "principal.write"},
                                       {"detail", made->user.id.Text() + " case-worker made"}}));
  // Until then nobody logs in, with whatever password.
  CHECK(AnswerOf(vault.TryLogIn("tamsin", "", "")) == "login_failed");
  CHECK(AnswerOf(vault.TryLogIn("tamsin", made->code, "")) == "login_failed");
  const auto user = vault.Enrol(*made);
  CHECK(user.recovery_codes.size() == 10);
  CHECK(std::set(user.recovery_codes.begin(), user.recovery_codes.end()).size() == 10);
  const auto info = vault->principals().GetPrincipal(vault.As(kSecurityOfficer), user.id);
  REQUIRE(info);
  CHECK(info->enrolled);
  CHECK(info->second_factor);
  // The code is used up.
  CHECK(AnswerOf(vault->sessions().ReadEnrolment(UserVault::Stranger(), "tamsin", made->code)) ==
        "login_failed");
  CHECK(AnswerOf(vault->sessions().CompleteEnrolment(UserVault::Stranger(), "tamsin", made->code,
                                                     Secret(kPassword), {})) == "login_failed");
  vault.LogIn(user);
  vault.CheckInvariants();
}

TEST_CASE("neither passwords, codes nor secrets are stored or logged in any readable form") {
  UserVault vault;
  const auto enrolment = vault.Create("tamsin", kCaseWorker);
  const auto user = vault.Enrol(enrolment);
  const auto session = vault.LogIn(user);
  const std::string base32 = user.app->base32();
  for (const std::string& secret :
       {std::string(kPassword), enrolment.code.substr(4), user.recovery_codes.front(),
        session.secret.substr(4), base32, std::string("tamsin")}) {
    INFO(secret);
    CHECK(vault.Number("SELECT count(*) FROM log_entries WHERE instr(entry, ?) > 0", secret) == 0);
    if (secret == "tamsin") continue;
    CHECK(vault.Number("SELECT count(*) FROM user_credentials WHERE instr(password, ?) > 0 OR "
                       "instr(totp, ?1) > 0 OR instr(recovery, ?1) > 0",
                       secret) == 0);
    CHECK(vault.Number("SELECT count(*) FROM tokens WHERE instr(digest, ?) > 0", secret) == 0);
  }
  CHECK(vault.Number("SELECT count(*) FROM user_credentials WHERE instr(totp, ?) > 0",
                     user.app->raw()) == 0);
}

TEST_CASE("an enrolment code is good for three days") {
  UserVault vault;
  const auto enrolment = vault.Create("tamsin", kCaseWorker);
  vault.clock.Set({enrolment.expires.ms - 1});
  CHECK(vault->sessions().ReadEnrolment(UserVault::Stranger(), "tamsin", enrolment.code));
  vault.clock.Set(enrolment.expires);
  CHECK(AnswerOf(vault->sessions().ReadEnrolment(UserVault::Stranger(), "tamsin",
                                                 enrolment.code)) == "login_failed");
}

TEST_CASE("who has the code is told what is wrong with the password, and nobody else") {
  UserVault vault;
  const auto enrolment = vault.Create("tamsin", kCaseWorker);
  const auto enrol = [&](std::string_view code, std::string_view password, std::string_view totp) {
    return vault->sessions().CompleteEnrolment(UserVault::Stranger(), "tamsin", code,
                                               Secret(password), totp);
  };
  CHECK(AnswerOf(enrol("cfe_wrong", "short", "")) == "login_failed");
  CHECK(IssuesOf(enrol(enrolment.code, "short", "")).size() == 1);
  CHECK(AnswerOf(enrol(enrolment.code, "password123456789", "")) == "password_invalid");
  // Eight characters do with a second factor, fifteen without.
  CHECK(AnswerOf(enrol(enrolment.code, "zq7 Uwi!", "")) == "password_invalid");
  CHECK(IssuesOf(enrol(enrolment.code, "zq7 Uwi!", "000000")) ==
        Strings{"/totp is not the authenticator app's code of now"});
  const auto offer =
      vault->sessions().ReadEnrolment(UserVault::Stranger(), "tamsin", enrolment.code);
  REQUIRE(offer);
  CHECK(
      enrol(enrolment.code, "zq7 Uwi!", Authenticator(offer->totp_uri).CodeAt(vault.clock.Now())));
}

TEST_CASE("a privileged role needs a second factor") {
  UserVault vault;
  const auto enrolment = vault.Create("ada", kAdministrator);
  const auto refused = vault->sessions().CompleteEnrolment(UserVault::Stranger(), "ada",
                                                           enrolment.code, Secret(kPassword), {});
  CHECK(IssuesOf(refused) == Strings{"/totp is required: the role is privileged"});
  const auto plain = vault.NewUser("tamsin", kCaseWorker, false);
  const auto raised = vault->principals().UpdatePrincipal(
      vault.As(kAdministrator), plain.id,
      {.name = {}, .role = "supervisor", .disabled = {}, .certificates = {}});
  CHECK(AnswerOf(raised) == "principal_invalid");
  const auto factor = vault.NewUser("isadora", kCaseWorker);
  CHECK(vault->principals().UpdatePrincipal(
      vault.As(kAdministrator), factor.id,
      {.name = {}, .role = "supervisor", .disabled = {}, .certificates = {}}));
}

TEST_CASE("a login opens a session that acts with the user's role") {
  UserVault vault;
  const auto user = vault.NewUser();
  const auto session = vault.TryLogIn("Tamsin", kPassword, vault.Code(user));
  REQUIRE(session);
  CHECK(session->secret.starts_with("cfs_"));
  CHECK(session->info.principal == user.id);
  CHECK(session->info.second_factor == vault.clock.Now());
  CHECK(session->info.expires.ms - session->info.created.ms == std::int64_t{12} * 3'600'000);
  const json login = {{"action", "session.create"},
                      {"actor", user.id.Text()},
                      {"actor_kind", "user"},
                      {"address", "192.0.2.7"},
                      {"auth", "password"},
                      {"decision", "allow"},
                      {"detail", session->info.id.Text()},
                      {"outcome", "ok"},
                      {"rule", "self"}};
  CHECK(vault.EntryOf(vault.last) == login);
  const ClientId client = vault.NewClient("A-1");
  Caller caller = UserVault::Stranger(session->secret);
  CHECK(AnswerOf(vault->clients().GetClient(caller, client)) == "not_found");
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), client, user.id, {}));
  caller = UserVault::Stranger(session->secret);
  CHECK(vault->clients().GetClient(caller, client));
  const json entry = vault.EntryOf(caller);
  CHECK(entry.at("actor") == user.id.Text());
  CHECK(entry.at("actor_kind") == "user");
  CHECK(entry.at("auth") == "session:" + session->info.id.Text());
  const auto who = vault->tokens().WhoAmI(UserVault::Stranger(session->secret));
  REQUIRE(who);
  CHECK(who->principal.login == "tamsin");
  CHECK(who->session);
  CHECK(!who->token);
  vault.CheckInvariants();
}

TEST_CASE("whatever is wrong with a login, the answer is one") {
  UserVault vault;
  const auto user = vault.NewUser();
  const auto disabled = vault.NewUser("isadora");
  REQUIRE(vault->principals().UpdatePrincipal(
      vault.As(kAdministrator), disabled.id,
      {.name = {}, .role = {}, .disabled = true, .certificates = {}}));
  vault.Create("leopold", kCaseWorker);
  struct Try {
    std::string login, password, factor, rule;
  };
  for (const Try& attempt : {
           Try{"nobody", std::string(kPassword), "", "check:account"},
           Try{"tamsin", "another password of some length", vault.Code(user), "check:password"},
           Try{"tamsin", std::string(kPassword), "", "check:second-factor"},
           Try{"tamsin", std::string(kPassword), "123", "check:second-factor"},
           Try{"isadora", std::string(kPassword), vault.Code(disabled), "check:principal-disabled"},
           Try{"leopold", std::string(kPassword), "", "check:password"},
           Try{"", "", "", "check:account"},
           Try{std::string(10'000, 'x'), std::string(300, 'x'), std::string(300, 'x'),
               "check:account"},
       }) {
    const auto session = vault.TryLogIn(attempt.login, attempt.password, attempt.factor);
    REQUIRE(!session);
    CHECK(session.error().code == Code::kUnauthenticated);
    CHECK(session.error().reason == "login_failed");
    CHECK(session.error().issues.empty());
    const json entry = vault.EntryOf(vault.last);
    CHECK(entry.at("rule") == attempt.rule);
    CHECK(entry.at("decision") == "deny");
    CHECK(!entry.contains("purpose"));
  }
}

TEST_CASE("each code of the app is good once, also for another purpose") {
  UserVault vault;
  const auto user = vault.NewUser();
  const std::string code = vault.Code(user);
  const auto session = vault.TryLogIn("tamsin", kPassword, code);
  REQUIRE(session);
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, code)) == "login_failed");
  CHECK(AnswerOf(vault->sessions().StepUp(UserVault::Stranger(session->secret), code)) ==
        "second_factor_wrong");
  vault.clock.Advance(30'000);
  CHECK(vault->sessions().StepUp(UserVault::Stranger(session->secret), vault.Code(user)));
  // A minute behind is too old, half a minute is not.
  const std::string next = vault.Code(user);
  vault.clock.Advance(30'000);
  const std::string late = vault.Code(user);
  CHECK(next != late);
  vault.clock.Advance(30'000);
  CHECK(vault.TryLogIn("tamsin", kPassword, late));
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, next)) == "login_failed");
}

TEST_CASE("each recovery code stands for the app once") {
  UserVault vault;
  const auto user = vault.NewUser();
  CHECK(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[3]));
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[3])) == "login_failed");
  CHECK(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[4]));
  // Nobody else's.
  const auto other = vault.NewUser("isadora");
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, other.recovery_codes[0])) == "login_failed");
  CHECK(vault.TryLogIn("isadora", kPassword, other.recovery_codes[0]));
}

TEST_CASE("a failed login uses nothing up") {
  UserVault vault;
  const auto user = vault.NewUser();
  const std::string code = vault.Code(user);
  CHECK(!vault.TryLogIn("tamsin", "a wrong password of some length", code));
  CHECK(!vault.TryLogIn("tamsin", "a wrong password of some length", user.recovery_codes[0]));
  CHECK(vault.TryLogIn("tamsin", kPassword, code));
  CHECK(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[0]));
}

TEST_CASE("a session ends when it is not used, and at the latest after its lifetime") {
  UserVault vault;
  const auto session = vault.LogIn(vault.NewUser());
  for (int i = 0; i < 4; ++i) {
    vault.clock.Advance(14 * kSessionMinute);
    CHECK(vault.Use(session) == "ok");
  }
  vault.clock.Advance(15 * kSessionMinute - 1);
  CHECK(vault.Use(session) == "ok");
  vault.clock.Advance(15 * kSessionMinute);
  CHECK(vault.Use(session) == "unauthenticated");
  CHECK(vault.Rule() == "check:session-idle");
  // A refused use is none.
  CHECK(vault.Use(session) == "unauthenticated");

  const auto long_lived = vault.LogIn(vault.NewUser("isadora"));
  while (vault.clock.Now().ms + 10 * kSessionMinute < long_lived.info.expires.ms) {
    vault.clock.Advance(10 * kSessionMinute);
    REQUIRE(vault.Use(long_lived) == "ok");
  }
  vault.clock.Set(long_lived.info.expires);
  CHECK(vault.Use(long_lived) == "unauthenticated");
  CHECK(vault.Rule() == "check:session-expired");
}

TEST_CASE("sessions go on after a restart, with their last use within a minute") {
  UserVault vault;
  const auto session = vault.LogIn(vault.NewUser());
  vault.clock.Advance(10 * kSessionMinute);
  CHECK(vault.Use(session) == "ok");
  vault.clock.Advance(kSessionMinute / 2);
  CHECK(vault.Use(session) == "ok");
  vault.Close();
  vault.Open();
  vault.clock.Advance(14 * kSessionMinute);
  CHECK(vault.Use(session) == "ok");
  vault.Close();
  vault.Open();
  vault.clock.Advance(15 * kSessionMinute);
  CHECK(vault.Use(session) == "unauthenticated");
}

TEST_CASE("a session ends at once by logging out, an officer, disabling, a new role or password") {
  UserVault vault;
  const auto user = vault.NewUser();
  const auto change = [&](std::optional<std::string> role, std::optional<bool> disabled) {
    return AnswerOf(vault->principals().UpdatePrincipal(
        vault.As(kAdministrator), user.id,
        {.name = {}, .role = std::move(role), .disabled = disabled, .certificates = {}}));
  };
  auto session = vault.LogIn(user);
  SECTION("logging out") {
    CHECK(AnswerOf(vault->sessions().LogOut(UserVault::Stranger(session.secret))) == "ok");
    CHECK(AnswerOf(vault->sessions().LogOut(UserVault::Stranger(session.secret))) ==
          "unauthenticated");
  }
  SECTION("an officer") {
    CHECK(AnswerOf(vault->sessions().EndSession(vault.As(kCaseWorker), session.info.id)) ==
          "permission_denied");
    CHECK(vault->sessions().EndSession(vault.As(kSecurityOfficer), session.info.id));
  }
  SECTION("disabling") {
    CHECK(change({}, true) == "ok");
    CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, vault.Code(user))) == "login_failed");
  }
  SECTION("a new role") { CHECK(change("auditor", {}) == "ok"); }
  SECTION("a new password") {
    CHECK(AnswerOf(vault->sessions().ChangePassword(
              UserVault::Stranger(session.secret), Secret(kPassword),
              Secret("another fine password"), vault.Code(user))) == "ok");
    CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[0])) == "login_failed");
    CHECK(vault.TryLogIn("tamsin", "another fine password", user.recovery_codes[0]));
  }
  SECTION("enrolling again") {
    CHECK(vault->principals().EnrolAgain(vault.As(kAdministrator), user.id));
    CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, vault.Code(user))) == "login_failed");
    CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, user.recovery_codes[0])) == "login_failed");
  }
  CHECK(vault.Use(session) == "unauthenticated");
  CHECK(vault.Rule().starts_with("check:"));
  vault.Close();
  vault.Open();
  CHECK(vault.Use(session) == "unauthenticated");
  // Enabled again, the old sessions stay ended.
  change({}, false);
  CHECK(vault.Use(session) == "unauthenticated");
  vault.CheckInvariants();
}

TEST_CASE("a role that is edited counts from the next request of a running session on") {
  UserVault vault;
  const auto put = [&](const std::string& grants) {
    REQUIRE(
        vault->roles().PutRole(vault.As(kAdministrator), "clerk", R"({"grants": )" + grants + "}"));
  };
  put(R"([{"actions": ["client.read"]}])");
  const ClientId client = vault.NewClient("A-1");
  const auto user = vault.NewUser();
  REQUIRE(vault->principals().UpdatePrincipal(
      vault.As(kAdministrator), user.id,
      {.name = {}, .role = "clerk", .disabled = {}, .certificates = {}}));
  const auto session = vault.LogIn(user);
  const auto read = [&] {
    return AnswerOf(vault->clients().GetClient(UserVault::Stranger(session.secret), client));
  };
  CHECK(read() == "ok");
  put(R"([{"actions": ["client.read"], "scope": "assigned"}])");
  CHECK(read() == "not_found");
  put(R"([{"actions": ["class.read"]}])");
  CHECK(read() == "permission_denied");
  put(R"([{"actions": ["client.read"]}])");
  CHECK(read() == "ok");
}

TEST_CASE("who has a privileged role and no second factor is not let in") {
  UserVault vault;
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "clerk",
                                 R"({"grants": [{"actions": ["class.read"]}]})"));
  const auto made =
      vault->principals().CreateUser(vault.As(kAdministrator), {"tamsin", "T", "clerk"});
  REQUIRE(made);
  const auto user = vault.Enrol(*made, false);
  const auto session = vault.LogIn(user);
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "clerk",
                                 R"({"grants": [{"actions": ["client.read"]}]})"));
  CHECK(vault.Use(session) == "unauthenticated");
  CHECK(vault.Rule() == "check:second-factor-missing");
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, "")) == "login_failed");
  CHECK(vault.Rule() == "check:second-factor-missing");
}

TEST_CASE("a password is changed by who knows it and holds the app, within the rules") {
  UserVault vault;
  const auto user = vault.NewUser();
  const auto session = vault.LogIn(user);
  const auto change = [&](std::string_view old_one, std::string_view new_one, std::string factor) {
    return AnswerOf(vault->sessions().ChangePassword(UserVault::Stranger(session.secret),
                                                     Secret(old_one), Secret(new_one), factor));
  };
  CHECK(change("wrong", "another fine password", vault.Code(user)) == "password_wrong");
  CHECK(change(kPassword, "another fine password", "000000") == "second_factor_wrong");
  CHECK(change(kPassword, "short", vault.Code(user)) == "password_invalid");
  CHECK(IssuesOf(vault->sessions().ChangePassword(UserVault::Stranger(session.secret),
                                                  Secret(kPassword), Secret("short"),
                                                  vault.Code(user)))
            .front()
            .starts_with("/new_password "));
  CHECK(change(kPassword, "tamsin tamsin tamsin", vault.Code(user)) == "password_invalid");
  CHECK(vault.Use(session) == "ok");
  // Tokens have no password.
  CHECK(AnswerOf(vault->sessions().ChangePassword(vault.As(kCrmService), Secret("a"), Secret("b"),
                                                  "")) == "no_session");
  CHECK(AnswerOf(vault->sessions().LogOut(vault.As(kCrmService))) == "no_session");
  CHECK(AnswerOf(vault->sessions().StepUp(vault.As(kCrmService), "000000")) == "no_session");
}

TEST_CASE("a fresh second factor is asked for where a grant wants one") {
  UserVault vault;
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "careful", R"({"grants": [
      {"actions": ["client.read"]},
      {"actions": ["record.read"], "conditions": {"second_factor_minutes": 5}}]})"));
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto user = vault.NewUser();
  REQUIRE(vault->principals().UpdatePrincipal(
      vault.As(kAdministrator), user.id,
      {.name = {}, .role = "careful", .disabled = {}, .certificates = {}}));
  const auto session = vault.LogIn(user);  // half a minute ago
  const auto read = [&] {
    vault.last = UserVault::Stranger(session.secret);
    return AnswerOf(vault->records().GetRecord(vault.last, client, record));
  };
  CHECK(read() == "ok");
  vault.clock.Advance(5 * kSessionMinute);
  CHECK(read() == "second_factor_required");
  CHECK(vault.Rule() == "check:second-factor");
  CHECK(vault->clients().GetClient(UserVault::Stranger(session.secret), client));
  CHECK(AnswerOf(vault->sessions().StepUp(UserVault::Stranger(session.secret), "000000")) ==
        "second_factor_wrong");
  CHECK(read() == "second_factor_required");
  CHECK(vault->sessions().StepUp(UserVault::Stranger(session.secret), vault.Code(user)));
  CHECK(read() == "ok");
  vault.clock.Advance(5 * kSessionMinute + 1);
  CHECK(read() == "second_factor_required");
}

TEST_CASE("ten thousand guesses do not find a password, and lock nobody out") {
  UserVault vault;
  const auto user = vault.NewUser();
  REQUIRE(vault.TryLogIn("tamsin", kPassword, vault.Code(user), "192.0.2.7"));
  int looked_at = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string address = "198.51." + std::to_string(i % 16) + "." + std::to_string(i % 251);
    const auto guess = vault.TryLogIn("tamsin", "guess number " + std::to_string(i), "", address);
    REQUIRE(!guess);
    looked_at += guess.error().reason == "login_failed" ? 1 : 0;
    if (i % 1000 == 0) vault.clock.Advance(1000);
  }
  CHECK(looked_at < 120);
  // A stranger waits, whoever he asks about.
  CHECK(AnswerOf(vault.TryLogIn("tamsin", kPassword, "", "203.0.113.9")) == "login_throttled");
  CHECK(vault.Rule() == "check:throttle");
  vault.clock.Advance(30'000);
  // The user at the usual place does not.
  CHECK(vault.TryLogIn("tamsin", kPassword, vault.Code(user), "192.0.2.7"));
}

TEST_CASE("where there is no hash, one of the same cost is verified against, and never right") {
  REQUIRE(crypto::InitializeCrypto());
  constexpr crypto::PasswordCost kCost{.passes = 2, .memory_kib = 128};
  PasswordChecks checks(kCost);
  CHECK(checks.Verify("", Secret("another")) == false);
  const auto dummy = checks.Dummy();
  REQUIRE(dummy);
  CHECK(!crypto::NeedsRehash(*dummy, kCost));  // in the form and of the cost of every other one
  CHECK(checks.Dummy() == *dummy);
  const auto hash = checks.Hash(Secret(kPassword));
  REQUIRE(hash);
  CHECK(checks.Verify(*hash, Secret(kPassword)) == true);
  CHECK(checks.Verify(*hash, Secret("another")) == false);
}

TEST_CASE("guesses at a name that no account has are slowed down alike") {
  UserVault vault;
  vault.NewUser();
  const auto answers = [&](const std::string& login, const std::string& address) {
    std::string all;
    for (int i = 0; i < 12; ++i) {
      all += AnswerOf(vault.TryLogIn(login, "guess", "", address)) + " ";
      vault.clock.Advance(i % 3 == 0 ? 1500 : 0);
    }
    return all;
  };
  const std::string known = answers("tamsin", "198.51.100.1");
  CHECK(known == answers("nobody", "198.51.100.2"));
  CHECK(known.contains("login_throttled"));
}

// Run by hand, on a quiet machine: a figure, and no verdict of the suite.
//   vault_tests "[login-timing]"
TEST_CASE("a wrong password takes as long for an account that there is not", "[.][login-timing]") {
  UserVault vault;
  vault.NewUser("tamsin", kCaseWorker, false);
  std::vector<double> took[2];
  for (int i = 0; i < 4000; ++i) {
    // Another address each time, so that nobody waits; in an order that nothing else follows.
    const bool known = (i * 7919 / 13) % 2 == 0;
    const std::string address = "10." + std::to_string(i / 60'000 + 1) + "." +
                                std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
    if (i % 90 == 0) vault.clock.Advance(100 * kSessionMinute);
    const auto start = std::chrono::steady_clock::now();
    const auto answer =
        vault.TryLogIn(known ? "tamsin" : "nobody", "a wrong password of some length", "", address);
    const std::chrono::duration<double, std::micro> each = std::chrono::steady_clock::now() - start;
    REQUIRE(AnswerOf(answer) == "login_failed");
    took[known ? 0 : 1].push_back(each.count());
  }
  // Mann and Whitney's rank sum, as a normal deviate: beyond 3 the two can be told apart.
  std::vector<std::pair<double, int>> ranked;
  for (const int group : {0, 1}) {
    for (const double each : took[group]) ranked.emplace_back(each, group);
  }
  std::ranges::sort(ranked);
  double sum = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    if (ranked[i].second == 0) sum += static_cast<double>(i + 1);
  }
  const double n = static_cast<double>(took[0].size());
  const double m = static_cast<double>(took[1].size());
  const double z = (sum - n * (n + m + 1) / 2) / std::sqrt(n * m * (n + m + 1) / 12);
  for (auto& times : took) std::ranges::sort(times);
  WARN("median " << took[0][took[0].size() / 2] << " us known, " << took[1][took[1].size() / 2]
                 << " us unknown, z = " << z);
}

TEST_CASE("what is wrong with a new user is told, and login names are never given twice") {
  UserVault vault;
  const auto make = [&](const std::string& login, const std::string& name,
                        const std::string& role) {
    return vault->principals().CreateUser(vault.As(kAdministrator), {login, name, role});
  };
  CHECK(IssuesOf(make("", "", "nonsense")).size() == 3);
  for (const std::string login : {"Tamsin", "tam sin", "-tamsin", "tämsin", "a/b"}) {
    CHECK(IssuesOf(make(login, "T", "case-worker")).size() == 1);
  }
  CHECK(make("tamsin", "T", "case-worker"));
  CHECK(AnswerOf(make("tamsin", "T", "auditor")) == "login_taken");
  const auto users =
      vault->principals().ListPrincipals(vault.As(kSecurityOfficer), PrincipalKind::kUser);
  REQUIRE(users);
  REQUIRE(users->size() == 1);
  CHECK(!users->front().enrolled);
  CHECK(AnswerOf(vault->principals().EnrolAgain(
            vault.As(kAdministrator), vault.TokenOf(kCrmService).principal)) == "not_found");
}

}  // namespace
}  // namespace coffer::vault
