// What two people decide, emergency access, and what is sent beside a request.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kApproval =
    R"({"id":"apr_1","action":"role.give","target":"user:anna","content":{"role":"privacy-officer"},
        "hash":"00","state":"pending","requester":"svc_1","created":"2026-01-01T00:00:00.000Z",
        "expires":"2026-01-04T00:00:00.000Z"})";
const std::string kApprovalId = "apr_" + std::string(26, '0');

HttpReply Required() { return Reply(403, R"({"code":"approval_required"})"); }

std::string AdviceAfter(const std::vector<std::string>& command) {
  Tool coffer(InTurn({Required()}));
  const Ran ran = coffer(command);
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 1);
  CHECK(ran.err.find("--approval ID") != std::string::npos);
  return ran.err;
}

}  // namespace

TEST_CASE("what is to be approved is sent as it will be done") {
  Tool coffer(InTurn({Reply(201, kApproval)}));
  const std::string role = coffer.Secret("role.json", R"({"name":"desk","grants":[]})");
  CHECK(coffer({"approval", "request", "erase", "cli_1", "--purpose", "dsr"}).exit == 0);
  CHECK(coffer({"approval", "request", "give-role", "user:anna", "privacy-officer"}).exit == 0);
  CHECK(coffer({"approval", "request", "change-role", "desk", role}).exit == 0);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(HeaderOf(requests[0], "Coffer-Purpose") == "dsr");
  CHECK(Asked(requests[0]) == R"(POST /v1/approvals {"action":"client.erase","target":"cli_1"})");
  CHECK(json::parse(requests[1].body) == json::parse(R"({"action":"role.give",
      "target":"user:anna","content":{"role":"privacy-officer","by":"user"}})"));
  CHECK(json::parse(requests[2].body) == json::parse(R"({"action":"role.write","target":"desk",
      "content":{"name":"desk","grants":[]}})"));
}

