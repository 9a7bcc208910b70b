// The way of a record through the vault, over TLS against a real server.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

TEST_CASE("a record is stored, read with a purpose, logged, changed and deleted") {
  RunningVault vault;
  auto crm = vault.As("crm-service");
  const std::string client = vault.NewClient("A-1");

  const json data = {
      {"last_name", "Müller, \"J\""}, {"email", "Jo@Example.COM"}, {"phone", "+49 30 901820"}};
  auto made =
      crm.Post("/v1/clients/" + client + "/records", {{"class", "contact"}, {"data", data}});
  INFO(made.body);
  REQUIRE(made.status == 201);
  CHECK(made.Header("etag") == "\"1\"");
  const std::string record = made.Json().at("id");
  const std::string path = "/v1/clients/" + client + "/records/" + record;
  CHECK(made.Header("location") == path);

  auto read = crm.Get(path);
  REQUIRE(read.status == 200);
  CHECK(read.Json().at("data") == data);
  CHECK(read.Header("cache-control") == "no-store");
  const std::string request = read.Header("coffer-request-id");

  auto log = vault.As("security-officer").Get("/v1/log/entries?request=" + request);
  REQUIRE(log.status == 200);
  const json entries = log.Json().at("items");
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].at("action") == "record.read");
  CHECK(entries[0].at("client") == client);
  CHECK(entries[0].at("record") == record);
  CHECK(entries[0].at("purpose") == "client-care");
  CHECK(entries[0].at("decision") == "allow");
  CHECK(entries[0].at("fields") == json({"email", "last_name", "phone"}));

  auto found = crm.Post("/v1/clients/search",
                        {{"class", "contact"}, {"field", "email"}, {"value", "JO@example.com"}});
  REQUIRE(found.status == 200);
  REQUIRE(found.Json().at("items").size() == 1);
  CHECK(found.Json().at("items")[0].at("record") == record);

  json changed = data;
  changed["email"] = "new@example.com";
  CHECK(crm.Put(path, {{"data", changed}}).status == 428);
  CHECK(crm.Put(path, {{"data", changed}}, {{"If-Match", "\"2\""}}).status == 412);
  auto updated = crm.Put(path, {{"data", changed}}, {{"If-Match", "\"1\""}});
  INFO(updated.body);
  REQUIRE(updated.status == 200);
  CHECK(crm.Get(path).Json().at("data") == changed);
  CHECK(crm.Get(path + "/versions/1").Json().at("data") == data);
  CHECK(crm.Get(path + "/versions").Json().at("items").size() == 2);
  CHECK(crm.Post("/v1/clients/search",
                 {{"class", "contact"}, {"field", "email"}, {"value", "jo@example.com"}})
            .Json()
            .at("items")
            .empty());

  CHECK(crm.Delete(path).status == 204);
  CHECK(crm.Get(path).status == 404);
  vault.Stop();
  vault.Start();
  CHECK(vault.As("crm-service").Get(path).status == 404);
}
