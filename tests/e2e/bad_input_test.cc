// Requests that must be refused: who asks, for which purpose, with what document, over which
// version. Each gets the documented problem, an entry in the log, and changes nothing.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/support/opened_databases.h"
#include "tests/support/refusals.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

const json kContact = {{"last_name", "Bergmann"}, {"email", "b@example.com"}};
const std::string kSentinelMail = std::string(kSentinel) + "@example.com";

struct Stored {
  explicit Stored(RunningVault& vault)
      : client(vault.NewClient("A-1")), record(vault.NewContact(client, kContact)) {}
  std::string client, record;
  std::string path() const { return "/v1/clients/" + client; }
  std::string records() const { return path() + "/records"; }
  std::string record_path() const { return records() + "/" + record; }
};

std::string WithoutRequestId(const HttpReply& reply) {
  json problem = reply.Json();
  problem.erase("request_id");
  return problem.dump();
}

}  // namespace

TEST_CASE("nobody known gets anything, and each attempt is in the log") {
  RunningVault vault;
  const Stored stored(vault);
  const auto made = vault.As("administrator", "")
                        .Post("/v1/tokens", {{"name", "to be revoked"}, {"role", "crm-service"}});
  REQUIRE(made.status == 201);
  const std::string revoked = made.Json().at("token");
  REQUIRE(vault.WithToken(revoked).Get(stored.record_path()).status == 200);
  REQUIRE(vault.As("administrator", "")
              .Delete("/v1/tokens/" + made.Json().at("id").get<std::string>())
              .status == 200);

  Refusals refusals(vault);
  const std::string real = vault.Token("crm-service");
  std::string swapped = real;
  std::swap(swapped[10], swapped[11]);
  if (swapped == real) swapped[10] = swapped[10] == 'a' ? 'b' : 'a';
  for (const std::string& token : {revoked, std::string("cft_") + kSentinel, swapped, real + "x",
                                   real.substr(0, 20), std::string("x"), std::string()}) {
    auto caller = vault.WithToken(token);
    const auto read = caller.Get(stored.record_path());
    CHECK(read.Header("www-authenticate") == "Bearer");
    refusals.Expect(read, 401, "unauthenticated", "record.read");
    refusals.Expect(caller.Get("/v1/clients"), 401, "unauthenticated", "client.list");
    refusals.Expect(caller.Delete(stored.path()), 401, "unauthenticated", "client.erase");
    refusals.Expect(caller.Post("/v1/tokens", {{"name", "mine"}, {"role", "administrator"}}), 401,
                    "unauthenticated", "token.create");
    refusals.Expect(caller.Get("/v1/log/entries"), 401, "unauthenticated", "log.read");
    refusals.Expect(caller.Get("/metrics"), 401, "unauthenticated", "metrics.read");
  }
  // Whoever is unknown learns nothing about his input either.
  auto stranger = vault.WithToken("");
  refusals.Expect(stranger.Send("POST", stored.records(), "{", "application/json"), 401,
                  "unauthenticated", "record.create");
  refusals.Expect(stranger.Get("/v1/clients?limit=x"), 401, "unauthenticated", "client.list");
  // Other ways to name the token are not ours.
  auto other = vault.WithToken("");
  for (const std::string& scheme : {"Basic " + real, "bear " + real, real, "Bearer" + real}) {
    refusals.Expect(other.Get(stored.record_path(), {{"Authorization", scheme}}), 401,
                    "unauthenticated", "record.read");
  }
  refusals.CheckNothingChanged();
}

TEST_CASE("a token ends at its time") {
  RunningVault vault;
  const Stored stored(vault);
  REQUIRE(vault.As("crm-service").Get(stored.record_path()).status == 200);
  (void)vault.Token("security-officer");
  vault.Stop();
  {
    // Nobody waits for ninety days: the stored time is moved instead.
    auto opened = OpenedDatabases::Of(vault);
    CHECK(Change(opened.vault,
                 "UPDATE tokens SET expires = 1700000000000 WHERE principal IN "
                 "(SELECT pid FROM principals WHERE name = 'test crm-service')") == 1);
  }
  CHECK(vault.StartRefused().err.contains("state_differs"));
  vault.StartTakingOver();
  Refusals refusals(vault);
  refusals.Expect(vault.As("crm-service").Get(stored.record_path()), 401, "unauthenticated",
                  "record.read");
  refusals.CheckNothingChanged();
}

