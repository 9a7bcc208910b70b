// Holds, restrictions and the package for a client, as the API tells them.
#include <catch2/catch_test_macros.hpp>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;
using enum Method;
using Strings = std::vector<std::string>;

class HoldCalls : public ApiCalls {
 public:
  HoldCalls() {
    id = NewClient("H-1", {"vip"}).Text();
    client = "/v1/clients/" + id;
    NewContact(*vault::ClientId::Parse(id), {{"last_name", "Doe"}});
  }
  json Terms(const json& more) {
    json terms = {
        {"reason", "A claim"}, {"case_number", "K-1"}, {"review_due", "2030-01-01T00:00:00Z"}};
    terms.update(more);
    return terms;
  }
  Strings Told(const Reply& reply) {
    Strings told = Pointers(reply);
    told.insert(told.begin(), Answer(reply));
    return told;
  }
  std::string id, client;
};

TEST_CASE("a hold is placed, listed, read and lifted") {
  HoldCalls api;
  const Reply placed = api.Post("/v1/holds", kPrivacyOfficer, api.Terms({{"client", api.id}}));
  REQUIRE(placed.status == 201);
  const json hold = ApiCalls::Parsed(placed);
  const std::string path = ApiCalls::Header(placed, "Location");
  CHECK(path == "/v1/holds/" + hold.at("id").get<std::string>());
  CHECK(hold.at("review_due") == "2030-01-01T00:00:00.000Z");
  CHECK(!hold.contains("tag"));
  CHECK(!hold.contains("lifted"));
  CHECK(ApiCalls::Parsed(api.Get(path, kAuditor)) == hold);
  const auto list = [&](const std::string& name, const std::string& value) {
    const Reply reply =
        api.Do(kGet, "/v1/holds", kAuditor, "", [&](Call& call) { call.query = {{name, value}}; });
    return reply.status == 200 ? std::to_string(ApiCalls::Parsed(reply).at("items").size())
                               : ApiCalls::Answer(reply);
  };
  CHECK(list("client", api.id) == "1");
  CHECK(list("client", "cli_x") == "404 not_found");
  CHECK(list("lifted", "perhaps") == "400 parameter_invalid");
  CHECK(list("cursor", "x") == "400 cursor_invalid");

  const Reply erased = api.Do(kDelete, api.client, kPrivacyOfficer);
  CHECK(api.Told(erased) == Strings{"409 held", "/holds/" + hold.at("id").get<std::string>()});

  const Reply lifted = api.Do(kPost, path + "/lift", kPrivacyOfficer);
  CHECK(lifted.status == 200);
  CHECK(ApiCalls::Parsed(lifted).contains("lifted_by"));
  CHECK(ApiCalls::Answer(api.Do(kPost, path + "/lift", kPrivacyOfficer)) == "409 already_lifted");
  CHECK(list("lifted", "false") == "0");
  CHECK(list("lifted", "true") == "1");
  CHECK(ApiCalls::Answer(api.Get("/v1/holds/hold_x", kAuditor)) == "404 not_found");
  CHECK(api.Do(kDelete, api.client, kPrivacyOfficer).status == 200);
  api.CheckInvariants();
}

TEST_CASE("what is wrong with a hold or a restriction is told with pointers") {
  HoldCalls api;
  const auto hold = [&](const json& more) {
    return api.Told(api.Post("/v1/holds", kPrivacyOfficer, api.Terms(more)));
  };
  CHECK(hold(json::object()) == Strings{"422 hold_invalid", ""});
  CHECK(hold({{"client", "cli_x"}}) == Strings{"422 request_invalid", "/client"});
  CHECK(hold({{"tag", "vip"}, {"class", "contact"}}) == Strings{"422 hold_invalid", "/class"});
  CHECK(hold({{"tag", "vip"}, {"review_due", "2020-01-01T00:00:00Z"}}) ==
        Strings{"422 hold_invalid", "/review_due"});
  CHECK(hold({{"tag", "vip"}, {"review_due", ""}}) ==
        Strings{"422 request_invalid", "/review_due"});
  CHECK(hold({{"tag", "vip"}, {"case_number", "a b"}, {"reason", std::string(1001, 'x')}}) ==
        Strings{"422 hold_invalid", "/reason", "/case_number"});
  CHECK(hold({{"tag", "vip"}, {"until", "x"}}) == Strings{"422 request_invalid", "/until"});
  const auto restrict = [&](const json& body) {
    return api.Told(api.Post(api.client + "/restrictions", kPrivacyOfficer, body));
  };
  const json all = {{"all_but", json::array()}};
  CHECK(restrict({{"basis", "x"}}) == Strings{"422 request_invalid", "/stops"});
  for (const json& stops :
       std::vector<json>{json::object(),
                         json::array(),
                         "all",
                         nullptr,
                         {{"all_but", json::array()}, {"x", 1}},
                         {{"all_but", json::array()}, {"purposes", {"billing"}}},
                         {{"all_but", json::array()}, {"legal_bases", {"contract"}}}}) {
    CHECK(restrict({{"basis", "x"}, {"stops", stops}}) == Strings{"422 request_invalid", "/stops"});
  }
  CHECK(restrict({{"basis", "x"}, {"stops", {{"most", {"billing"}}}}}) ==
        Strings{"422 request_invalid", "/stops/most"});
  for (const char* member : {"purposes", "legal_bases", "all_but"}) {
    for (const json& list : std::vector<json>{nullptr, "billing", {1}, json::object()}) {
      CHECK(restrict({{"basis", "x"}, {"stops", {{member, list}}}}) ==
            Strings{"422 request_invalid", "/stops/" + std::string(member)});
    }
  }
  for (const char* member : {"purposes", "legal_bases"}) {
    CHECK(restrict({{"basis", "x"}, {"stops", {{member, json::array()}}}}) ==
          Strings{"422 restriction_invalid", "/stops"});
  }
  CHECK(restrict({{"basis", "x"}, {"stops", {{"legal_bases", {"contract", "fun"}}}}}) ==
        Strings{"422 restriction_invalid", "/stops/legal_bases/1"});
  CHECK(restrict({{"basis", "x"}, {"stops", {{"purposes", {"fun"}}}}}) ==
        Strings{"422 restriction_invalid", "/stops/purposes/0"});
  CHECK(restrict({{"basis", std::string(1001, 'x')}, {"stops", all}, {"class", "no"}}) ==
        Strings{"422 restriction_invalid", "/class", "/basis"});
  CHECK(restrict({{"basis", "x"}, {"stops", all}, {"purposes", json::array()}}) ==
        Strings{"422 request_invalid", "/purposes"});
}

