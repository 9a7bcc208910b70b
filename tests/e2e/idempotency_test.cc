// A request that is sent again, because its answer was lost, must not be carried out twice.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <thread>

#include "tests/support/refusals.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

const json kRepeatedContact = {{"last_name", "Bergmann"}, {"email", "b@example.com"}};

}  // namespace

TEST_CASE("an idempotency key makes one object and one answer") {
  RunningVault vault;
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  auto crm = vault.As("crm-service");
  const HeaderList key = {{"Idempotency-Key", "order-4711"}};
  const json contact = {{"class", "contact"}, {"data", kRepeatedContact}};

  const auto first = crm.Post(records, contact, key);
  REQUIRE(first.status == 201);
  const auto made = crm.Post("/v1/clients", {{"external_ref", "K-1"}}, key);
  REQUIRE(made.status == 201);  // another operation, another key
  Refusals refusals(vault);
  for (int i = 0; i < 3; ++i) {
    const auto again = crm.Post(records, contact, key);
    CHECK(again.status == 201);
    CHECK(again.body == first.body);
    CHECK(again.Header("location") == first.Header("location"));
    CHECK(again.Header("etag") == first.Header("etag"));
    CHECK(crm.Post("/v1/clients", {{"external_ref", "K-1"}}, key).body == made.body);
  }
  json other = contact;
  other["data"]["last_name"] = kSentinel;
  refusals.Expect(crm.Post(records, other, key), 422, "idempotency_key_reused", "record.create",
                  "allow");
  refusals.Expect(crm.Post("/v1/clients", {{"external_ref", "K-2"}}, key), 422,
                  "idempotency_key_reused", "client.create", "allow");
  refusals.Expect(
      crm.Post(records, contact, {{"Idempotency-Key", kSentinel + std::string(200, 'k')}}), 400,
      "header_invalid", "record.create");
  // The answer stays what it was, whatever became of the object meanwhile.
  REQUIRE(
      crm.Put(first.Header("location"), {{"data", {{"last_name", "Neu"}}}}, {{"If-Match", "\"1\""}})
          .status == 200);
  CHECK(crm.Post(records, contact, key).body == first.body);
  vault.Kill();
  vault.Start();
  auto after = vault.As("crm-service");
  CHECK(after.Post(records, contact, key).body == first.body);
  refusals.CheckNothingChanged();

  // A key is its caller's own.
  const auto second = vault.As("administrator", "")
                          .Post("/v1/tokens", {{"name", "another"}, {"role", "crm-service"}});
  const auto strange = vault.WithToken(second.Json().at("token")).Post(records, contact, key);
  CHECK(strange.status == 201);
  CHECK(strange.Json().at("id") != first.Json().at("id"));

  // Sent eight times at once, it still makes one object.
  std::vector<std::thread> callers;
  std::vector<std::string> answers(8);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    callers.emplace_back([&, i, caller = vault.As("crm-service")]() mutable {
      answers[i] = caller.Post(records, contact, {{"Idempotency-Key", "at-once"}}).body;
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(std::set<std::string>(answers.begin(), answers.end()).size() == 1);

  REQUIRE(after.Delete(first.Header("location")).status == 204);
  Refusals gone(vault);
  gone.Expect(after.Post(records, contact, key), 409, "idempotent_object_gone", "record.create",
              "allow");
  gone.CheckNothingChanged();
}
