// People and machines at the door of the real server: enrolment and logins over TLS, client
// certificates, what takes two people, and what a killed server remembers of all that.
#include <catch2/catch_test_macros.hpp>

#include "audit/text/clock.h"
#include "crypto/client_key.h"
#include "tests/support/authenticator.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using coffer::audit::SystemClock;
using nlohmann::json;

namespace {

constexpr const char* kPassword = "correct horse battery staple";

struct User {
  std::string id, login;
  std::vector<std::string> recovery_codes;
  std::string uri;
};

// With a second factor, over the API alone. Codes of the app are used up: recovery codes follow.
User Enrol(RunningVault& vault, const std::string& login, const std::string& role) {
  const auto made =
      vault.As("administrator")
          .Post("/v1/users", {{"login", login}, {"name", "Tamsin Tealeaf"}, {"role", role}});
  INFO(made.body);
  REQUIRE(made.status == 201);
  const std::string code = made.Json().at("code");
  auto stranger = vault.WithToken("", "");
  const auto offer = stranger.Post("/v1/enrolments/offer", {{"login", login}, {"code", code}});
  INFO(offer.body);
  REQUIRE(offer.status == 200);
  CHECK(offer.Json().at("qr_svg").get<std::string>().starts_with("<svg"));
  CHECK(offer.Json().at("qr_png").get<std::string>().starts_with("iVBOR"));
  User user{made.Json().at("user").at("id"), login, {}, offer.Json().at("totp_uri")};
  const auto done = stranger.Post("/v1/enrolments",
                                  {{"login", login},
                                   {"code", code},
                                   {"password", kPassword},
                                   {"totp", Authenticator(user.uri).CodeAt(SystemClock().Now())}});
  INFO(done.body);
  REQUIRE(done.status == 201);
  user.recovery_codes = done.Json().at("recovery_codes");
  return user;
}

HttpReply LogIn(RunningVault& vault, User& user) {
  const std::string code = user.recovery_codes.back();
  user.recovery_codes.pop_back();
  return vault.WithToken("", "").Post(
      "/v1/sessions", {{"login", user.login}, {"password", kPassword}, {"second_factor", code}});
}

std::string SessionOf(RunningVault& vault, User& user) {
  const auto reply = LogIn(vault, user);
  INFO(reply.body);
  REQUIRE(reply.status == 201);
  return reply.Json().at("token");
}

}  // namespace

TEST_CASE("a user is enrolled, logs in, works, and is out at once when disabled") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  User user = Enrol(vault, "tamsin", "case-worker");
  const std::string token = SessionOf(vault, user);
  auto session = vault.WithToken(token);
  CHECK(session.Get("/v1/clients/" + client).status == 404);
  REQUIRE(vault.As("supervisor")
              .Put("/v1/clients/" + client + "/assignments/" + user.id, json::object())
              .status == 200);
  CHECK(session.Get("/v1/clients/" + client).status == 200);
  // A killed server remembers the session, and that it was ended.
  vault.Kill();
  vault.Start();
  CHECK(vault.WithToken(token).Get("/v1/clients/" + client).status == 200);
  const std::string second = SessionOf(vault, user);
  CHECK(vault.WithToken(second).Delete("/v1/me/session").status == 204);
  vault.Kill();
  vault.Start();
  CHECK(vault.WithToken(second).Get("/v1/me").status == 401);
  CHECK(vault.WithToken(token).Get("/v1/me").status == 200);
  auto administrator = vault.As("administrator");
  CHECK(administrator.Patch("/v1/users/" + user.id, {{"disabled", true}}).Code() ==
        "clients_assigned");
  REQUIRE(administrator.Patch("/v1/users/" + user.id, {{"disabled", true}, {"leave_clients", true}})
              .status == 200);
  CHECK(vault.WithToken(token).Get("/v1/me").status == 401);
  CHECK(LogIn(vault, user).Code() == "login_failed");
  CHECK(vault.Verify().at("ok") == true);
  for (const std::string& secret : {std::string(kPassword), token.substr(4), second.substr(4)}) {
    CHECK(!vault.ServerLog().contains(secret));
  }
}