TEST_CASE("a part of a client, a hold and the clock are asked for as they will be done") {
  Tool coffer(InTurn({Reply(201, kApproval)}));
  const auto asked = [&](std::vector<std::string> command) {
    command.insert(command.begin(), {"approval", "request"});
    const Ran ran = coffer(command);
    CAPTURE(ran.out, ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(coffer.server.requests().back().body);
  };
  CHECK(asked({"erase", "cli_1", "--basis", "unlawful", "--purpose", "dsr"}) ==
        json::parse(R"({"action":"client.erase","target":"cli_1",
                        "content":{"basis":"unlawful"}})"));
  CHECK(asked({"erase", "cli_1", "--basis", "request", "--purpose", "dsr"}) ==
        json::parse(R"({"action":"client.erase","target":"cli_1"})"));
  CHECK(asked({"erase", "cli_1", "--class", "contact", "--purpose", "dsr"}) ==
        json::parse(R"({"action":"record.erase","target":"cli_1",
                        "content":{"class":"contact"}})"));
  CHECK(asked({"erase", "cli_1", "--record", "rec_1", "--record", "rec_2", "--basis",
               "consent-withdrawn", "--purpose", "dsr"}) ==
        json::parse(R"({"action":"record.erase","target":"cli_1",
                        "content":{"records":["rec_1","rec_2"],"basis":"consent-withdrawn"}})"));
  CHECK(asked({"erase", "--purpose", "dsr", "--record", "rec_1", "cli_1"}) ==
        json::parse(R"({"action":"record.erase","target":"cli_1",
                        "content":{"records":["rec_1"]}})"));
  CHECK(asked({"lift-hold", "hold_1"}) ==
        json::parse(R"({"action":"hold.lift","target":"hold_1"})"));
  CHECK(asked({"confirm-clock", "2026-07-01"}) ==
        json::parse(R"({"action":"clock.confirm","target":"2026-07-01"})"));
  CHECK(coffer({"approval", "request", "erase", "cli_1", "--class", "contact", "--record", "rec_1",
                "--purpose", "dsr"})
            .exit == 2);
  CHECK(coffer.server.requests().size() == 7);
}

TEST_CASE("the clock is confirmed for a day that there is") {
  Tool coffer(InTurn({Reply(201, kApproval)}));
  for (const char* day : {"2026-02-30", "today", "2026-7-1", "2026-07-01T00:00:00Z"}) {
    const Ran ran = coffer({"approval", "request", "confirm-clock", day});
    CHECK(ran.exit == 2);
    CHECK(Has(ran.err, "is not a date"));
    CHECK(Has(ran.err, "YYYY-MM-DD"));
  }
  CHECK(coffer.server.requests().empty());
  CHECK(Has(AdviceAfter({"clock", "confirm"}), "coffer approval request confirm-clock YYYY-MM-DD"));
  Tool waiting(InTurn({Reply(409, R"({"code":"clock_unconfirmed"})")}));
  CHECK(Has(waiting({"retention", "run"}).err, "coffer clock confirm"));
  Tool status(InTurn({Reply(200, R"({"retention_schedule":1,"waiting_for_clock":true})")}));
  CHECK(Has(status({"status"}).out, "coffer clock confirm"));
}

TEST_CASE("what is to be approved is told in words") {
  for (const auto& [action, words] : std::vector<std::pair<std::string, std::string>>{
           {"client.erase", "erase a client and all its records"},
           {"record.erase", "erase a part of a client's records"},
           {"hold.lift", "lift a hold"},
           {"retention.write", "change what is erased by itself"},
           {"clock.confirm", "confirm the clock"}}) {
    Tool coffer(InTurn({Reply(200, json{{"id", "apr_1"}, {"action", action}}.dump())}));
    CHECK(Has(coffer({"approval", "show", "apr_1"}).out, words));
  }
}

TEST_CASE("an export is asked for as it will be made, and written page by page") {
  Tool coffer(InTurn({Reply(201, kApproval)}));
  CHECK(coffer({"approval", "request", "export", "--purpose", "dsr"}).exit == 0);
  CHECK(coffer({"approval", "request", "export", "--tag", "vip", "--class", "contact", "--purpose",
                "dsr"})
            .exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json::parse(R"({"action":"client.export","target":"all"})"));
  CHECK(json::parse(coffer.server.requests()[1].body) ==
        json::parse(R"({"action":"client.export","target":"tag:vip",
                        "content":{"classes":["contact"]}})"));

  Tool exporting(
      InTurn({Reply(200, R"({"items":[{"client":{"id":"cli_1"}},{"record":{"id":"rec_1"}}],
                      "next_cursor":"abc"})"),
              Reply(200, R"({"items":[{"record":{"id":"rec_2"}}]})")}));
  const std::string file = exporting.directory / "vip.ndjson";
  const Ran ran = exporting({"export", file, "--tag", "vip", "--class", "contact", "--purpose",
                             "dsr", "--approval", kApprovalId});
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 0);
  CHECK(Has(ran.out, "1 clients and 2 records"));
  CHECK(ContentOf(file) ==
        "{\"client\":{\"id\":\"cli_1\"}}\n{\"record\":{\"id\":\"rec_1\"}}\n"
        "{\"record\":{\"id\":\"rec_2\"}}\n");
  const auto& requests = exporting.server.requests();
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"limit":500,"tag":"vip","classes":["contact"]})"));
  CHECK(json::parse(requests[1].body).at("cursor") == "abc");
  CHECK(HeaderOf(requests[1], "Coffer-Approval") == kApprovalId);
}

TEST_CASE("an export that fails leaves no half file") {
  Tool coffer(InTurn(
      {Reply(200, R"({"items":[],"next_cursor":"abc"})"), Reply(503, R"({"code":"queue_full"})")}));
  const std::string file = coffer.directory / "all.ndjson";
  CHECK(coffer({"export", file, "--purpose", "dsr", "--approval", kApprovalId}).exit != 0);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(Has(AdviceAfter({"export", coffer.directory / "b", "--tag", "vip", "--purpose", "dsr"}),
            "export --purpose dsr --tag vip"));
}

TEST_CASE("enabling an account is asked for as such") {
  Tool coffer(InTurn({Reply(201, kApproval)}));
  REQUIRE(
      coffer({"approval", "request", "give-role", "usr_1", "auditor", "--by", "change", "--enable"})
          .exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body) == json::parse(R"({"action":"role.give",
      "target":"usr_1","content":{"role":"auditor","by":"change","disabled":false}})"));
}

