// Breaches as the API tells them.
#include <catch2/catch_test_macros.hpp>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;
using enum Method;
using Strings = std::vector<std::string>;

Strings ToldOf(const Reply& reply) {
  Strings told = ApiCalls::Pointers(reply);
  told.insert(told.begin(), ApiCalls::Answer(reply));
  return told;
}

}  // namespace

TEST_CASE("the scope of a breach is asked for and told, and kept as counts") {
  ApiCalls api;
  const auto client = api.NewClient("B-1", {"jurisdiction:de"});
  const auto record = api.NewContact(client, {{"last_name", "Roe"}});
  const std::string path = "/v1/clients/" + client.Text() + "/records/" + record.Text();
  REQUIRE(api.Get(path, kCrmService).status == 200);
  const std::string token = api.TokenOf(kCrmService).id.Text();
  const Reply found =
      api.Post("/v1/breach-scopes", kSecurityOfficer, {{"token", token}, {"record_ids", true}});
  INFO(found.body);
  REQUIRE(found.status == 200);
  const json scope = ApiCalls::Parsed(found);
  CHECK(scope.at("criteria") == json{{"token", token}});
  CHECK(scope.at("readable") == "plain");
  CHECK(scope.at("clients") == 1);
  CHECK(scope.at("exact") == true);
  CHECK(scope.at("jurisdictions") == json::parse(R"([{"jurisdiction":"de","clients":1}])"));
  const json& item = scope.at("items").at(0);
  CHECK(item.at("client") == client.Text());
  CHECK(item.at("ways") == json{"read", "changed"});
  const json& contact = item.at("classes").at(1);
  CHECK(contact.at("class") == "contact");
  CHECK(contact.at("record_ids") == json{record.Text()});
  CHECK(contact.at("fields") == json{"last_name"});
  CHECK(!found.body.contains("Roe"));

  const Reply opened = api.Post("/v1/breaches", kPrivacyOfficer,
                                {{"aware", "2026-01-02T00:00:00Z"},
                                 {"kinds", {"confidentiality"}},
                                 {"taken", {"answers"}},
                                 {"regimes", {"gdpr"}},
                                 {"facts", "A token was lost."}});
  INFO(opened.body);
  REQUIRE(opened.status == 201);
  const std::string breach = ApiCalls::Header(opened, "Location");
  const json counted =
      ApiCalls::Parsed(api.Post(breach + "/scopes", kSecurityOfficer,
                                {{"principal", api.TokenOf(kCrmService).principal.Text()}}));
  CHECK(counted.at("history").at(1).at("said").at("clients") == 1);
  CHECK(counted.at("readable") == "plain");
  CHECK(counted.at("clocks").at(0).at("due") == "2026-01-05T00:00:00.000Z");
  CHECK(counted.at("clocks").at(0).at("state") == "running");
  CHECK(ApiCalls::Parsed(api.Get(breach, kAuditor)).at("history") == counted.at("history"));
  CHECK(ApiCalls::Answer(api.Post(breach + "/notes", kPrivacyOfficer, {{"effects", "None."}})) ==
        "200");
  CHECK(ApiCalls::Answer(api.Post(breach + "/notices", kPrivacyOfficer,
                                  {{"whom", "authority"},
                                   {"regime", "gdpr"},
                                   {"name", "A"},
                                   {"at", "2026-01-02T01:00:00Z"}})) == "200");
  const json closed =
      ApiCalls::Parsed(api.Post(breach + "/close", kPrivacyOfficer, {{"conclusion", "Over."}}));
  CHECK(closed.at("state") == "closed");
  CHECK(closed.at("closed_by") == api.TokenOf(kPrivacyOfficer).principal.Text());
  CHECK(ApiCalls::Answer(api.Post(breach + "/notes", kPrivacyOfficer, {{"effects", "x"}})) ==
        "409 breach_closed");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    CHECK(FindRoute(Routes(), MethodFromName(method), breach).route == nullptr);
  }
  const auto list = [&](const std::string& state) {
    const Reply reply = api.Get("/v1/breaches", kAuditor, ApiCalls::Query("state", state));
    return reply.status == 200 ? std::to_string(ApiCalls::Parsed(reply).at("items").size())
                               : ApiCalls::Answer(reply);
  };
  CHECK(list("open") == "0");
  CHECK(list("closed") == "1");
  CHECK(list("gone") == "400 parameter_invalid");
}

TEST_CASE("what is wrong with a breach or its scope is told with pointers") {
  ApiCalls api;
  const auto scope = [&](const json& body) {
    return ToldOf(api.Post("/v1/breach-scopes", kSecurityOfficer, body));
  };
  CHECK(scope(json::object()) == Strings{"422 scope_invalid", ""});
  CHECK(scope({{"token", "cft_x"}, {"address", "x"}}) ==
        Strings{"422 scope_invalid", "/token", "/address"});
  CHECK(scope({{"token", "tok_" + std::string(26, '0')}}) ==
        Strings{"400 filter_unknown", "/token"});
  CHECK(scope({{"principal", "nobody"}}) == Strings{"400 filter_unknown", "/principal"});
  CHECK(scope({{"address", "::1"}, {"limit", 0}}) == Strings{"422 request_invalid", "/limit"});
  CHECK(scope({{"address", "::1"}, {"limit", 10001}}) == Strings{"422 request_invalid", "/limit"});
  CHECK(scope({{"address", "::1"}, {"cursor", "x"}}) == Strings{"400 cursor_invalid"});
  CHECK(scope({{"address", "::1"}, {"from", "yesterday"}}) ==
        Strings{"422 request_invalid", "/from"});
  CHECK(scope({{"address", "::1"}, {"client", "cli_x"}}) ==
        Strings{"422 request_invalid", "/client"});
  CHECK(ToldOf(api.Post("/v1/breaches", kPrivacyOfficer, {{"facts", "x"}})) ==
        Strings{"422 breach_invalid", "/aware", "/kinds", "/regimes"});
  CHECK(ToldOf(api.Post("/v1/breaches", kPrivacyOfficer, {{"state", "closed"}})) ==
        Strings{"422 request_invalid", "/state"});
  CHECK(ApiCalls::Answer(api.Get("/v1/breaches/brc_x", kAuditor)) == "404 not_found");
}

}  // namespace coffer::api
