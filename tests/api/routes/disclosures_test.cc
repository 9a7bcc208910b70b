// Recipients, disclosures and overviews as the API tells them.
#include <catch2/catch_test_macros.hpp>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;
using enum Method;
using Strings = std::vector<std::string>;

Strings AnswerWithPointers(const Reply& reply) {
  Strings told = ApiCalls::Pointers(reply);
  told.insert(told.begin(), ApiCalls::Answer(reply));
  return told;
}

std::string NewRecipient(ApiCalls& api) {
  const Reply made = api.Post("/v1/recipients", kPrivacyOfficer,
                              {{"name", "Example Ltd"}, {"category", "processor"}});
  INFO(made.body);
  REQUIRE(made.status == 201);
  CHECK(ApiCalls::Header(made, "Location") ==
        "/v1/recipients/" + ApiCalls::Parsed(made).at("id").get<std::string>());
  return ApiCalls::Parsed(made).at("id");
}

}  // namespace

TEST_CASE(
    "a package that names its recipient is told as a disclosure, and what follows as to tell") {
  ApiCalls api;
  const auto client = api.NewClient("R-1");
  api.NewContact(client, {{"last_name", "Roe"}});
  const std::string recipient = NewRecipient(api);
  const std::string path = "/v1/clients/" + client.Text();
  const Reply package = api.Post(path + "/package", kPrivacyOfficer, {{"recipient", recipient}});
  INFO(package.body);
  REQUIRE(package.status == 200);
  const json listed = ApiCalls::Parsed(
      api.Get("/v1/disclosures", kAuditor, ApiCalls::Query("client", client.Text())));
  REQUIRE(listed.at("items").size() == 1);
  const json& one = listed.at("items").at(0);
  CHECK(one.at("source") == "package");
  CHECK(one.at("recipient") == recipient);
  CHECK(one.at("clients") == 1);
  CHECK(one.at("given_of_client").at("classes") == json{"contact"});
  const std::string disclosure = "/v1/disclosures/" + one.at("id").get<std::string>();
  CHECK(ApiCalls::Parsed(api.Get(disclosure, kAuditor)).at("id") == one.at("id"));
  CHECK(ApiCalls::Parsed(api.Get(disclosure + "/clients", kAuditor)).at("items").size() == 1);

  REQUIRE(api.Post(path + "/restrictions", kPrivacyOfficer,
                   {{"basis", "disputed"}, {"stops", {{"purposes", {"marketing"}}}}})
              .status == 201);
  const json open = ApiCalls::Parsed(api.Get("/v1/disclosures/to-tell", kAuditor));
  CHECK(open.at("open") == 1);
  CHECK(open.at("items").at(0).at("act") == "restricted");
  CHECK(ApiCalls::Parsed(api.Get("/v1/status", kAuditor)).at("tellings").at("open") == 1);
  CHECK(ApiCalls::Answer(api.Post("/v1/recipients/" + recipient + "/told", kPrivacyOfficer,
                                  {{"channel", "email"}, {"client", client.Text()}})) == "200");
  const json told = ApiCalls::Parsed(api.Get(path + "/recipients-to-tell", kAuditor));
  CHECK(told.at("items").at(0).at("acts").at(0).at("told").at("channel") == "email");
  CHECK(ApiCalls::Parsed(api.Get("/v1/disclosures/to-tell", kAuditor)).at("open") == 0);

  const json overview = ApiCalls::Parsed(api.Get(path + "/overview", kPrivacyOfficer));
  CHECK(overview.at("state") == "active");
  CHECK(overview.at("disclosures").at("items").size() == 1);
  CHECK(overview.at("to_tell").at("items").at(0).at("state") == "told");
  CHECK(overview.at("emergencies") ==
        json::parse(R"({"withheld":true,"all":"/v1/emergency-access"})"));
  CHECK(!api.Get(path + "/overview", kPrivacyOfficer).body.contains("Roe"));
}

TEST_CASE("what is wrong with a recipient or a disclosure is told with pointers") {
  ApiCalls api;
  const auto client = api.NewClient("R-2");
  const std::string recipient = NewRecipient(api);
  CHECK(AnswerWithPointers(api.Post("/v1/recipients", kPrivacyOfficer,
                                    {{"name", "x"}, {"category", "friend"}, {"country", "x"}})) ==
        Strings{"422 recipient_invalid", "/category", "/country"});
  CHECK(AnswerWithPointers(api.Post("/v1/recipients", kPrivacyOfficer, {{"id", "x"}})) ==
        Strings{"422 request_invalid", "/id"});
  const std::string package = "/v1/clients/" + client.Text() + "/package";
  CHECK(AnswerWithPointers(api.Post(package, kPrivacyOfficer, {{"recipient", "x"}})) ==
        Strings{"422 request_invalid", "/recipient"});
  CHECK(AnswerWithPointers(
            api.Post(package, kPrivacyOfficer, {{"recipient", "rcp_" + std::string(26, '0')}})) ==
        Strings{"422 recipient_unknown", "/recipient"});
  CHECK(ApiCalls::Answer(api.Get("/v1/recipients/rcp_x", kAuditor)) == "404 not_found");
  CHECK(ApiCalls::Answer(api.Get("/v1/disclosures/dsc_x", kAuditor)) == "404 not_found");
  CHECK(ApiCalls::Answer(api.Get("/v1/recipients", kAuditor, ApiCalls::Query("state", "x"))) ==
        "400 parameter_invalid");
  CHECK(AnswerWithPointers(api.Post("/v1/recipients/" + recipient + "/told", kPrivacyOfficer,
                                    {{"not_told", "impossible"}})) ==
        Strings{"422 telling_invalid", "/until", "/reference"});
  CHECK(ApiCalls::Answer(api.Post("/v1/recipients/" + recipient + "/told", kPrivacyOfficer,
                                  {{"until", 1}, {"channel", "email"}})) == "409 nothing_to_tell");
}

TEST_CASE("a list of recipients has what counts of each, and a recipient read alone its history") {
  ApiCalls api;
  const std::string recipient = NewRecipient(api);
  json listed = ApiCalls::Parsed(api.Get("/v1/recipients", kAuditor)).at("items").at(0);
  json alone = ApiCalls::Parsed(api.Get("/v1/recipients/" + recipient, kAuditor));
  CHECK(!listed.contains("history"));
  CHECK(alone.at("history").size() == 1);
  alone.erase("history");
  alone.erase("names");
  CHECK(listed == alone);
}

}  // namespace coffer::api