TEST_CASE("an approval is withdrawn, and shown with when and why it ended") {
  Tool coffer(InTurn({Reply(200, R"({"id":"apr_1","state":"withdrawn","end":"withdrawn",
      "ended":"2026-01-02T00:00:00.000Z","ended_by":"usr_7"})")}));
  const Ran ran = coffer({"approval", "withdraw", "apr_1"});
  CHECK(ran.exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) == "POST /v1/approvals/apr_1/withdraw ");
  CHECK(Has(ran.out, "withdrawn"));
  CHECK(Has(ran.out, "2026-01-02T00:00:00.000Z"));
  CHECK(Has(ran.out, "usr_7"));
}

TEST_CASE("an approval is shown with the ways into the account") {
  Tool coffer(InTurn({Reply(200, R"({"id":"apr_1","account":{"principal":{"id":"svc_1",
      "certificates":["dns:a.example"]},"tokens":3,"sessions":0,"enrolment":false}})")}));
  const std::string out = coffer({"approval", "show", "apr_1"}).out;
  CHECK(Has(out, "ways into it"));
  CHECK(Has(out, "dns:a.example"));
  CHECK(Has(out, "\"tokens\": 3"));
}

TEST_CASE("whom a question, a lease or an assignment is about may be called by login") {
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"explain", "anna", "record.read"},
           {"lease", "give", "cli_1", "anna", "--class", "contact", "--field", "city", "--for",
            "care", "--ticket", "CASE-1"},
           {"assignment", "put", "cli_1", "anna"},
           {"assignment", "delete", "cli_1", "anna"}}) {
    CAPTURE(line);
    Tool coffer([](const HttpRequest& request) {
      if (request.target == "/v1/users")
        return Reply(200, R"({"items":[{"id":"usr_1","login":"anna"}]})");
      return Reply(200, R"({"allowed":true,"items":[]})");
    });
    CHECK(coffer(line).exit == 0);
    REQUIRE(coffer.server.requests().size() >= 2);
    CHECK(Asked(coffer.server.requests()[1]).find("usr_1") != std::string::npos);
  }
}

TEST_CASE("a lease is given with conditions of its own, and shown with what counts") {
  Tool coffer(InTurn({Reply(201, R"({"id":"lease_1","conditions":{"ticket":true}})"),
                      Reply(200, R"({"items":[{"id":"lease_1"},{"id":"lease_2","conditions":{}},
                          {"id":"lease_3","conditions":{"reason":true}}]})"),
                      Reply(200, R"({"allowed":false,"code":"outside_hours",
                          "leases":[{"id":"lease_1","open":false,"code":"outside_hours"}]})")}));
  const std::vector<std::string> give = {"lease",   "give", "cli_1", "svc_1", "--class",  "contact",
                                         "--field", "city", "--for", "care",  "--ticket", "CASE-1"};
  auto with = give;
  with.insert(with.end(), {"--conditions", R"({"ticket": true})"});
  CHECK(Has(coffer(with).out, R"({"ticket":true})"));
  CHECK(json::parse(coffer.server.requests()[0].body).at("conditions") == json{{"ticket", true}});
  with.back() = "[]";
  CHECK(coffer(with).exit == 2);
  const std::string listed = coffer({"lease", "list", "cli_1"}).out;
  CHECK(Has(listed, "the role's"));
  CHECK(Has(listed, "none"));
  CHECK(Has(listed, R"({"reason":true})"));
  CHECK(Has(coffer({"explain", "svc_1", "record.read"}).out, "no: outside_hours"));
}

TEST_CASE("an approval is shown with all that will be done") {
  Tool coffer(InTurn({Reply(200, kApproval)}));
  const Ran ran = coffer({"approval", "show", "apr_1"});
  CHECK(Asked(coffer.server.requests()[0]) == "GET /v1/approvals/apr_1 ");
  CHECK(Has(ran.out, "user:anna"));
  CHECK(Has(ran.out, "\"role\": \"privacy-officer\""));
}

TEST_CASE("approvals are given and refused") {
  Tool coffer(InTurn(
      {Reply(200, kApproval), Reply(200, kApproval), Reply(403, R"({"code":"own_request"})")}));
  CHECK(coffer({"approval", "approve", "apr_1"}).exit == 0);
  CHECK(coffer({"approval", "reject", "apr_1"}).exit == 0);
  CHECK(coffer({"approval", "approve", "apr_1"}).exit == 1);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/approvals/apr_1/decision {"decision":"approve"})");
  CHECK(Asked(coffer.server.requests()[1]) ==
        R"(POST /v1/approvals/apr_1/decision {"decision":"reject"})");
}