TEST_CASE("client data needs a registered purpose that its class allows") {
  RunningVault vault;
  const Stored stored(vault);
  const auto payment =
      vault.As("crm-service", "billing")
          .Post(stored.records(), {{"class", "payment-detail"}, {"data", {{"method", "invoice"}}}});
  REQUIRE(payment.status == 201);
  const std::string payment_path = payment.Header("location");

  Refusals refusals(vault);
  auto without = vault.As("crm-service", "");
  refusals.Expect(without.Get(stored.record_path()), 400, "purpose_required", "record.read");
  refusals.Expect(without.Get(stored.path()), 400, "purpose_required", "client.read");
  refusals.Expect(without.Get("/v1/clients"), 400, "purpose_required", "client.list");
  refusals.Expect(without.Delete(stored.record_path()), 400, "purpose_required", "record.delete");
  refusals.Expect(without.Post("/v1/clients", {{"external_ref", kSentinel}}), 400,
                  "purpose_required", "client.create");
  refusals.Expect(without.Post("/v1/clients/search", {{"external_ref", kSentinel}}), 400,
                  "purpose_required", "client.search");

  for (const std::string& purpose : {std::string(kSentinel), std::string("Client-Care"),
                                     std::string("client-care billing"), std::string("*")}) {
    auto unknown = vault.As("crm-service", purpose);
    refusals.Expect(unknown.Get(stored.record_path()), 422, "purpose_unknown", "record.read");
    refusals.Expect(unknown.Post("/v1/clients", json::object()), 422, "purpose_unknown",
                    "client.create");
  }

  auto wrong = vault.As("crm-service", "marketing");
  refusals.Expect(wrong.Get(payment_path), 403, "purpose_not_allowed", "record.read");
  refusals.Expect(wrong.Get(payment_path + "/versions"), 403, "purpose_not_allowed", "record.list");
  refusals.Expect(wrong.Get(payment_path + "/versions/1"), 403, "purpose_not_allowed",
                  "record.read");
  refusals.Expect(
      wrong.Put(payment_path, {{"data", {{"method", "card"}}}}, {{"If-Match", "\"1\""}}), 403,
      "purpose_not_allowed", "record.update");
  refusals.Expect(wrong.Delete(payment_path), 403, "purpose_not_allowed", "record.delete");
  refusals.Expect(wrong.Post(stored.records(),
                             {{"class", "payment-detail"}, {"data", {{"method", "invoice"}}}}),
                  403, "purpose_not_allowed", "record.create");
  refusals.Expect(
      wrong.Post("/v1/clients/search",
                 {{"class", "payment-detail"}, {"field", "iban"}, {"value", kSentinel}}),
      403, "purpose_not_allowed", "client.search");
  refusals.Expect(wrong.Get(stored.records() + "?class=payment-detail&data=true"), 403,
                  "purpose_not_allowed", "record.read");
  // A list without a class holds only what the purpose may touch.
  const auto listed = wrong.Get(stored.records() + "?data=true").Json().at("items");
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("class") == "contact");
  refusals.CheckNothingChanged();
}