TEST_CASE("guesses over the wire end with 429 and Retry-After, and the answer never says why") {
  RunningVault vault;
  User user = Enrol(vault, "tamsin", "case-worker");
  const auto guess = [&](const std::string& login) {
    return vault.WithToken("", "").Post("/v1/sessions",
                                        {{"login", login}, {"password", "a guess of some length"}});
  };
  // How many are let through depends on how long each takes: the first waits are short. It ends all
  // the same, as each failure doubles the wait.
  constexpr std::size_t kFree = 5, kMost = 20;
  std::size_t attempts = 0;
  const auto guess_until_refused = [&](const std::string& login) {
    json failure;
    for (std::size_t i = 0; i < kMost; ++i) {
      const auto reply = guess(login);
      ++attempts;
      json body = reply.Json();
      body.erase("request_id");
      if (reply.status == 429) {
        CHECK(i >= kFree);
        CHECK(reply.Code() == "login_throttled");
        CHECK(!reply.Header("retry-after").empty());
        return failure;
      }
      CHECK(reply.status == 401);
      CHECK(reply.Code() == "login_failed");
      if (i > 0) CHECK(body == failure);
      failure = body;
    }
    FAIL("nothing was refused");
    return failure;
  };
  const json of_known = guess_until_refused("tamsin");
  CHECK(of_known == guess_until_refused("nobody"));
  const auto entries = vault.Entries("action=session.create&decision=deny");
  CHECK(entries.size() == attempts);
}

TEST_CASE("ill-formed logins are refused in words and change nothing") {
  RunningVault vault;
  auto stranger = vault.WithToken("", "");
  CHECK(stranger.Post("/v1/sessions", json::object()).Code() == "request_invalid");
  CHECK(stranger.Post("/v1/sessions", {{"login", 1}, {"password", "x"}}).Code() ==
        "request_invalid");
  CHECK(
      stranger.Post("/v1/sessions", {{"login", "x"}, {"password", "y"}, {"role", "administrator"}})
          .Code() == "request_invalid");
  CHECK(stranger.Send("POST", "/v1/sessions", "{\"login\":", "application/json").Code() ==
        "json_invalid");
  CHECK(
      stranger.Post("/v1/enrolments", {{"login", "x"}, {"code", "y"}, {"password", "z"}}).Code() ==
      "login_failed");
  CHECK(stranger.Post("/v1/enrolments/offer", {{"login", "x"}, {"code", "y"}}).Code() ==
        "login_failed");
  CHECK(stranger.Delete("/v1/me/session").status == 401);
  // A user is not made an administrator by what a request says beside.
  CHECK(vault.As("administrator")
            .Post("/v1/users",
                  {{"login", "x"}, {"name", "x"}, {"role", "case-worker"}, {"password", "x"}})
            .Code() == "request_invalid");
}

TEST_CASE("a service is known by a certificate of the vault's own authority") {
  RunningVault vault;
  const auto key = coffer::crypto::NewClientKey();
  REQUIRE(key);
  const auto made =
      vault.As("administrator").Post("/v1/services", {{"name", "crm"}, {"role", "crm-service"}});
  REQUIRE(made.status == 201);
  const std::string id = made.Json().at("id");
  const auto issued = vault.As("administrator")
                          .Post("/v1/services/" + id + "/certificates", {{"csr", key->csr_pem}});
  INFO(issued.body);
  REQUIRE(issued.status == 201);
  const TemporaryDirectory work;
  WriteWholeFile(work / "client.crt", issued.Json().at("certificate"));
  WriteWholeFile(work / "client.key",
                 std::string(coffer::crypto::AsText(key->private_key_pem.ExposeSecret())));
  const auto with_certificate = [&](const std::string& token) {
    return Caller(vault.port(), vault.ca_file(), token, "client-care", work / "client.crt",
                  work / "client.key");
  };
  auto caller = with_certificate("");
  const auto me = caller.Get("/v1/me");
  INFO(me.body);
  REQUIRE(me.status == 200);
  CHECK(me.Json().at("principal").at("id") == id);
  CHECK(caller.Post("/v1/clients", {{"external_ref", "C-1"}}).status == 201);
  CHECK(caller.Get("/v1/me").status == 200);  // on the same connection
  CHECK(vault.Entries("action=self.read").back().at("auth") == "certificate");
  // Without it nobody is known; and a token that is bound to it is worth nothing elsewhere.
  CHECK(vault.WithToken("").Get("/v1/me").status == 401);
  const auto binding = issued.Json().at("service").at("certificates").at(0);
  const auto bound =
      vault.As("administrator")
          .Post("/v1/tokens",
                {{"name", "bound"}, {"principal", id}, {"limits", {{"certificate", binding}}}});
  REQUIRE(bound.status == 201);
  const std::string token = bound.Json().at("token");
  CHECK(vault.WithToken(token).Get("/v1/me").status == 401);
  CHECK(with_certificate(token).Get("/v1/me").status == 200);
  // Taken from the service, the certificate opens nothing from the next request on.
  REQUIRE(vault.As("administrator")
              .Patch("/v1/services/" + id, {{"certificates", json::array()}})
              .status == 200);
  CHECK(caller.Get("/v1/me").status == 401);
}