TEST_CASE("a refusal for want of an approval says which one to ask for") {
  CHECK(Has(AdviceAfter({"erase", "cli_1", "--purpose", "p", "--yes"}),
            "coffer approval request erase cli_1 --purpose p\n"));
  CHECK(Has(AdviceAfter({"erase", "cli_1", "--basis", "unlawful", "--purpose", "p", "--yes"}),
            "coffer approval request erase cli_1 --purpose p --basis unlawful\n"));
  CHECK(Has(AdviceAfter({"erase", "cli_1", "--class", "contact", "--purpose", "p", "--yes"}),
            "coffer approval request erase cli_1 --purpose p --class contact\n"));
  CHECK(Has(AdviceAfter({"erase", "cli_1", "--record", "rec_1", "--record", "rec_2", "--basis",
                         "unlawful", "--purpose", "p", "--yes"}),
            "erase cli_1 --purpose p --record rec_1 --record rec_2 --basis unlawful\n"));
  CHECK(Has(AdviceAfter({"user", "create", "--login", "anna", "--name", "A", "--role", "auditor"}),
            "request give-role user:anna auditor --by user\n"));
  CHECK(Has(AdviceAfter({"service", "create", "--name", "it's", "--role", "auditor"}),
            "request give-role 'service:it'\\''s' auditor --by service\n"));
  CHECK(Has(AdviceAfter({"user", "set", "usr_1", "--role", "auditor"}),
            "request give-role usr_1 auditor --by change\n"));
  CHECK(Has(AdviceAfter({"user", "set", "usr_1", "--enable"}),
            "request give-role usr_1 ROLE --by change --enable\n"));
  CHECK(Has(AdviceAfter({"service", "set", "svc_1", "--certificate", "dns:a.example"}),
            "request give-role svc_1 ROLE --by change --certificate dns:a.example\n"));
  CHECK(Has(AdviceAfter({"user", "enrol-again", "usr_1"}),
            "request give-role usr_1 ROLE --by enrolment\n"));
  CHECK(Has(AdviceAfter({"token", "create", "--name", "x", "--principal", "svc_1"}),
            "request give-role svc_1 ROLE --by token\n"));
  CHECK(Has(AdviceAfter({"token", "create", "--name", "crm", "--role", "crm-service"}),
            "request give-role service:crm crm-service --by token\n"));
  CHECK(Has(AdviceAfter({"token", "rotate", "tok_1"}),
            "request give-role PRINCIPAL ROLE --by rotation\n"));
}

TEST_CASE("a role that may not be stored alone is to be asked for by its name") {
  Tool coffer(InTurn({Required()}));
  const std::string role = coffer.Secret("role.json", R"({"name":"desk","grants":[]})");
  CHECK(Has(coffer({"role", "put", role}).err, "coffer approval request change-role desk FILE\n"));
}

TEST_CASE("approval, ticket and reason go with the request") {
  Tool coffer(InTurn({Reply(200, "{}")}));
  const Ran ran = coffer({"erase", "cli_1", "--purpose", "erasure-request", "--yes", "--approval",
                          kApprovalId, "--ticket", "CASE-1", "--reason", "asked for"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  const HttpRequest& request = coffer.server.requests()[0];
  CHECK(HeaderOf(request, "Coffer-Approval") == kApprovalId);
  CHECK(HeaderOf(request, "Coffer-Ticket") == "CASE-1");
  CHECK(HeaderOf(request, "Coffer-Reason") == "asked for");
  CHECK(HeaderOf(request, "Coffer-Purpose") == "erasure-request");
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"whoami", "--approval", "apr_x"},
                                             {"whoami", "--approval", "a\r\nX: y"},
                                             {"whoami", "--ticket", "two words"},
                                             {"whoami", "--ticket", "a\nb"}}) {
    CHECK(coffer(wrong).exit == 2);
  }
  CHECK(coffer.server.requests().size() == 1);
}

TEST_CASE("a client certificate comes with its key, and takes the place of a token") {
  Tool coffer(InTurn({Reply(200, R"({"principal":{"id":"svc_1"}})")}));
  unsetenv("COFFER_TOKEN");
  const std::string certificate = coffer.Secret("crm.pem", "PEM");
  const std::string key = coffer.Secret("crm.key", "KEY");
  CHECK(coffer({"whoami"}).exit == 2);
  CHECK(coffer({"whoami", "--client-cert", certificate}).exit == 2);
  CHECK(coffer({"whoami", "--client-key", key}).exit == 2);
  CHECK(coffer({"whoami", "--client-cert", coffer.directory / "none", "--client-key", key}).exit ==
        2);
  REQUIRE(coffer({"whoami", "--client-cert", certificate, "--client-key", key}).exit == 0);
  CHECK(coffer.reached[0].client_certificate == certificate);
  CHECK(coffer.reached[0].client_key == key);
  CHECK(coffer.reached[0].token == nullptr);

  setenv("COFFER_CLIENT_CERT", certificate.c_str(), 1);
  setenv("COFFER_CLIENT_KEY", key.c_str(), 1);
  CHECK(coffer({"whoami"}).exit == 0);
  std::filesystem::permissions(key, static_cast<std::filesystem::perms>(0644));
  CHECK(Has(coffer({"whoami"}).err, "secret_file_exposed"));
}

