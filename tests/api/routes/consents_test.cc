// Consents and their texts, as the API tells them.
#include <catch2/catch_test_macros.hpp>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;
using enum Method;
using Strings = std::vector<std::string>;

class ConsentCalls : public ApiCalls {
 public:
  ConsentCalls() {
    id = NewClient("C-1").Text();
    client = "/v1/clients/" + id;
    NewContact(*vault::ClientId::Parse(id), {{"last_name", "Doe"}});
    REQUIRE(Put(json{{"texts", {{{"language", "en"}, {"text", "I agree.\n"}}}}}).status == 200);
  }
  Reply Put(const json& body, const std::string& name = "newsletter") {
    return Do(kPut, "/v1/consent-texts/" + name, kPrivacyOfficer, body.dump());
  }
  static json Body(const json& more = json::object()) {
    json body = {{"purpose", "marketing"},
                 {"text", {{"name", "newsletter"}, {"version", 1}, {"language", "en"}}},
                 {"channel", "paper"},
                 {"evidence", "folder 12"}};
    body.update(more);
    return body;
  }
  Strings Told(const Reply& reply) {
    Strings told = Pointers(reply);
    told.insert(told.begin(), Answer(reply));
    return told;
  }
  Reply Give(const json& body) { return Post(client + "/consents", kPrivacyOfficer, body); }
  std::string id, client;
};

std::string HexOf(std::string_view text) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(text)));
}

TEST_CASE("a consent is recorded, listed, read, proven and withdrawn") {
  ConsentCalls api;
  const Reply given = api.Give(ConsentCalls::Body({{"expires", "2026-06-01T00:00:00Z"}}));
  REQUIRE(given.status == 201);
  const json consent = ApiCalls::Parsed(given);
  const std::string path = ApiCalls::Header(given, "Location");
  CHECK(path == api.client + "/consents/" + consent.at("id").get<std::string>());
  CHECK(consent.at("state") == "stands");
  CHECK(consent.at("text") == json{{"name", "newsletter"},
                                   {"version", 1},
                                   {"language", "en"},
                                   {"sha256", HexOf("I agree.\n")}});
  CHECK(consent.at("given_by") == "client");
  CHECK(consent.at("expires") == "2026-06-01T00:00:00.000Z");
  CHECK(!consent.contains("authority"));
  CHECK(!consent.contains("of_age"));
  CHECK(!consent.contains("withdrawal"));
  CHECK(ApiCalls::Parsed(api.Get(path, kAuditor)) == consent);
  json listed = consent;
  listed.erase("names");
  CHECK(ApiCalls::Parsed(api.Get(api.client + "/consents", kAuditor)).at("items") ==
        json::array({listed}));
  const auto log = api.WholeLog();
  const auto at = consent.at("entry").get<std::size_t>();
  REQUIRE(at < log.size());
  REQUIRE(log[at].payload_hash);
  CHECK(crypto::HexEncode(*log[at].payload_hash) ==
        HexOf(consent.at("statement").get<std::string>()));

  const Reply withdrawn = api.Post(path + "/withdrawal", kPrivacyOfficer, {{"channel", "email"}});
  REQUIRE(withdrawn.status == 200);
  const json after = ApiCalls::Parsed(withdrawn);
  CHECK(after.at("state") == "withdrawn");
  CHECK(after.at("withdrawal").at("channel") == "email");
  CHECK(!after.contains("evidence"));
  CHECK(api.Post(path + "/withdrawal", kPrivacyOfficer, json::object()).status == 200);
  CHECK(ApiCalls::Parsed(api.Get(path, kAuditor)).at("withdrawal") == after.at("withdrawal"));
  CHECK(api.Told(api.Post(path + "/withdrawal", kPrivacyOfficer, {{"channel", "dove"}})) ==
        Strings{"422 request_invalid", "/channel"});
  CHECK(ApiCalls::Answer(api.Get(api.client + "/consents/con_x", kAuditor)) == "404 not_found");
  api.CheckInvariants();
}

