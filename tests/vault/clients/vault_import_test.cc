// Imports: one client by reference and one record of it, safe to repeat.
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kJane = {{"last_name", "Doe"}, {"city", "Berlin"}};
const json kMoved = {{"last_name", "Doe"}, {"city", "Bern"}};

class ImportingVault : public TestVault {
 public:
  Result<ImportResult> Import(const std::string& ref, const json& data,
                              const std::string& key = {}) {
    return (*this)->imports().ImportRecord(As(kCrmService), {ref, "contact", key, data});
  }
  // "created", "updated", "unchanged", or the reason why not.
  std::string Outcome(const std::string& ref, const json& data, const std::string& key = {}) {
    const auto imported = Import(ref, data, key);
    return imported ? std::string(Name(imported->outcome)) : AnswerOf(imported);
  }
  std::int64_t Clients() { return Number("SELECT count(*) FROM clients"); }
  std::int64_t Records() { return Number("SELECT count(*) FROM records"); }
};

TEST_CASE("an import makes the client and the record, updates it, and leaves it as it is") {
  ImportingVault vault;
  const auto first = vault.Import("A-1", kJane);
  REQUIRE(first);
  CHECK(first->outcome == ImportOutcome::kCreated);
  const auto same = vault.Import("A-1", kJane);
  REQUIRE(same);
  CHECK(same->outcome == ImportOutcome::kUnchanged);
  const auto changed = vault.Import("A-1", kMoved);
  REQUIRE(changed);
  CHECK(changed->outcome == ImportOutcome::kUpdated);
  for (const auto& later : {same, changed}) {
    CHECK(later->client == first->client);
    CHECK(later->record == first->record);
  }
  const auto read = vault->records().GetRecord(vault.As(kCrmService), first->client, first->record);
  REQUIRE(read);
  CHECK(read->data == kMoved.dump());
  CHECK(read->version == 2);
  CHECK(vault->clients().GetClient(vault.As(kCrmService), first->client)->external_ref == "A-1");
  CHECK(vault->records()
            .GetRecordVersion(vault.As(kCrmService), first->client, first->record, 1)
            ->data == kJane.dump());
  CHECK(vault.Clients() == 1);
  CHECK(vault.Records() == 1);
  vault.CheckInvariants();
}

TEST_CASE("what is no field of the class is refused of a new record as of one that is there") {
  ImportingVault vault;
  for (const auto& [reference, value] : std::map<std::string, json>{{"A", nullptr}, {"B", "x"}}) {
    CAPTURE(reference);
    const std::int64_t before = vault.Records();
    json patch = kJane;
    patch["nope"] = value;
    const auto is_new = vault.Import(reference, patch);
    REQUIRE_FALSE(is_new);
    CHECK(is_new.error().reason == "document_invalid");
    CHECK(vault.Records() == before);
    REQUIRE(vault.Import(reference, kJane));
    const auto is_there = vault.Import(reference, patch);
    REQUIRE_FALSE(is_there);
    CHECK(is_there.error().issues.front().pointer == is_new.error().issues.front().pointer);
    REQUIRE(vault.Import(reference, {{"city", nullptr}}));  // of a field it is a change
  }
  vault.CheckInvariants();
}

TEST_CASE("an import finds the client that exists already, and its own records only") {
  ImportingVault vault;
  const ClientId client = vault.NewClient("A-1", {"vip"});
  const RecordId by_hand = vault.NewContact(client, kJane);
  const auto imported = vault.Import("A-1", kJane);
  REQUIRE(imported);
  CHECK(imported->client == client);
  CHECK(imported->record != by_hand);
  CHECK(imported->outcome == ImportOutcome::kCreated);
  CHECK(vault->clients().GetClient(vault.As(kCrmService), client)->tags == Strings{"vip"});
  vault.CheckInvariants();
}

TEST_CASE("a record key tells several records of one client apart") {
  ImportingVault vault;
  CHECK(vault.Outcome("A-1", kJane, "home") == "created");
  CHECK(vault.Outcome("A-1", kJane, "work") == "created");
  CHECK(vault.Outcome("A-1", kJane) == "created");
  CHECK(vault.Outcome("A-1", kMoved, "work") == "updated");
  CHECK(vault.Outcome("A-1", kJane, "home") == "unchanged");
  CHECK(vault.Records() == 3);
  // However reference and key are cut, other pairs are other records.
  CHECK(vault.Outcome("A-1h", kJane, "ome") == "created");
  CHECK(vault.Outcome("A", kJane, "-1home") == "created");
  CHECK(vault.Clients() == 3);
  vault.CheckInvariants();
}

TEST_CASE("what is wrong with a row is told, and the row makes nothing") {
  ImportingVault vault;
  const auto bad = vault.Import("A-1", {{"city", 1}});
  REQUIRE(!bad);
  CHECK(bad.error().reason == "document_invalid");
  CHECK(IssuesOf(bad) == Strings{"/city must be text", "/last_name is required"});
  for (const std::string& ref : {std::string(), std::string(201, 'x'), std::string("\xff")}) {
    CHECK(vault.Outcome(ref, kJane) == "import_invalid");
  }
  CHECK(vault.Outcome("A-1", kJane, std::string(201, 'x')) == "import_invalid");
  CHECK(vault.Outcome("A-1", kJane, "\xff") == "import_invalid");
  const auto unknown =
      vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "nonsense", "", kJane});
  CHECK(AnswerOf(unknown) == "class_unknown");
  CHECK(vault.Clients() == 0);
  CHECK(vault.Outcome(std::string(200, 'x'), kJane, std::string(200, 'y')) == "created");
  vault.CheckInvariants();
}