TEST_CASE("a document that does not fit its class is refused field by field") {
  RunningVault vault;
  const json every_type = {{"name", "every-type"},
                           {"purposes", {"client-care"}},
                           {"fields",
                            {{"a_string", {{"type", "string"}, {"max_length", 20}}},
                             {"a_text", {{"type", "text"}}},
                             {"an_integer", {{"type", "integer"}}},
                             {"a_decimal", {{"type", "decimal"}}},
                             {"a_boolean", {{"type", "boolean"}}},
                             {"a_date", {{"type", "date"}}},
                             {"a_date_time", {{"type", "datetime"}}},
                             {"an_email", {{"type", "email"}}},
                             {"a_phone", {{"type", "phone"}}},
                             {"a_choice", {{"type", "choice"}, {"values", {"red", "blue"}}}},
                             {"a_list", {{"type", "list"}}},
                             {"wanted", {{"type", "string"}, {"required", true}}}}}};
  const auto put = vault.As("administrator", "").Put("/v1/classes/every-type", every_type);
  INFO(put.body);
  REQUIRE(put.status == 200);
  const Stored stored(vault);
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);

  const std::string s = kSentinel;
  const std::vector<std::pair<std::string, std::vector<json>>> wrong = {
      {"a_string",
       {7, true, nullptr, json::array(), json::object(), s + std::string(20, 'x'), s + "\n",
        s + "\t", s + std::string(1, '\0')}},
      {"a_text", {7, s + "\x01", s + "\x1b[31m", std::string(65'537, 'x')}},
      {"an_integer", {s, "7", 7.5, 7.0, 9007199254740992, -9007199254740992, 1e300}},
      {"a_decimal",
       {7, 7.5, s, "1e5", "+1", "01", ".5", "1.", "1,5", " 1", "NaN", "-", std::string(40, '9')}},
      {"a_boolean", {"true", 0, 1, nullptr, s}},
      {"a_date",
       {s, "2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-01-01T00:00:00Z", 5}},
      {"a_date_time", {s, "2024-01-01", "2024-01-01T25:00:00Z", "2024-01-01 00:00:00", 5}},
      {"an_email",
       {s, "@example.com", s + "@", "a@b@example.com", "a b@example.com",
        "a@example.com\r\nBcc: x@example.com", std::string(250, 'a') + "@b.de", 5}},
      {"a_phone", {s, "+", "phone", "", 49}},
      {"a_choice", {s, "Red", "", 1, json::array({"red"})}},
      {"a_list",
       {s, json::array({1}), json::array({json::array()}), json::array({s + "\n"}),
        json(std::vector<std::string>(101, "x")), json::object()}},
      {"wanted", {nullptr, 1}}};
  for (const auto& [field, values] : wrong) {
    for (const auto& value : values) {
      json data = {{"wanted", "x"}};
      data[field] = value;
      INFO(field << ": " << value.dump().substr(0, 80));
      const auto reply = crm.Post(stored.records(), {{"class", "every-type"}, {"data", data}});
      refusals.Expect(reply, 422, "document_invalid", "record.create");
      const auto errors = reply.Json().value("errors", json::array());
      REQUIRE(errors.size() == 1);
      CHECK(errors[0].at("pointer") == "/data/" + field);
    }
  }
  // What is not asked for is not kept; what is required must be there.
  const auto extra =
      crm.Post(stored.records(), {{"class", "contact"}, {"data", {{"last_name", s}, {"iban", s}}}});
  refusals.Expect(extra, 422, "document_invalid", "record.create");
  CHECK(extra.Json().at("errors")[0].at("pointer") == "/data/iban");
  const auto missing =
      crm.Post(stored.records(), {{"class", "contact"}, {"data", {{"first_name", s}}}});
  refusals.Expect(missing, 422, "document_invalid", "record.create");
  CHECK(missing.Json().at("errors")[0].at("pointer") == "/data/last_name");
  for (const json& data : {json(s), json(1), json(nullptr), json::array({s})}) {
    refusals.Expect(crm.Post(stored.records(), {{"class", "contact"}, {"data", data}}), 422,
                    "document_invalid", "record.create");
    refusals.Expect(crm.Put(stored.record_path(), {{"data", data}}, {{"If-Match", "\"1\""}}), 422,
                    "document_invalid", "record.update");
  }
  for (const char* unknown : {"no-such-class", "Contact", "../contact"}) {
    refusals.Expect(crm.Post(stored.records(), {{"class", unknown}, {"data", kContact}}), 422,
                    "class_unknown", "record.create");
  }
  // The request around the document is as strict.
  for (const json& body :
       {json{{"class", "contact"}, {"data", kContact}, {"version", 7}}, json{{"class", "contact"}},
        json{{"data", kContact}}, json{{"class", 7}, {"data", kContact}}, json::array(),
        json(nullptr), json(s), json(7)}) {
    refusals.Expect(crm.Post(stored.records(), body), 422, "request_invalid", "record.create");
  }
  CHECK(crm.Get(stored.record_path()).Json().at("data") == kContact);
  refusals.CheckNothingChanged();
}

TEST_CASE("clients are checked, and a reference belongs to one") {
  RunningVault vault;
  const Stored stored(vault);
  const std::string other = vault.NewClient("B-2");
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);
  const std::string s = kSentinel;
  refusals.Expect(crm.Post("/v1/clients", {{"external_ref", "A-1"}}), 409, "external_ref_taken",
                  "client.create", "allow");
  refusals.Expect(
      crm.Patch("/v1/clients/" + other, {{"external_ref", "A-1"}}, {{"If-Match", "\"1\""}}), 409,
      "external_ref_taken", "client.update", "allow");
  for (const json& wrong :
       {json{{"external_ref", s + std::string(200, 'x')}}, json{{"tags", {"Upper" + s}}},
        json{{"tags", {s + " " + s}}}, json{{"tags", {""}}}, json{{"tags", {std::string(65, 'x')}}},
        json{{"tags", std::vector<std::string>(51, "x")}}, json{{"tags", s}}, json{{"tags", {1}}},
        json{{"external_ref", s + std::string(1, '\0')}}}) {
    INFO(wrong.dump());
    refusals.Expect(crm.Post("/v1/clients", wrong), 422, "client_invalid", "client.create");
    refusals.Expect(crm.Patch(stored.path(), wrong, {{"If-Match", "\"1\""}}), 422, "client_invalid",
                    "client.update");
  }
  for (const json& wrong : {json{{"external_ref", 7}}, json{{"id", s}}, json::array()}) {
    refusals.Expect(crm.Post("/v1/clients", wrong), 422, "request_invalid", "client.create");
  }
  refusals.CheckNothingChanged();
}

TEST_CASE("an update needs the version it replaces, and a lost race changes nothing") {
  RunningVault vault;
  const Stored stored(vault);
  auto crm = vault.As("crm-service");
  const json changed = {{"data", {{"last_name", kSentinel}}}};
  Refusals refusals(vault);
  refusals.Expect(crm.Put(stored.record_path(), changed), 428, "if_match_required",
                  "record.update");
  refusals.Expect(crm.Patch(stored.path(), {{"tags", {"vip"}}}), 428, "if_match_required",
                  "client.update");
  for (const char* tag : {"\"2\"", "\"0\""}) {
    INFO(tag);
    refusals.Expect(crm.Put(stored.record_path(), changed, {{"If-Match", tag}}), 412,
                    "version_mismatch", "record.update", "allow");
    refusals.Expect(crm.Patch(stored.path(), {{"tags", {"vip"}}}, {{"If-Match", tag}}), 412,
                    "version_mismatch", "client.update", "allow");
    refusals.Expect(crm.Delete(stored.record_path(), {{"If-Match", tag}}), 412, "version_mismatch",
                    "record.delete", "allow");
  }
  for (const char* tag : {"*", "1", "W/\"1\"", "\"1\", \"2\"", "\"01\"", "\"-1\"", "\"\"", "\"1",
                          "\"99999999999999999999999\""}) {
    INFO(tag);
    refusals.Expect(crm.Put(stored.record_path(), changed, {{"If-Match", tag}}), 412,
                    "version_mismatch", "record.update");
  }
  CHECK(crm.Get(stored.record_path()).Json().at("data") == kContact);
  refusals.CheckNothingChanged();

  // Of eight writers over one version, one wins.
  std::vector<std::thread> writers;
  std::atomic<int> won = 0, lost = 0;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i, caller = vault.As("crm-service")]() mutable {
      const int status =
          caller
              .Put(stored.record_path(), {{"data", {{"last_name", std::to_string(i)}}}},
                   {{"If-Match", "\"1\""}})
              .status;
      won += status == 200;
      lost += status == 412;
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(won == 1);
  CHECK(lost == 7);
  CHECK(crm.Get(stored.record_path() + "/versions").Json().at("items").size() == 2);
}

TEST_CASE("a record under another client's path answers like one that does not exist") {
  RunningVault vault;
  const Stored stored(vault);
  const std::string other = vault.NewClient("B-2");
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);
  const std::string foreign = "/v1/clients/" + other + "/records/" + stored.record;
  const std::string nobody = "cli_0000000000000000000000000a";
  const std::string nothing = "rec_0000000000000000000000000a";
  for (const char* tail : {"", "/versions", "/versions/1"}) {
    const std::string action = tail == std::string("/versions") ? "record.list" : "record.read";
    const auto reply = crm.Get(foreign + tail);
    refusals.Expect(reply, 404, "not_found", action);
    const auto unknown = crm.Get("/v1/clients/" + nobody + "/records/" + nothing + tail);
    refusals.Expect(unknown, 404, "not_found", action);
    CHECK(WithoutRequestId(reply) == WithoutRequestId(unknown));
    refusals.Expect(crm.Get(stored.records() + "/" + nothing + tail), 404, "not_found", action);
  }
  const json changed = {{"data", {{"last_name", kSentinel}}}};
  refusals.Expect(crm.Put(foreign, changed, {{"If-Match", "\"1\""}}), 404, "not_found",
                  "record.update");
  refusals.Expect(crm.Delete(foreign), 404, "not_found", "record.delete");
  refusals.Expect(
      crm.Post("/v1/clients/" + nobody + "/records", {{"class", "contact"}, {"data", kContact}}),
      404, "not_found", "record.create");
  refusals.Expect(vault.As("privacy-officer").Delete("/v1/clients/" + nobody), 404, "not_found",
                  "client.erase");
  refusals.Expect(crm.Get(stored.record_path() + "/versions/2"), 404, "not_found", "record.read");
  refusals.CheckNothingChanged();
}
