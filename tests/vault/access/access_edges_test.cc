// Where two rules of access meet.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/access/made_roles.h"

namespace coffer::vault {
namespace {

using enum Role;

TEST_CASE("a budget of one class that is used up closes no other class") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1");
  const auto caller = vault.With(R"([
      {"actions": ["record.read"], "classes": ["file"], "conditions": {"budget": {"hour": 1}}},
      {"actions": ["record.read"], "classes": ["card"], "view": "masked"}])");
  const auto read = [&](const RecordId& id) {
    return AnswerOf(vault->records().GetRecord(vault.Again(caller), client.id, id));
  };
  CHECK(read(client.card) == "ok");
  CHECK(read(client.file) == "ok");
  CHECK(read(client.file) == "budget_exhausted");
  CHECK(read(client.card) == "ok");
  CHECK(AnswerOf(vault->records().ListRecords(vault.Again(caller), client.id, "card", true, {})) ==
        "ok");
  CHECK(AnswerOf(vault->records().ListRecords(vault.Again(caller), client.id, "", true, {})) ==
        "budget_exhausted");
}

TEST_CASE("an import for a purpose that a record's own version does not allow replaces nothing") {
  TestVault vault;
  const auto put = [&](const json& purposes) {
    vault.PutClass(
        {{"name", "case"}, {"purposes", purposes}, {"fields", {{"title", {{"type", "string"}}}}}});
  };
  const auto import = [&](std::string purpose, const char* title) {
    Caller caller = vault.As(kCrmService);
    caller.purpose = std::move(purpose);
    const json data = {{"title", title}};
    return AnswerOf(vault->imports().ImportRecord(caller, {"A-1", "case", "k", data}));
  };
  put({"client-care"});
  CHECK(import("client-care", "one") == "ok");
  put({"client-care", "marketing"});
  CHECK(import("marketing", "one") == "purpose_not_allowed");
  CHECK(import("marketing", "two") == "purpose_not_allowed");
  CHECK(import("client-care", "two") == "ok");
  CHECK(import("marketing", "three") == "ok");
}

TEST_CASE("an explanation of deleting says what of a record is not the caller's to delete") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1");
  const auto caller = vault.With(R"([
      {"actions": ["record.read", "record.delete", "record.erase"], "sensitivity": ["internal"]}])");
  for (const char* action : {"record.delete", "record.erase"}) {
    AccessQuestion question;
    question.principal = vault.principal;
    question.action = action;
    question.client = client.id;
    question.class_name = "file";
    question.purpose = "client-care";
    const auto answer =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    REQUIRE(answer);
    INFO(action);
    CHECK(!answer->allowed);
    CHECK(answer->reason == "field_not_writable");
  }
  CHECK(AnswerOf(vault->records().DeleteRecord(vault.Again(caller), client.id, client.file, {})) ==
        "field_not_writable");
}

TEST_CASE("a miss counts where a record that is not seen could have been found") {
  RoleVault vault;
  vault.Make("A-1", {"north"});
  const MadeClient other = vault.Make("A-2", {"south"});
  const auto caller = vault.With(R"([
      {"actions": ["record.read"], "scope": {"tag": "north"}}, {"actions": ["client.search"]},
      {"actions": ["client.search"], "search": "unseen", "conditions": {"budget": {"hour": 2}}}])");
  const auto finds = [&](const char* value) {
    const auto hits =
        vault->searches().SearchByField(vault.Again(caller), "file", "health", value, {});
    INFO(AnswerOf(hits));
    REQUIRE(hits);
    return std::ranges::any_of(hits->items,
                               [&](const SearchHit& hit) { return hit.client == other.id; });
  };
  CHECK(!finds("measles"));
  CHECK(!finds("mumps"));
  CHECK(!finds("asthma"));
}

TEST_CASE(
    "a role whose time zone is gone starts, says so, and its hours are none, or all of a denial") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1");
  const std::string hours =
      R"("conditions": {"hours": {"zone": "UTC", "days": ["fri"], "from": "00:00", "to": "00:01"}})";
  const auto granted = vault.With(R"([{"actions": ["record.read"]},
      {"actions": ["client.read"], )" +
                                  hours + "}]");
  const auto denied = vault.With(R"([{"actions": ["client.read"]},
      {"deny": true, "actions": ["client.read"], )" +
                                 hours + "}]");
  const auto read = [&](const Caller& caller) {
    return AnswerOf(vault->clients().GetClient(vault.Again(caller), client.id));
  };
  CHECK(read(denied) == "ok");
  vault.Close();
  vault.Tamper("UPDATE roles SET definition = replace(definition, 'UTC', 'Mars/North')");
  vault.Open(true);
  CHECK(read(granted) == "outside_hours");
  CHECK(read(denied) == "permission_denied");
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(granted), client.id, client.file)) == "ok");
  const auto role = vault->roles().GetRole(vault.As(kAdministrator), "made-1");
  REQUIRE(role);
  REQUIRE((*role)->not_evaluated.size() == 1);
  CHECK((*role)->not_evaluated[0].pointer == "/grants/1/conditions/hours/zone");
}

TEST_CASE("a list by class tells of no records that the caller may not list") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1");
  const auto caller = vault.With(R"([{"actions": ["client.list"]},
      {"actions": ["record.read", "record.list"], "classes": ["card"]}])");
  const auto denied = vault.With(R"([{"actions": ["client.list", "record.list"]},
      {"deny": true, "actions": ["record.list", "record.read"], "classes": ["file"]}])");
  for (const auto& who : {caller, denied}) {
    CHECK(vault->clients().ListClients(vault.Again(who), "", "card", {})->items.size() == 1);
    const auto hidden = vault->clients().ListClients(vault.Again(who), "", "file", {});
    CHECK((!hidden || hidden->items.empty()));
  }
}

}  // namespace
}  // namespace coffer::vault
