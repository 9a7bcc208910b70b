// Enrolling, logging in and what a saved session is used for.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "api/cli/client/saved_session.h"
#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kSession =
    R"({"id":"ses_1","principal":"usr_1","login":"anna","created":"2026-01-01T00:00:00.000Z",
        "expires":"2026-01-01T12:00:00.000Z","seen":"2026-01-01T00:00:00.000Z","token":"cfs_new"})";

std::vector<std::string> LoginWith(Tool& coffer) {
  return {"login",
          "--login",
          "anna",
          "--password-file",
          coffer.Secret("password", "correct horse"),
          "--second-factor",
          "123456"};
}

}  // namespace

TEST_CASE("a login sends no token, and its session serves the commands after it") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(200, R"({"items":[]})")}));
  const Ran ran = coffer(LoginWith(coffer));
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(
      Asked(coffer.server.requests()[0]) ==
      R"(POST /v1/sessions {"login":"anna","password":"correct horse","second_factor":"123456"})");
  CHECK(coffer.server.requests()[0].secret_body);
  CHECK(coffer.reached[0].token == nullptr);
  CHECK(ran.out.find("cfs_") == std::string::npos);
  const std::string file = coffer.directory / "run/coffer/session";
  CHECK(ContentOf(file) == "cfs_new\nhttps://vault.example:443\n");
  CHECK(ModeOf(file) == 0600);
  CHECK(ModeOf(coffer.directory / "run/coffer") == 0700);

  // A token that was given goes before it.
  CHECK(coffer({"session", "list"}).exit == 0);
  CHECK(coffer.TokenSent(1) == "cft_made-up");
  unsetenv("COFFER_TOKEN");
  CHECK(coffer({"session", "list"}).exit == 0);
  CHECK(coffer.TokenSent(2) == "cfs_new");
}

TEST_CASE("a session's token is sent to the server that it is for, and to no other") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(200, "{}")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  unsetenv("COFFER_TOKEN");
  for (const char* url : {"https://other.example", "https://vault.example:8443"}) {
    const Ran ran = coffer({"whoami", "--url", url});
    CHECK(ran.exit == 2);
    CHECK(ran.err.find("another server") != std::string::npos);
  }
  CHECK(coffer.server.requests().size() == 1);
}

TEST_CASE("a saved session that others can read is not used") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(200, "{}")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  unsetenv("COFFER_TOKEN");
  const std::string file = coffer.directory / "run/coffer/session";
  std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0640));
  CHECK(coffer({"whoami"}).err.find("secret_file_exposed") != std::string::npos);
  std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0600));
  std::ofstream(file) << "cfs_new\n";
  CHECK(coffer({"whoami"}).exit == 1);
  CHECK(coffer.server.requests().size() == 1);
}

TEST_CASE("without a second factor none is sent") {
  Tool coffer(InTurn({Reply(201, kSession)}));
  const std::string password = coffer.Secret("password", "a \"quoted\" word");
  const std::string file = coffer.directory / "mine";
  const Ran ran = coffer({"login", "--login", "anna", "--password-file", password, "--out", file});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json{{"login", "anna"}, {"password", "a \"quoted\" word"}});
  CHECK(ModeOf(file) == 0600);
  CHECK_FALSE(std::filesystem::exists(coffer.directory / "run"));
}

TEST_CASE("a failed login leaves the session of before") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(401, R"({"code":"login_failed"})")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  const Ran ran = coffer(LoginWith(coffer));
  CHECK(ran.exit == 1);
  CHECK(ran.err.find("correct horse") == std::string::npos);
  CHECK(ContentOf(coffer.directory / "run/coffer/session").starts_with("cfs_new\n"));
}

TEST_CASE("a login over a saved session ends that one, at its own server") {
  for (const bool elsewhere : {false, true}) {
    for (const bool named : {false, true}) {
      CAPTURE(elsewhere, named);
      Tool coffer(InTurn({Reply(201, kSession), Reply(204, "")}));
      const std::string file = coffer.directory / (named ? "mine" : "run/coffer/session");
      std::filesystem::create_directories(std::filesystem::path(file).parent_path());
      std::ofstream(file) << "cfs_old\nhttps://" << (elsewhere ? "other" : "vault")
                          << ".example:443\n";
      std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0600));
      auto command = LoginWith(coffer);
      if (named) command.insert(command.end(), {"--out", file});
      const Ran ran = coffer(command);
      CAPTURE(ran.err);
      CHECK(ran.exit == 0);
      CHECK(ran.err.empty());
      REQUIRE(coffer.server.requests().size() == 2);
      CHECK(Asked(coffer.server.requests()[1]) == "DELETE /v1/me/session ");
      CHECK(coffer.TokenSent(1) == "cfs_old");
      CHECK(coffer.reached[1].server.host == (elsewhere ? "other.example" : "vault.example"));
      CHECK(ContentOf(file) == "cfs_new\nhttps://vault.example:443\n");
    }
  }
}

TEST_CASE("a login says so when the session before it lives on, and is a login all the same") {
  for (const bool over : {false, true}) {
    CAPTURE(over);
    Tool coffer(InTurn({Reply(201, kSession), Reply(201, kSession),
                        over ? Reply(401, R"({"code":"unauthenticated"})")
                             : Reply(503, R"({"code":"queue_full"})")}));
    REQUIRE(coffer(LoginWith(coffer)).exit == 0);
    const Ran ran = coffer(LoginWith(coffer));
    CHECK(ran.exit == 0);
    CHECK((ran.err.find("could not be ended") == std::string::npos) == over);
    CHECK(ran.err.find("cfs_") == std::string::npos);
    CHECK(coffer.server.requests().size() == 3);
  }
}

