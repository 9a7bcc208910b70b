// Users, services, teams and tokens: the requests, and what is shown.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kUser =
    R"({"id":"usr_1","name":"Anna Berg","role":"case-worker","login":"anna","enrolled":false,
        "second_factor":false,"created":"2026-01-01T00:00:00.000Z"})";
constexpr const char* kService =
    R"({"id":"svc_1","name":"crm","role":"crm-service","owner":"usr_1",
        "certificates":["dns:a.example","dns:b.example"],"created":"2026-01-01T00:00:00.000Z"})";

std::string Enrolment() {
  return R"({"user":)" + std::string(kUser) +
         R"(,"code":"cfe_made-up","expires":"2026-01-04T00:00:00.000Z"})";
}

std::string Token() {
  return R"({"id":"tok_1","principal":"svc_1","name":"crm","role":"crm-service","limits":{},
      "created":"2026-01-01T00:00:00.000Z","expires":"2026-04-01T00:00:00.000Z",
      "token":"cft_new"})";
}

}  // namespace

TEST_CASE("a new user's code is shown once, or goes to a file and nowhere else") {
  Tool coffer(InTurn({Reply(201, Enrolment())}));
  const Ran shown =
      coffer({"user", "create", "--login", "anna", "--name", "Anna Berg", "--role", "case-worker"});
  CAPTURE(shown.err);
  REQUIRE(shown.exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/users {"login":"anna","name":"Anna Berg","role":"case-worker"})");
  CHECK(shown.out.find("cfe_made-up") != std::string::npos);
  CHECK(shown.out.find("usr_1") != std::string::npos);

  const std::string file = coffer.directory / "code";
  const Ran filed = coffer({"user", "enrol-again", "usr_1", "--out", file, "--json"});
  REQUIRE(filed.exit == 0);
  CHECK(Asked(coffer.server.requests()[1]) == "POST /v1/users/usr_1/enrolment ");
  CHECK(coffer.server.requests()[1].content_type.empty());
  CHECK(filed.out.find("cfe_") == std::string::npos);
  CHECK(json::parse(filed.out)["user"]["id"] == "usr_1");
  CHECK(ContentOf(file) == "cfe_made-up\n");
  CHECK(ModeOf(file) == 0600);

  // The file is there already: the server is not asked for a code that would have no place.
  CHECK(coffer({"user", "enrol-again", "usr_1", "--out", file}).exit == 2);
  CHECK(coffer.server.requests().size() == 2);
}

TEST_CASE("of a user only what was named is changed") {
  Tool coffer(InTurn({Reply(200, kUser)}));
  CHECK(coffer({"user", "set", "usr_1", "--disable"}).exit == 0);
  CHECK(coffer({"user", "set", "usr_1", "--enable", "--role", "auditor"}).exit == 0);
  CHECK(coffer({"user", "set", "usr_1", "--name", "A. Berg"}).exit == 0);
  const auto& requests = coffer.server.requests();
  CHECK(Asked(requests[0]) == R"(PATCH /v1/users/usr_1 {"disabled":true})");
  CHECK(Asked(requests[1]) == R"(PATCH /v1/users/usr_1 {"disabled":false,"role":"auditor"})");
  CHECK(Asked(requests[2]) == R"(PATCH /v1/users/usr_1 {"name":"A. Berg"})");
  CHECK(coffer({"user", "set", "usr_1"}).exit == 2);
  CHECK(coffer({"user", "set", "usr_1", "--enable", "--disable"}).exit == 2);
  CHECK(requests.size() == 3);
}

TEST_CASE("users and services are listed and shown") {
  Tool coffer([](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.target == "/v1/users")
      return Reply(200, R"({"items":[)" + std::string(kUser) + "]}");
    if (request.target == "/v1/services") {
      return Reply(200, R"({"items":[)" + std::string(kService) + "]}");
    }
    return Reply(200, request.target == "/v1/users/usr_1" ? kUser : kService);
  });
  CHECK(coffer({"user", "list"}).out.find("usr_1  anna   Anna Berg  case-worker") !=
        std::string::npos);
  CHECK(coffer({"user", "show", "usr_1"}).out.find("Anna Berg") != std::string::npos);
  CHECK(coffer({"service", "list"}).out.find("svc_1    crm   crm-service  usr_1  2") !=
        std::string::npos);
  CHECK(coffer({"service", "show", "svc_1"}).out.find("dns:a.example, dns:b.example") !=
        std::string::npos);
  for (const auto& request : coffer.server.requests()) CHECK(request.method == "GET");
}

