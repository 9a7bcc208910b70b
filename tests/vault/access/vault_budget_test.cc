// Budgets of what is shown plainly, and searching by what is not.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/access/made_roles.h"

namespace coffer::vault {
namespace {

using enum Role;

class Budgets : public RoleVault {
 public:
  Budgets() {
    client = NewClient("A-1");
    for (int i = 0; i < 4; ++i) files.push_back(NewRecord(client, "file", Data()));
  }
  std::string Read(const Caller& caller, std::size_t i = 0) {
    return AnswerOf((*this)->records().GetRecord(Again(caller), client, files[i]));
  }
  std::string List(const Caller& caller, std::size_t limit) {
    return AnswerOf((*this)->records().ListRecords(Again(caller), client, "", true, {limit, ""}));
  }
  // How many records can be read until it is refused.
  int ReadsOf(const Caller& caller) {
    for (int n = 0; n < 100; ++n) {
      const auto answer = Read(caller);
      if (answer == "budget_exhausted") return n;
      REQUIRE(answer == "ok");
    }
    return 100;
  }

  ClientId client;
  std::vector<RecordId> files;
};

std::string Limited(int hour, const std::string& more = "") {
  return R"({"actions": ["record.read", "record.list"], )" + more +
         R"("conditions": {"budget": {"hour": )" + std::to_string(hour) + "}}}";
}

TEST_CASE("of two budgets for the same each grant keeps its own, and the larger is the end") {
  for (const bool small_first : {false, true}) {
    Budgets vault;
    const auto caller = vault.With(small_first ? "[" + Limited(2) + "," + Limited(5) + "]"
                                               : "[" + Limited(5) + "," + Limited(2) + "]");
    CHECK(vault.ReadsOf(caller) == 5);
  }
  Budgets vault;
  const auto hours_and_days = vault.With("[" + Limited(6) +
                                         R"(, {"actions": ["record.read"],
                                              "conditions": {"budget": {"hour": 9, "day": 3}}}])");
  CHECK(vault.ReadsOf(hours_and_days) == 6);
}

TEST_CASE("a field is shown as long as a grant of its own has budget, and hidden after it") {
  Budgets vault;
  const auto caller =
      vault.With("[" + Limited(2) + "," + Limited(4, R"("fields": ["note"], )") + "]");
  const auto fields = [&]() -> std::string {
    const auto read = vault->records().GetRecord(vault.Again(caller), vault.client, vault.files[0]);
    if (!read) return std::string(read.error().reason);
    return json::parse(read->data).size() == 3 ? "all" : read->data;
  };
  CHECK(fields() == "all");
  CHECK(fields() == "all");
  CHECK(fields() == R"({"note":"x"})");
  CHECK(fields() == R"({"note":"x"})");
  CHECK(fields() == "budget_exhausted");
}

TEST_CASE("an unlimited grant of one field lifts no limit of another") {
  Budgets vault;
  const auto caller = vault.With(R"([{"actions": ["record.read"], "fields": ["note"]},)" +
                                 Limited(2, R"("fields": ["health"], )") + "]");
  const auto seen = [&] {
    const auto read = vault->records().GetRecord(vault.Again(caller), vault.client, vault.files[0]);
    REQUIRE(read);
    return json::parse(read->data).contains("health");
  };
  CHECK(seen());
  CHECK(seen());
  CHECK(!seen());
}

TEST_CASE("what is refused has spent nothing, page by page and in every way of reading") {
  for (const bool page_first : {false, true}) {
    Budgets vault;
    const auto caller = vault.With("[" + Limited(3) + "," +
                                   R"({"actions": ["client.export", "client.package"],
                                       "conditions": {"budget": {"hour": 3}}}])");
    const auto refused = [&] {
      CHECK(vault.List(caller, 4) == "budget_exhausted");
      CHECK(AnswerOf(vault->exports().Export(vault.Again(caller), {}, {200, ""})) ==
            "budget_exhausted");
      CHECK(AnswerOf(vault->exports().PackageClient(vault.Again(caller), vault.client,
                                                    {200, ""})) == "budget_exhausted");
    };
    if (page_first) refused();
    CHECK(vault.List(caller, 2) == "ok");
    refused();
    CHECK(vault.Read(caller) == "ok");
    CHECK(vault.Read(caller) == "budget_exhausted");
  }
}

TEST_CASE("classes of one page that together go beyond their budgets spend none of them") {
  Budgets vault;
  vault.NewRecord(vault.client, "card", RoleVault::Data());
  const auto caller = vault.With("[" + Limited(9, R"("classes": ["file"], )") + "," +
                                 Limited(4, R"("classes": ["card"], )") + "]");
  CHECK(vault.List(caller, 200) == "budget_exhausted");  // the card would be the fifth
  CHECK(vault.ReadsOf(caller) == 9);
}

TEST_CASE("emergency access asks no budget, and costs none") {
  Budgets vault;
  auto caller = vault.With("[" + Limited(3) + R"(, {"actions": ["emergency.open"]}])");
  caller.reason = "the client is at the door";
  CHECK(vault.Read(caller) == "ok");
  REQUIRE(vault->emergencies().OpenEmergency(vault.Again(caller), vault.client,
                                             {"client-care", "C-1", 3600}));
  for (int i = 0; i < 3; ++i) CHECK(vault.List(caller, 4) == "ok");
  CHECK(vault.Read(caller) == "ok");
  vault.clock.Advance(3'600'000);
  CHECK(vault.ReadsOf(caller) == 3);
}