TEST_CASE("a restricted client is refused, packaged, and free again") {
  HoldCalls api;
  const std::string path = api.client + "/restrictions";
  const Reply placed = api.Post(path, kPrivacyOfficer,
                                {{"basis", "Disputed"}, {"stops", {{"all_but", {"billing"}}}}});
  REQUIRE(placed.status == 201);
  const json restriction = ApiCalls::Parsed(placed);
  const std::string one = ApiCalls::Header(placed, "Location");
  CHECK(one == path + "/" + restriction.at("id").get<std::string>());
  CHECK(restriction.at("stops") == json{{"all_but", {"billing"}}});
  CHECK(ApiCalls::Parsed(api.Get(one, kAuditor)) == restriction);
  json listed = restriction;
  listed.erase("names");  // which a list has once, beside its items
  CHECK(ApiCalls::Parsed(api.Get(path, kAuditor)).at("items") == json::array({listed}));
  CHECK(ApiCalls::Answer(api.Get(path + "/rst_x", kAuditor)) == "404 not_found");
  CHECK(ApiCalls::Answer(api.Get(api.client, kCrmService)) == "403 restricted");
  CHECK(
      api.Do(kGet, api.client, kCrmService, "", [](Call& call) { call.caller.purpose = "billing"; })
          .status == 200);

  const auto package = [&](const json& body) {
    return api.Post(api.client + "/package", kPrivacyOfficer, body);
  };
  const Reply first = package({{"limit", 1}});
  REQUIRE(first.status == 200);
  const json page = ApiCalls::Parsed(first);
  REQUIRE(page.at("items").size() == 1);
  CHECK(page.at("items")[0].at("client").at("id") == api.id);
  const json rest = ApiCalls::Parsed(package({{"cursor", page.at("next_cursor")}}));
  REQUIRE(rest.at("items").size() == 1);
  CHECK(rest.at("items")[0].at("record").at("data") == json{{"last_name", "Doe"}});
  CHECK(!rest.contains("next_cursor"));
  CHECK(api.Told(package({{"limit", 0}})) == Strings{"422 request_invalid", "/limit"});

  CHECK(ApiCalls::Answer(api.Do(kDelete, one, kPrivacyOfficer)) == "400 reason_required");
  const auto lift = [&] {
    return api.Do(kDelete, one, kPrivacyOfficer, "",
                  [](Call& call) { call.caller.reason = "Settled"; });
  };
  CHECK(lift().status == 204);
  CHECK(ApiCalls::Answer(lift()) == "404 not_found");
  CHECK(api.Get(api.client, kCrmService).status == 200);
  api.CheckInvariants();
}

TEST_CASE("the end of the relationship is set, shown and taken back") {
  HoldCalls api;
  const auto patch = [&](const json& end, const std::string& tag) {
    return api.Do(kPatch, api.client, kCrmService, json{{"relationship_end", end}}.dump(),
                  ApiCalls::IfMatch(tag));
  };
  const Reply ended = patch("2025-12-31T01:00:00+01:00", "\"1\"");
  CHECK(ended.status == 200);
  CHECK(ApiCalls::Parsed(ended).at("relationship_end") == "2025-12-31T00:00:00.000Z");
  CHECK(api.LastEntry().at("fields") == json{"relationship_end"});
  CHECK(api.LastEntry().dump().find("2025-12-31") == std::string::npos);
  CHECK(ApiCalls::Parsed(api.Get(api.client, kCrmService)) == ApiCalls::Parsed(ended));
  CHECK(api.Told(patch("", "\"2\"")) == Strings{"422 request_invalid", "/relationship_end"});
  CHECK(api.Told(patch("soon", "\"2\"")) == Strings{"422 request_invalid", "/relationship_end"});
  CHECK(api.Told(patch(7, "\"2\"")) == Strings{"422 request_invalid", "/relationship_end"});
  CHECK(!ApiCalls::Parsed(patch(nullptr, "\"2\"")).contains("relationship_end"));
  const Reply made =
      api.Post("/v1/clients", kCrmService, {{"relationship_end", "2026-01-01T00:00:00Z"}});
  CHECK(ApiCalls::Parsed(made).at("relationship_end") == "2026-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace coffer::api