TEST_CASE("a service has an owner and certificates") {
  Tool coffer(InTurn({Reply(201, kService), Reply(200, kService)}));
  CHECK(coffer({"service", "create", "--name", "crm", "--role", "crm-service", "--owner", "usr_1",
                "--certificate", "dns:a.example", "--certificate", "dns:b.example"})
            .exit == 0);
  CHECK(coffer({"service", "set", "svc_1", "--certificate", "dns:c.example"}).exit == 0);
  CHECK(coffer({"service", "set", "svc_1", "--no-certificate"}).exit == 0);
  const auto& requests = coffer.server.requests();
  CHECK(json::parse(requests[0].body) == json::parse(R"({"name":"crm","role":"crm-service",
      "owner":"usr_1","certificates":["dns:a.example","dns:b.example"]})"));
  CHECK(Asked(requests[1]) == R"(PATCH /v1/services/svc_1 {"certificates":["dns:c.example"]})");
  CHECK(Asked(requests[2]) == R"(PATCH /v1/services/svc_1 {"certificates":[]})");
}

TEST_CASE("a service's key stays here, and only the request that it signed is sent") {
  Tool coffer(InTurn({Reply(201, R"({"service":)" + std::string(kService) +
                                     R"(,"certificate":"PEM","authority":"CA"})")}));
  const std::string certificate = coffer.directory / "crm.pem", key = coffer.directory / "crm.key";
  const Ran ran = coffer({"service", "certificate", "svc_1", "--out-cert", certificate, "--out-key",
                          key, "--days", "2"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  const HttpRequest& request = coffer.server.requests()[0];
  CHECK(request.target == "/v1/services/svc_1/certificates");
  const json body = json::parse(request.body);
  CHECK(body["csr"].get<std::string>().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
  CHECK(body["lifetime_s"] == 172'800);
  CHECK(request.body.find("PRIVATE") == std::string::npos);
  CHECK(ContentOf(key).find(" PRIVATE KEY-----\n") != std::string::npos);
  CHECK(ModeOf(key) == 0600);
  CHECK(ContentOf(certificate) == "PEM");
  CHECK(ran.out.find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE("a refused certificate leaves no files behind") {
  Tool coffer(InTurn({Reply(403, R"({"code":"approval_required"})")}));
  const std::string certificate = coffer.directory / "crm.pem", key = coffer.directory / "crm.key";
  const Ran ran =
      coffer({"service", "certificate", "svc_1", "--out-cert", certificate, "--out-key", key});
  CHECK(ran.exit == 1);
  CHECK(ran.err.find("coffer approval request give-role svc_1 ROLE") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(certificate));
  CHECK_FALSE(std::filesystem::exists(key));
}

TEST_CASE("a team is what its members are, and empty only when that is said") {
  Tool coffer(InTurn({Reply(200, R"({"id":"team_1","name":"complaints","members":["usr_1"]})")}));
  const Ran put = coffer({"team", "put", "complaints", "usr_1", "svc_1"});
  CHECK(put.out.find("team_1") != std::string::npos);
  CHECK(coffer({"team", "put", "complaints", "--empty"}).exit == 0);
  CHECK(coffer({"team", "put", "complaints"}).exit == 2);
  CHECK(coffer({"team", "put", "complaints", "usr_1", "--empty"}).exit == 2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(Asked(requests[0]) == R"(PUT /v1/teams/complaints {"members":["usr_1","svc_1"]})");
  CHECK(Asked(requests[1]) == R"(PUT /v1/teams/complaints {"members":[]})");
}

TEST_CASE("a token is a service's, within the limits that were given") {
  Tool coffer(InTurn({Reply(201, Token())}));
  const Ran made = coffer({"token", "create", "--name", "crm", "--principal", "svc_1", "--action",
                           "record.read", "--action", "client.read", "--network", "192.0.2.0/24",
                           "--certificate", "dns:crm.example", "--days", "1"});
  CAPTURE(made.err);
  REQUIRE(made.exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json::parse(R"({"name":"crm","principal":"svc_1","lifetime_s":86400,"limits":{
            "actions":["record.read","client.read"],"networks":["192.0.2.0/24"],
            "certificate":"dns:crm.example"}})"));
  CHECK(made.out.find("cft_new") != std::string::npos);
  CHECK(coffer({"token", "create", "--name", "x"}).exit == 2);
}

TEST_CASE("a token is rotated into a file") {
  Tool coffer(InTurn({Reply(201, Token())}));
  const std::string file = coffer.directory / "token";
  const Ran ran = coffer({"token", "rotate", "tok_1", "--overlap", "24", "--out", file});
  REQUIRE(ran.exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/tokens/tok_1/rotate {"overlap_s":86400})");
  CHECK(ContentOf(file) == "cft_new\n");
  CHECK(ran.out.find("cft_new") == std::string::npos);
}

}  // namespace coffer::cli