TEST_CASE("a certificate that no authority of ours signed ends the handshake") {
  RunningVault vault;
  const TemporaryDirectory work;
  const auto made = RunProgram({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                                "/CN=Coffer client CA", "-addext", "subjectAltName=DNS:crm.example",
                                "-keyout", work / "client.key", "-out", work / "client.crt"});
  REQUIRE(made.exit_code == 0);
  Caller caller(vault.port(), vault.ca_file(), vault.Token("crm-service"), "client-care",
                work / "client.crt", work / "client.key");
  CHECK(caller.Get("/v1/me").status == 0);
  CHECK(vault.As("crm-service").Get("/v1/me").status == 200);
}

TEST_CASE("certificates of the operator's authority are believed where it is configured") {
  const TemporaryDirectory work;
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    const auto result = RunProgram(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  };
  run({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
       "2", "-subj", "/CN=Operator CA", "-keyout", work / "ca.key", "-out", work / "ca.crt"});
  run({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=crm",
       "-addext", "subjectAltName=DNS:crm.example", "-keyout", work / "client.key", "-out",
       work / "client.csr"});
  run({"x509", "-req", "-in", work / "client.csr", "-CA", work / "ca.crt", "-CAkey",
       work / "ca.key", "-days", "2", "-copy_extensions", "copy", "-out", work / "client.crt"});
  VaultSettings settings;
  settings.server_settings = "client_authorities = \"" + (work / "ca.crt") + "\"";
  RunningVault vault(settings);
  const auto made =
      vault.As("administrator")
          .Post("/v1/services",
                {{"name", "crm"}, {"role", "auditor"}, {"certificates", {"dns:crm.example"}}});
  INFO(made.body);
  REQUIRE(made.status == 201);
  Caller caller(vault.port(), vault.ca_file(), "", "", work / "client.crt", work / "client.key");
  const auto me = caller.Get("/v1/me");
  INFO(me.body);
  REQUIRE(me.status == 200);
  CHECK(me.Json().at("principal").at("id") == made.Json().at("id"));
}

TEST_CASE("an erasure takes two people, and a killed server forgets no approval") {
  VaultSettings settings;
  settings.two_person = true;
  RunningVault vault(settings);
  const std::string client = vault.NewClient("A-1");
  CHECK(
      vault.As("privacy-officer", "data-subject-request").Delete("/v1/clients/" + client).Code() ==
      "approval_required");
  const std::string id = vault.Approved(
      "privacy-officer", {{"action", "client.erase"}, {"target", client}}, "supervisor");
  vault.Kill();
  vault.Start();
  auto officer = vault.As("privacy-officer", "data-subject-request");
  CHECK(officer.Delete("/v1/clients/" + client, {{"Coffer-Approval", "apr_x"}}).Code() ==
        "approval_invalid");
  CHECK(officer.Delete("/v1/clients/" + client, {{"Coffer-Approval", id}}).status == 200);
  const auto other = vault.NewClient("A-2");
  CHECK(officer.Delete("/v1/clients/" + other, {{"Coffer-Approval", id}}).Code() ==
        "approval_invalid");
  CHECK(officer.Get("/v1/approvals/" + id).Json().at("state") == "executed");
  CHECK(vault.Verify().at("ok") == true);
}