TEST_CASE("what is wrong with a consent or a text is told with pointers") {
  ConsentCalls api;
  const auto give = [&](const json& more) { return api.Told(api.Give(ConsentCalls::Body(more))); };
  const json text = ConsentCalls::Body().at("text");
  const auto shown = [&](const json& more) {
    json changed = text;
    changed.update(more);
    return give({{"text", changed}});
  };
  CHECK(shown({{"version", 2}}) == Strings{"422 consent_invalid", "/text"});
  CHECK(shown({{"language", "fr"}}) == Strings{"422 consent_invalid", "/text"});
  CHECK(shown({{"sha256", HexOf("I agree.")}}) == Strings{"422 consent_invalid", "/text/sha256"});
  CHECK(shown({{"sha256", HexOf("I agree.\n")}}) == Strings{"201"});
  CHECK(shown({{"sha256", "4"}}) == Strings{"422 request_invalid", "/text/sha256"});
  CHECK(shown({{"version", "1"}}) == Strings{"422 request_invalid", "/text/version"});
  CHECK(shown({{"version", -1}}) == Strings{"422 request_invalid", "/text/version"});
  CHECK(shown({{"other", 1}}) == Strings{"422 request_invalid", "/text/other"});
  CHECK(give({{"text", "newsletter"}}) == Strings{"422 request_invalid", "/text"});
  CHECK(give({{"given", "2027-01-01T00:00:00Z"}}) == Strings{"422 consent_invalid", "/given"});
  CHECK(give({{"given", "0001-01-01T00:00:00Z"}}) == Strings{"422 consent_invalid", "/given"});
  CHECK(give({{"given", "yesterday"}}) == Strings{"422 request_invalid", "/given"});
  CHECK(give({{"expires", "2020-01-01T00:00:00Z"}}) == Strings{"422 consent_invalid", "/expires"});
  CHECK(give({{"of_age", true}}) == Strings{"422 consent_invalid", "/of_age"});
  CHECK(give({{"of_age", 17}}) == Strings{"422 request_invalid", "/of_age"});
  CHECK(give({{"purpose", "fun"}, {"channel", "dove"}}) ==
        Strings{"422 consent_invalid", "/purpose", "/channel"});
  CHECK(give({{"age", 17}}) == Strings{"422 request_invalid", "/age"});

  const auto put = [&](const json& body) { return api.Told(api.Put(body)); };
  CHECK(put(json::object()) == Strings{"422 request_invalid", "/texts"});
  CHECK(put({{"texts", "x"}}) == Strings{"422 request_invalid", "/texts"});
  CHECK(put({{"texts", {{{"language", "en"}}}}}) ==
        Strings{"422 request_invalid", "/texts/0/text"});
  CHECK(put({{"texts", {{{"language", "en"}, {"text", "x"}, {"title", "y"}}}}}) ==
        Strings{"422 request_invalid", "/texts/0/title"});
  CHECK(put({{"texts", json::array()}}) == Strings{"422 consent_text_invalid", "/texts"});
  CHECK(put({{"texts", {{{"language", "en"}, {"text", "x"}}}},
             {"shown_since", "2027-01-01T00:00:00Z"}}) ==
        Strings{"422 consent_text_invalid", "/shown_since"});
  CHECK(ApiCalls::Answer(api.Put({{"texts", {{{"language", "en"}, {"text", "x"}}}}}, "No-Name")) ==
        "422 consent_text_invalid");
  CHECK(put({{"texts", {{{"language", "en"}, {"text", "x"}}}}, {"minimum_age", 16}}) ==
        Strings{"200"});
  const auto version = [&](const std::string& number) {
    return api.Do(kGet, "/v1/consent-texts/newsletter", kAuditor, "",
                  [&](Call& call) { call.query = {{"version", number}}; });
  };
  CHECK(ApiCalls::Parsed(version("1")).at("texts")[0].at("text") == "I agree.\n");
  CHECK(version("3").status == 404);
  CHECK(version("x").status == 400);
  const json all = ApiCalls::Parsed(api.Get("/v1/consent-texts", kAuditor)).at("items");
  REQUIRE(all.size() == 2);
  CHECK(!all[0].at("texts")[0].contains("text"));
  CHECK(all[1].at("minimum_age") == 16);
}

TEST_CASE("a purpose requires consent by its definition, and an explanation says so") {
  ConsentCalls api;
  const auto put = [&](const json& required) {
    return api.Do(
        kPut, "/v1/purposes/client-care", kPrivacyOfficer,
        json{{"title", "t"}, {"legal_basis", "consent"}, {"requires_consent", required}}.dump());
  };
  CHECK(api.Told(put("yes")) == Strings{"422 purpose_invalid", "/requires_consent"});
  CHECK(api.Get(api.client, kCrmService).status == 200);
  const Reply stored = put(true);
  REQUIRE(stored.status == 200);
  CHECK(ApiCalls::Parsed(stored).at("requires_consent") == true);
  CHECK(ApiCalls::Answer(api.Get(api.client, kCrmService)) == "403 consent_missing");
  const json answer =
      ApiCalls::Parsed(api.Post("/v1/access/explain", kSecurityOfficer,
                                {{"principal", api.TokenOf(kCrmService).principal.Text()},
                                 {"action", "client.read"},
                                 {"client", api.id},
                                 {"purpose", "client-care"}}));
  CHECK(answer.at("allowed") == false);
  CHECK(answer.at("rule") == "check:consent");
  CHECK(answer.at("code") == "consent_missing");
  REQUIRE(api.Give(ConsentCalls::Body({{"purpose", "client-care"}})).status == 201);
  CHECK(api.Get(api.client, kCrmService).status == 200);
  CHECK(!ApiCalls::Parsed(put(false)).contains("requires_consent"));
}

}  // namespace
}  // namespace coffer::api