TEST_CASE("a list without data, and what writes, spends nothing and is not masked away") {
  Budgets vault;
  const auto caller = vault.With("[" + Limited(1) +
                                 R"(, {"actions": ["record.read", "record.list"],
                                       "view": "masked"}, {"actions": ["record.create"]}])");
  CHECK(vault.ReadsOf(caller) == 1);
  const auto listed =
      vault->records().ListRecords(vault.Again(caller), vault.client, "", false, {});
  REQUIRE(listed);
  CHECK(listed->items.size() == 4);
  CHECK(vault->records().CreateRecord(vault.Again(caller), vault.client, "file", RoleVault::Data(),
                                      {}));
}

TEST_CASE("a search needs plain sight of the field, by reading") {
  Budgets vault;
  const std::string search = R"({"actions": ["client.search"]})";
  const auto found = [&](const Caller& caller, const char* field,
                         const char* value) -> std::string {
    const auto hits =
        vault->searches().SearchByField(vault.Again(caller), "file", field, value, {});
    return hits ? std::to_string(hits->items.size()) : std::string(hits.error().reason);
  };
  const auto none = vault.With("[" + search + "]");
  CHECK(found(none, "note", "x") == "permission_denied");
  CHECK(found(none, "note", "y") == "permission_denied");
  const auto masked = vault.With("[" + search + R"(, {"actions": ["record.read"], "view": "masked"},
      {"actions": ["record.read"], "sensitivity": ["internal"]}])");
  CHECK(found(masked, "note", "x") == "4");
  CHECK(found(masked, "health", "asthma") == "permission_denied");
  CHECK(found(masked, "health", "none") == "permission_denied");
  const auto scoped = vault.With("[" + search + R"(, {"actions": ["record.read"],
      "scope": "assigned"}])");
  CHECK(found(scoped, "health", "asthma") == "0");
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vault.client, vault.principal, {}));
  CHECK(found(scoped, "health", "asthma") == "4");
  const auto spent = vault.With("[" + search + "," + Limited(1) + "]");
  CHECK(vault.ReadsOf(spent) == 1);
  CHECK(found(spent, "health", "asthma") == "budget_exhausted");
}

TEST_CASE("a search by what is not seen is granted by name, and counts against its budget") {
  Budgets vault;
  const auto caller = vault.With(R"([
      {"actions": ["client.search"], "search": "unseen", "fields": ["health"],
       "conditions": {"budget": {"hour": 6}}}, {"actions": ["record.read"], "view": "masked"}])");
  const auto found = [&](const char* field, const char* value,
                         std::size_t limit = 200) -> std::string {
    const auto hits =
        vault->searches().SearchByField(vault.Again(caller), "file", field, value, {limit, ""});
    return hits ? std::to_string(hits->items.size()) : std::string(hits.error().reason);
  };
  CHECK(found("note", "x") == "permission_denied");
  CHECK(found("health", "asthma") == "4");
  CHECK(found("health", "asthma") == "budget_exhausted");  // 4 and 4
  CHECK(found("health", "flu") == "0");                    // an answer, too
  CHECK(found("health", "asthma", 1) == "1");
  CHECK(found("health", "flu") == "budget_exhausted");
  const auto free = vault.With(R"([{"actions": ["client.search"], "search": "unseen"}])");
  for (int i = 0; i < 3; ++i) {
    CHECK(vault->searches()
              .SearchByField(vault.Again(free), "file", "health", "asthma", {})
              ->items.size() == 4);
  }
}

TEST_CASE("a reference is searched by who may search for every class, and is personal") {
  Budgets vault;
  const auto answer = [&](const std::string& member) {
    const auto caller = vault.With(R"([{"actions": ["client.search"])" + member + "}]");
    const auto hits = vault->searches().SearchByReference(vault.Again(caller), "A-1");
    return hits ? std::to_string(hits->items.size()) : std::string(hits.error().reason);
  };
  CHECK(answer("") == "1");
  CHECK(answer(R"(, "sensitivity": ["personal"])") == "1");
  for (const char* narrow : {R"(, "sensitivity": ["internal", "special"])",
                             R"(, "classes": ["file"])", R"(, "fields": ["note"])"}) {
    CHECK(answer(narrow) == "permission_denied");
  }
}

TEST_CASE("an export shows the client's reference as it shows what is personal") {
  Budgets vault;
  const auto reference = [&](const std::string& grants) {
    const auto caller = vault.With(grants);
    const auto page = vault->exports().Export(vault.Again(caller), {}, {});
    REQUIRE(page);
    return std::get<ClientInfo>(page->lines.at(0)).external_ref;
  };
  CHECK(reference(R"([{"actions": ["client.export"]}])") == "A-1");
  CHECK(reference(R"([{"actions": ["client.export"], "classes": ["file"]}])") == "A-1");
  CHECK(reference(R"([{"actions": ["client.export"], "view": "masked"}])") == "***");
  CHECK(reference(R"([{"actions": ["client.export"], "view": "presence"}])").empty());
  CHECK(reference(R"([{"actions": ["client.export"], "sensitivity": ["internal"]}])").empty());
  CHECK(reference(R"([{"actions": ["client.export"]},
      {"deny": true, "actions": ["client.export"], "sensitivity": ["personal"]}])")
            .empty());
}

}  // namespace
}  // namespace coffer::vault