TEST_CASE("a logout ends the session and removes its file") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(204, "")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  unsetenv("COFFER_TOKEN");
  CHECK(coffer({"logout"}).exit == 0);
  CHECK(Asked(coffer.server.requests()[1]) == "DELETE /v1/me/session ");
  CHECK_FALSE(std::filesystem::exists(coffer.directory / "run/coffer/session"));
}

TEST_CASE("a file is removed for a session that was over, and for nothing else") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(503, R"({"code":"queue_full"})"),
                      Reply(401, R"({"code":"unauthenticated"})")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  unsetenv("COFFER_TOKEN");
  CHECK(coffer({"logout"}).exit == 1);
  CHECK(std::filesystem::exists(coffer.directory / "run/coffer/session"));
  CHECK(coffer({"logout"}).exit == 0);
  CHECK_FALSE(std::filesystem::exists(coffer.directory / "run/coffer/session"));
  const std::string named = coffer.Secret("token", "cft_service");
  CHECK(coffer({"logout", "--token-file", named}).exit == 1);
  CHECK(std::filesystem::exists(named));
}

TEST_CASE("a changed password ends the sessions, the saved one too") {
  Tool coffer(InTurn({Reply(201, kSession), Reply(204, "")}));
  REQUIRE(coffer(LoginWith(coffer)).exit == 0);
  unsetenv("COFFER_TOKEN");
  const std::string fresh = coffer.Secret("new", "battery staple");
  const Ran ran = coffer({"password", "--old-password-file", coffer.directory / "password",
                          "--new-password-file", fresh, "--second-factor", "654321"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(Asked(coffer.server.requests()[1]) ==
        R"(PUT /v1/me/password {"password":"correct horse","new_password":"battery staple",)"
        R"("second_factor":"654321"})");
  CHECK_FALSE(std::filesystem::exists(coffer.directory / "run/coffer/session"));
}

TEST_CASE("the second factor is given anew, sessions are ended") {
  Tool coffer(InTurn({Reply(200, kSession)}));
  CHECK(coffer({"step-up", "--second-factor", "123456"}).exit == 0);
  CHECK(coffer({"session", "end", "ses_1"}).exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/me/second-factor {"second_factor":"123456"})");
  CHECK(Asked(coffer.server.requests()[1]) == "DELETE /v1/sessions/ses_1 ");
}

TEST_CASE("enrolling with all that is needed fetches and shows no secret") {
  Tool coffer(InTurn({Reply(201, R"({"user":{"id":"usr_1","login":"anna"},
      "recovery_codes":["aaaa-bbbb","cccc-dddd"]})")}));
  const std::string codes = coffer.directory / "codes";
  const Ran ran = coffer({"enrol", "--login", "anna", "--code-file", coffer.Secret("code", "cfe_1"),
                          "--password-file", coffer.Secret("password", "correct horse"), "--totp",
                          "123456", "--recovery-codes-file", codes});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  REQUIRE(coffer.server.requests().size() == 1);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/enrolments {"login":"anna","code":"cfe_1","password":"correct horse",)"
        R"("totp":"123456"})");
  CHECK(coffer.reached[0].token == nullptr);
  CHECK(ContentOf(codes) == "aaaa-bbbb\ncccc-dddd\n");
  CHECK(ModeOf(codes) == 0600);
  CHECK(ran.out.find("aaaa") == std::string::npos);
}

TEST_CASE("the authenticator's secret is shown as a drawing and as text to who asks for it") {
  Tool coffer(InTurn({Reply(200, R"({"login":"anna","name":"Anna",
      "totp_uri":"otpauth://totp/Coffer:anna?secret=AAAA","qr_svg":"","qr_png":""})")}));
  const Ran ran = coffer(
      {"enrol", "--login", "anna", "--code-file", coffer.Secret("code", "cfe_1"), "--offer"});
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/enrolments/offer {"login":"anna","code":"cfe_1"})");
  CHECK(ran.out.find("otpauth://totp/Coffer:anna?secret=AAAA") != std::string::npos);
  CHECK(ran.out.find("\u2588") != std::string::npos);
}

TEST_CASE("enrolling without a second factor has to be said") {
  Tool coffer(InTurn({Reply(201, R"({"user":{"id":"usr_1"},"recovery_codes":[]})")}));
  const Ran ran =
      coffer({"enrol", "--login", "anna", "--code-file", coffer.Secret("code", "cfe_1"),
              "--password-file", coffer.Secret("password", "correct horse"), "--totp", "none"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body).contains("totp") == false);
  CHECK(ran.out.find("Recovery") == std::string::npos);
}

TEST_CASE("whoami tells principal and credential apart") {
  Tool coffer(InTurn({Reply(200, R"({"principal":{"id":"svc_1","name":"crm","role":"crm-service"},
      "token":{"id":"tok_1","name":"night","limits":{}}})"),
                      Reply(200, R"({"principal":{"id":"svc_1"}})")}));
  const Ran token = coffer({"whoami"});
  CHECK(token.out.find("svc_1") != std::string::npos);
  CHECK(token.out.find("tok_1") != std::string::npos);
  CHECK(coffer({"whoami"}).out.find("client certificate") != std::string::npos);
}

TEST_CASE("where a session is kept depends on the machine") {
  const auto in = [](std::string runtime, std::string home) {
    return SessionFile([=](const char* name) -> std::optional<std::string> {
      return std::string(name) == "HOME" ? home : runtime;
    });
  };
  CHECK(in("/run/user/1", "/homes/a") == "/run/user/1/coffer/session");
  CHECK(in("", "/homes/a") == "/homes/a/.config/coffer/session");
  CHECK(in("relative", "/homes/a") == "/homes/a/.config/coffer/session");
  CHECK(in("", "").empty());
}

}  // namespace coffer::cli