TEST_CASE("a certificate and a key that do not belong together are named") {
  Tool coffer(InTurn({Reply(200, "{}")}));
  const std::string certificate = coffer.Secret("crm.pem", "PEM");
  HttpsOptions options;
  options.server.host = "vault.example";
  options.client_certificate = certificate;
  options.client_key = certificate;
  const auto sender = MakeHttpsSender(options);
  REQUIRE_FALSE(sender);
  CHECK(sender.error().exit == Exit::kUsage);
  CHECK(Has(sender.error().message, certificate));
}

TEST_CASE("emergency access needs a purpose, a ticket and a reason") {
  Tool coffer(InTurn({Reply(201, R"({"id":"emg_1","client":"cli_1"})")}));
  const std::vector<std::string> open = {"emergency", "open",   "cli_1",   "--purpose", "care",
                                         "--ticket",  "CASE-1", "--hours", "2"};
  CHECK(coffer(open).exit == 2);
  std::vector<std::string> with_reason = open;
  with_reason.insert(with_reason.end(), {"--reason", "threat to life"});
  REQUIRE(coffer(with_reason).exit == 0);
  const HttpRequest& request = coffer.server.requests()[0];
  CHECK(request.target == "/v1/emergency-access");
  CHECK(json::parse(request.body) == json::parse(R"({"client":"cli_1","purpose":"care",
      "ticket":"CASE-1","lifetime_s":7200})"));
  CHECK(HeaderOf(request, "Coffer-Reason") == "threat to life");
  CHECK(HeaderOf(request, "Coffer-Purpose").empty());
  CHECK(HeaderOf(request, "Coffer-Ticket").empty());
}

TEST_CASE("what is to be reviewed comes first, and what is late is marked") {
  Tool coffer(InTurn({Reply(200, R"({"items":[
      {"id":"emg_done","review_due":"2026-01-04T00:00:00.000Z",
       "reviewed":"2026-01-02T00:00:00.000Z","reviewer":"usr_2"},
      {"id":"emg_late","review_due":"2001-01-04T00:00:00.000Z"},
      {"id":"emg_open","review_due":"9999-01-04T00:00:00.000Z"}]})")}));
  const std::string out = coffer({"emergency", "list"}).out;
  CHECK(out.find("emg_late") < out.find("emg_done"));
  CHECK(out.find("emg_open") < out.find("emg_done"));
  CHECK(Has(out, "OVERDUE since 2001-01-04T00:00:00.000Z"));
  CHECK(Has(out, "due 9999-01-04T00:00:00.000Z"));
  CHECK(Has(out, "2026-01-02T00:00:00.000Z by usr_2"));
}

TEST_CASE("a review says what was found") {
  Tool coffer(InTurn({Reply(200, R"({"id":"emg_1"})")}));
  REQUIRE(coffer({"emergency", "review", "emg_1", "--finding", "justified"}).exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/emergency-access/emg_1/review {"finding":"justified"})");
}

TEST_CASE("an explanation is asked for with all circumstances") {
  Tool coffer(InTurn({Reply(200, R"({"allowed":true})")}));
  REQUIRE(coffer({"explain", "usr_1", "record.read", "--from", "192.0.2.1", "--certificate",
                  "--second-factor-minutes", "5", "--with-ticket"})
              .exit == 0);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json::parse(R"({"principal":"usr_1","action":"record.read","reason":false,"ticket":true,
            "address":"192.0.2.1","certificate":true,"second_factor_minutes":5})"));
  REQUIRE(coffer({"explain", "usr_1", "record.read"}).exit == 0);
  CHECK_FALSE(json::parse(coffer.server.requests()[1].body).contains("second_factor_minutes"));
}

TEST_CASE("the status says who decides and what waits for people") {
  Tool coffer(InTurn({Reply(200, R"({"users":3,"services":1,"open_approvals":2,"two_person":true,
      "unreviewed_emergencies":4,"overdue_emergencies":1,"holds":6,"overdue_holds":5})"),
                      Reply(200, R"({"two_person":false,"unreviewed_emergencies":0})")}));
  const std::string two = coffer({"status"}).out;
  CHECK(Has(two, "two people"));
  CHECK(Has(two, "4 not reviewed yet, 1 OVERDUE"));
  CHECK(Has(two, "6, 5 OVERDUE for review"));
  const std::string one = coffer({"status"}).out;
  CHECK(Has(one, "one person alone, for ever"));
  CHECK_FALSE(Has(one, "OVERDUE"));
}

}  // namespace coffer::cli