TEST_CASE("an import leaves an entry for the record, and one for a client that it made") {
  ImportingVault vault;
  auto caller = vault.As(kCrmService);
  const auto made = vault->imports().ImportRecord(caller, {"A-1", "contact", "", kJane});
  REQUIRE(made);
  const json about = {{"action", "record.import"},
                      {"class", "contact"},
                      {"client", made->client.Text()},
                      {"fields", {"city", "last_name"}},
                      {"record", made->record.Text()}};
  json imported = vault.Allowed(kCrmService, about);
  imported.update({{"version", 1}, {"payload_hash", vault.PayloadHash(made->record)}});
  CHECK(vault.EntriesOf(caller) ==
        std::vector<json>{
            vault.Allowed(kCrmService, {{"action", "client.create"},
                                        {"client", made->client.Text()},
                                        {"fields", {"external_ref"}},
                                        {"version", 1},
                                        {"payload_hash", vault.ProfileHash(made->client)}}),
            imported});
  caller = vault.As(kCrmService);
  CHECK(vault->imports().ImportRecord(caller, {"A-1", "contact", "", kJane}));
  json unchanged = vault.Allowed(kCrmService, about);
  unchanged.update({{"outcome", "unchanged"}, {"version", 1}});
  CHECK(vault.EntryOf(caller) == unchanged);
  caller = vault.As(kCrmService);
  CHECK(vault->imports().ImportRecord(caller, {"A-1", "contact", "", kMoved}));
  imported.update({{"version", 2},
                   {"payload_hash", vault.PayloadHash(made->record)},
                   {"fields", {"city"}}});  // what it changed
  CHECK(vault.EntryOf(caller) == imported);
}

TEST_CASE("an import after the record was deleted, or the client erased, begins anew") {
  ImportingVault vault;
  const auto first = vault.Import("A-1", kJane);
  REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), first->client, first->record, {}));
  const auto second = vault.Import("A-1", kJane);
  REQUIRE(second);
  CHECK(second->outcome == ImportOutcome::kCreated);
  CHECK(second->client == first->client);
  CHECK(second->record != first->record);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), first->client, {}));
  CHECK(AnswerOf(vault.Import("A-1", kJane)) == "erased_before");
  const auto third =
      vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "contact", "", kJane, true});
  REQUIRE(third);
  CHECK(third->outcome == ImportOutcome::kCreated);
  CHECK(third->client != first->client);
  vault.CheckInvariants();
}

TEST_CASE("a reference that went to another client takes no record of the first one along") {
  ImportingVault vault;
  const auto first = vault.Import("A-1", kJane);
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), first->client, 1, {"B-1", {}}));
  const auto second = vault.Import("A-1", kJane);
  REQUIRE(second);
  CHECK(second->client != first->client);
  CHECK(second->outcome == ImportOutcome::kCreated);
  CHECK(vault.Outcome("A-1", kJane) == "unchanged");
  CHECK(vault.Outcome("A-1", kMoved) == "updated");
  CHECK(vault->records().GetRecord(vault.As(kCrmService), first->client, first->record)->data ==
        kJane.dump());
  vault.CheckInvariants();
}

TEST_CASE(
    "a client whose reference changed is imported under the new one without a second record") {
  ImportingVault vault;
  const auto first = vault.Import("A-1", kJane);
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), first->client, 1, {"B-1", {}}));
  const auto again = vault.Import("B-1", kJane);
  REQUIRE(again);
  CHECK(again->client == first->client);
  CHECK(again->outcome == ImportOutcome::kUnchanged);
  CHECK(vault.Records() == 1);
}

TEST_CASE("many imports of one reference at once make one client and one record a key") {
  ImportingVault vault;
  std::vector<std::string> outcomes(12);
  {
    std::vector<std::jthread> importers;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      importers.emplace_back([&vault, &outcomes, i] {
        outcomes[i] = vault.Outcome("A-1", kJane, i % 2 == 0 ? "even" : "odd");
      });
    }
  }
  CHECK(std::ranges::count(outcomes, "created") == 2);
  CHECK(std::ranges::count(outcomes, "unchanged") == 10);
  CHECK(vault.Clients() == 1);
  CHECK(vault.Records() == 2);
  vault.CheckInvariants();
}

TEST_CASE("an import needs a role, a purpose, and one that the class allows") {
  ImportingVault vault;
  vault.PutPurpose("statistics");
  const auto answer = [&](Caller caller) {
    return AnswerOf(vault->imports().ImportRecord(caller, {"A-1", "contact", "", kJane}));
  };
  CHECK(answer(vault.As(kCaseWorker)) == "permission_denied");
  CHECK(answer(vault.As(kAdministrator)) == "permission_denied");
  CHECK(answer(vault.As(kCrmService, "")) == "purpose_required");
  CHECK(answer(vault.As(kCrmService, "nonsense")) == "purpose_unknown");
  CHECK(answer(vault.As(kCrmService, "statistics")) == "purpose_not_allowed");
  CHECK(answer(TestVault::Stranger()) == "unauthenticated");
  CHECK(vault.Clients() == 0);
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
