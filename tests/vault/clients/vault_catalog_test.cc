// Classes and purposes, and what their change means for records.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

json ClassWith(const json& fields, const json& purposes = {"client-care"}) {
  return {{"name", "note"}, {"purposes", purposes}, {"fields", fields}};
}
const json kOne = ClassWith({{"a", {{"type", "string"}}}});
const json kTwo = ClassWith({{"b", {{"type", "integer"}, {"required", true}}}});

TEST_CASE("a class is stored in versions, each readable") {
  TestVault vault;
  auto caller = vault.As(kAdministrator);
  const auto first = vault->classes().PutClass(caller, "note", kOne.dump());
  REQUIRE(first);
  CHECK((*first)->version == 1);
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kAdministrator,
                      {{"action", "class.write"},
                       {"class", "note"},
                       {"version", 1},
                       {"payload_hash", crypto::HexEncode(crypto::Sha256(
                                            crypto::AsBytes((*first)->definition)))}}));
  const auto second = vault->classes().PutClass(vault.As(kAdministrator), "note", kTwo.dump());
  REQUIRE(second);
  CHECK((*second)->version == 2);
  vault.Close();
  vault.Open();
  const auto get = [&](std::optional<std::uint64_t> version) {
    return vault->classes().GetClass(vault.As(kCaseWorker), "note", version);
  };
  CHECK((*get({}))->definition == kTwo.dump());
  CHECK((*get(1))->definition == kOne.dump());
  CHECK((*get(2))->version == 2);
  for (const std::uint64_t none : {std::uint64_t{0}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    CHECK(AnswerOf(get(none)) == "not_found");
  }
  CHECK(AnswerOf(vault->classes().GetClass(vault.As(kCaseWorker), "nonsense", {})) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a definition that changes nothing keeps its version") {
  TestVault vault;
  vault.PutClass(kOne);
  const auto caller = vault.As(kAdministrator);
  const auto same = vault->classes().PutClass(caller, "note", "  " + kOne.dump(2));
  REQUIRE(same);
  CHECK((*same)->version == 1);
  CHECK(vault.EntryOf(caller) == vault.Allowed(kAdministrator, {{"action", "class.write"},
                                                                {"class", "note"},
                                                                {"outcome", "unchanged"},
                                                                {"version", 1}}));
  CHECK(vault.Number("SELECT count(*) FROM classes WHERE name = 'note'") == 1);
  // Going back to an older definition is a new version.
  vault.PutClass(kTwo);
  CHECK((*vault->classes().PutClass(vault.As(kAdministrator), "note", kOne.dump()))->version == 3);
}

TEST_CASE("a class is refused with the place of its fault, and the refusal is logged") {
  TestVault vault;
  const auto put = [&](const char* name, const json& definition) {
    return vault->classes().PutClass(vault.As(kAdministrator), name, definition.dump());
  };
  CHECK(IssuesOf(put("other", kOne)) == Strings{"/name must be the name in the path"});
  CHECK(IssuesOf(
            put("note", ClassWith({{"a", {{"type", "string"}}}}, {"client-care", "nonsense"}))) ==
        Strings{"/purposes names a purpose that is not registered"});
  CHECK(AnswerOf(put("note", json::object())) == "class_invalid");
  CHECK(AnswerOf(vault->classes().PutClass(vault.As(kAdministrator), "note", "{")) ==
        "json_invalid");
  CHECK(AnswerOf(vault->classes().PutClass(vault.As(kAdministrator), "note",
                                           std::string(kMaxDocumentBytes + 1, ' '))) ==
        "document_too_large");
  const auto caller = vault.As(kAdministrator);
  CHECK(!vault->classes().PutClass(caller, "note", "{}"));
  CHECK(vault.EntryOf(caller) == vault.Denied(kAdministrator, {{"action", "class.write"},
                                                               {"rule", "check:input"},
                                                               {"outcome", "class_invalid"}}));
  CHECK(AnswerOf(vault->classes().GetClass(vault.As(kCaseWorker), "note", {})) == "not_found");
  CHECK(AnswerOf(vault->classes().PutClass(vault.As(kPrivacyOfficer), "note", kOne.dump())) ==
        "permission_denied");
  vault.CheckInvariants();
}

TEST_CASE("all classes are listed by name in their newest version") {
  TestVault vault;
  vault.PutClass(kOne);
  vault.PutClass(kTwo);
  const auto caller = vault.As(kCaseWorker, "");
  const auto classes = vault->classes().ListClasses(caller);
  REQUIRE(classes);
  Strings names;
  for (const auto& schema : *classes) names.push_back(schema->name);
  CHECK(names == Strings{"agreement", "complaint", "consent-note", "contact", "interaction", "note",
                         "payment-detail"});
  CHECK((*classes)[5]->version == 2);
  json entry = vault.Allowed(kCaseWorker, {{"action", "class.read"}});
  entry.erase("purpose");
  CHECK(vault.EntryOf(caller) == entry);
}

TEST_CASE("a record keeps the class version that it was written with, and stays readable") {
  TestVault vault;
  vault.PutClass(kOne);
  const ClientId client = vault.NewClient("A-1");
  const RecordId id = vault.NewRecord(client, "note", {{"a", "first"}});
  vault.PutClass(kTwo);
  const auto get = [&] { return vault->records().GetRecord(vault.As(kCrmService), client, id); };
  CHECK(get()->class_version == 1);
  CHECK(get()->data == R"({"a":"first"})");
  const auto update = [&](std::uint64_t version, const json& data) {
    return vault->records().UpdateRecord(vault.As(kCrmService), client, id, version, data);
  };
  CHECK(IssuesOf(update(1, {{"a", "second"}})) ==
        Strings{"/a is not a field of this class", "/b is required"});
  const auto changed = update(1, {{"b", 2}});
  REQUIRE(changed);
  CHECK(changed->class_version == 2);
  // The log names the fields of each version by its own class version.
  auto caller = vault.As(kCrmService);
  const auto old = vault->records().GetRecordVersion(caller, client, id, 1);
  REQUIRE(old);
  CHECK(old->class_version == 1);
  CHECK(old->data == R"({"a":"first"})");
  CHECK(vault.EntryOf(caller).at("fields") == json{"a"});
  caller = vault.As(kCrmService);
  CHECK(vault->records().GetRecord(caller, client, id));
  CHECK(vault.EntryOf(caller).at("fields") == json{"b"});
  const auto versions = vault->records().ListVersions(vault.As(kCrmService), client, id);
  REQUIRE(versions);
  CHECK((*versions)[0].class_version == 1);
  CHECK((*versions)[1].class_version == 2);
  vault.CheckInvariants();
}

TEST_CASE("a repeated creation names the class version that it was made with") {
  TestVault vault;
  vault.PutClass(kOne);
  const ClientId client = vault.NewClient("A-1");
  const auto create = [&] {
    return vault->records().CreateRecord(vault.As(kCrmService), client, "note", json::object(),
                                         {"key", "body"});
  };
  const auto made = create();
  REQUIRE(made);
  vault.PutClass(ClassWith({{"b", {{"type", "integer"}}}}));
  REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), client, made->id, 1, {{"b", 1}}));
  const auto again = create();
  REQUIRE(again);
  CHECK(again->class_version == 1);
}

TEST_CASE("a creation that is repeated after its class changed gets the same answer") {
  TestVault vault;
  vault.PutClass(kOne);
  const ClientId client = vault.NewClient("A-1");
  const auto create = [&] {
    return vault->records().CreateRecord(vault.As(kCrmService), client, "note", {{"a", "x"}},
                                         {"key", "body"});
  };
  const auto made = create();
  REQUIRE(made);
  vault.PutClass(kTwo);  // would refuse the document now
  const auto again = create();
  REQUIRE(again);
  CHECK(again->id == made->id);
}

TEST_CASE("a record is touched only for a purpose of its class") {
  TestVault vault;
  vault.PutClass(ClassWith({{"a", {{"type", "string"}}}}, {"billing"}));
  const ClientId client = vault.NewClient("A-1");
  const auto billing = [&] { return vault.As(kCrmService, "billing"); };
  const auto care = [&] { return vault.As(kCrmService, "client-care"); };
  const auto caller = care();
  CHECK(AnswerOf(vault->records().CreateRecord(caller, client, "note", {{"a", "x"}}, {})) ==
        "purpose_not_allowed");
  CHECK(vault.EntryOf(caller) == vault.Denied(kCrmService, {{"action", "record.create"},
                                                            {"client", client.Text()},
                                                            {"rule", "check:class-purpose"},
                                                            {"outcome", "purpose_not_allowed"}}));
  const auto made = vault->records().CreateRecord(billing(), client, "note", {{"a", "x"}}, {});
  REQUIRE(made);
  const RecordId id = made->id;
  const RecordId contact = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(AnswerOf(vault->records().GetRecord(care(), client, id)) == "purpose_not_allowed");
  CHECK(AnswerOf(vault->records().GetRecordVersion(care(), client, id, 1)) ==
        "purpose_not_allowed");
  CHECK(AnswerOf(vault->records().ListVersions(care(), client, id)) == "purpose_not_allowed");
  CHECK(AnswerOf(vault->records().UpdateRecord(care(), client, id, 1, {{"a", "y"}})) ==
        "purpose_not_allowed");
  CHECK(AnswerOf(vault->records().DeleteRecord(care(), client, id, {})) == "purpose_not_allowed");
  CHECK(AnswerOf(vault->records().ListRecords(care(), client, "note", true, {})) ==
        "purpose_not_allowed");
  // In a list over all classes it is not there for that purpose.
  const auto list = vault->records().ListRecords(care(), client, "", true, {});
  REQUIRE(list);
  REQUIRE(list->items.size() == 1);
  CHECK(list->items[0].id == contact);
  CHECK(vault->records().ListRecords(billing(), client, "", true, {})->items.size() == 2);
  CHECK(vault->records().GetRecord(billing(), client, id)->data == R"({"a":"x"})");
  CHECK(vault->records().DeleteRecord(billing(), client, id, 1));
  vault.CheckInvariants();
}

TEST_CASE("a record is validated again when its class changed on the way to the engine") {
  TestVault vault;
  vault.PutClass(kOne);
  const ClientId client = vault.NewClient("A-1");
  const auto change_class_to = [&](const json& definition) {
    vault.clock.Interrupt([&vault, definition] { vault.PutClass(definition); });
  };
  // Good for the class that was read, not for the one that is now.
  change_class_to(kTwo);
  const auto refused =
      vault->records().CreateRecord(vault.As(kCrmService), client, "note", {{"a", "x"}}, {});
  CHECK(IssuesOf(refused) == Strings{"/a is not a field of this class", "/b is required"});
  // Good for both: written under the one that is now.
  const json both = ClassWith({{"b", {{"type", "integer"}}}, {"c", {{"type", "string"}}}});
  change_class_to(both);
  const auto caller = vault.As(kCrmService);
  const auto made = vault->records().CreateRecord(caller, client, "note", {{"b", 1}}, {});
  REQUIRE(made);
  CHECK(made->class_version == 3);
  const auto entries = vault.EntriesOf(caller);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].at("outcome") == "class_changed");
  CHECK(!entries[0].contains("payload_hash"));
  CHECK(entries[1].at("outcome") == "ok");
  vault.CheckInvariants();
}

TEST_CASE("a record whose purpose was taken from its class on the way is refused") {
  TestVault vault;
  vault.PutClass(kOne);
  const ClientId client = vault.NewClient("A-1");
  vault.clock.Interrupt(
      [&] { vault.PutClass(ClassWith({{"a", {{"type", "string"}}}}, {"billing"})); });
  CHECK(AnswerOf(vault->records().CreateRecord(vault.As(kCrmService), client, "note", {{"a", "x"}},
                                               {})) == "purpose_not_allowed");
  CHECK(vault.Number("SELECT count(*) FROM records") == 0);
}

TEST_CASE("an import whose class changed on the way makes nothing of the old class") {
  TestVault vault;
  vault.PutClass(kOne);
  vault.clock.Interrupt([&] { vault.PutClass(kTwo); });
  const json data = {{"a", "x"}};
  const auto imported =
      vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "note", "", data});
  CHECK(!imported);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  CHECK(vault.KeyCount() == 0);
  vault.CheckInvariants();
}

TEST_CASE("records that are written while their class changes fit the version they name") {
  TestVault vault;
  const json odd = ClassWith({{"a", {{"type", "string"}}}, {"x", {{"type", "string"}}}});
  const json even = ClassWith({{"a", {{"type", "string"}}}, {"y", {{"type", "string"}}}});
  vault.PutClass(odd);
  const ClientId client = vault.NewClient("A-1");
  const RecordId updated = vault.NewRecord(client, "note", json::object());
  std::atomic<bool> done{false};
  std::atomic<int> unexpected{0};
  std::atomic<int> written{0};
  {
    const std::jthread changing([&] {
      // On a busy machine no document may meet its class for a while.
      for (int i = 0; i < 120 || (written == 0 && i < 1000); ++i) {
        const json& next = i % 2 == 0 ? even : odd;
        if (!vault->classes().PutClass(vault.As(kAdministrator), "note", next.dump())) ++unexpected;
      }
      done = true;
    });
    std::vector<std::jthread> writers;
    for (int t = 0; t < 3; ++t) {
      writers.emplace_back([&, t] {
        const auto expected = [](const std::string& answer) {
          return answer == "ok" || answer == "document_invalid" || answer == "class_changed" ||
                 answer == "version_mismatch";
        };
        std::uint64_t version = 1;
        for (int i = 0; !done; ++i) {
          const json data = {{i % 2 == 0 ? "x" : "y", "value"}};
          if (t == 0) {
            const auto result = vault->records().UpdateRecord(vault.As(kCrmService), client,
                                                              updated, version, data);
            if (result) version = result->version;
            if (!expected(AnswerOf(result))) ++unexpected;
          } else {
            const auto result =
                vault->records().CreateRecord(vault.As(kCrmService), client, "note", data, {});
            if (!expected(AnswerOf(result))) ++unexpected;
            if (result) ++written;
          }
        }
      });
    }
  }
  CHECK(unexpected == 0);
  CHECK(written > 0);
  const auto check = [&](const Result<RecordInfo>& record) {
    REQUIRE(record);
    const auto schema =
        vault->classes().GetClass(vault.As(kCrmService), "note", record->class_version);
    REQUIRE(schema);
    INFO(record->data << " in version " << record->class_version);
    CHECK(ParseDocument(**schema, json::parse(record->data)));
  };
  PageRequest page{200, {}};
  do {
    const auto list =
        vault->records().ListRecords(vault.As(kCrmService), client, "note", false, page);
    REQUIRE(list);
    for (const auto& item : list->items) {
      check(vault->records().GetRecord(vault.As(kCrmService), client, item.id));
    }
    page.cursor = list->next_cursor;
  } while (!page.cursor.empty());
  const auto versions = vault->records().ListVersions(vault.As(kCrmService), client, updated);
  REQUIRE(versions);
  for (const auto& version : *versions) {
    check(
        vault->records().GetRecordVersion(vault.As(kCrmService), client, updated, version.version));
  }
  vault.CheckInvariants();
}

TEST_CASE("a purpose is registered, changed and listed") {
  TestVault vault;
  auto caller = vault.As(kPrivacyOfficer);
  const auto put = vault->purposes().PutPurpose(
      caller, "statistics",
      R"({"title": "Statistics", "legal_basis": "public-task", "owner": "Me"})");
  REQUIRE(put);
  CHECK(put->code == "statistics");
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kPrivacyOfficer,
                      {{"action", "purpose.write"},
                       {"detail", "statistics"},
                       {"payload_hash",
                        crypto::HexEncode(crypto::Sha256(crypto::AsBytes(FormatPurpose(*put))))}}));
  vault.Close();
  vault.Open();
  CHECK(vault->purposes().GetPurpose(vault.As(kAuditor), "statistics")->owner == "Me");
  vault.PutPurpose("statistics");
  CHECK(vault->purposes().GetPurpose(vault.As(kAuditor), "statistics")->owner.empty());
  CHECK(AnswerOf(vault->purposes().GetPurpose(vault.As(kAuditor), "nonsense")) == "not_found");
  Strings codes;
  const auto purposes = vault->purposes().ListPurposes(vault.As(kCaseWorker));
  REQUIRE(purposes);
  for (const auto& purpose : *purposes) codes.push_back(purpose.code);
  CHECK(std::ranges::is_sorted(codes));
  CHECK(codes.size() == 8);
  vault.CheckInvariants();
}

TEST_CASE("a purpose counts from the commit of its registration on") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService, "statistics"), client)) ==
        "purpose_unknown");
  vault.PutPurpose("statistics");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService, "statistics"), client)) == "ok");
}

TEST_CASE("a purpose is refused with the place of its fault") {
  TestVault vault;
  CHECK(
      IssuesOf(vault->purposes().PutPurpose(vault.As(kAdministrator), "statistics", "{}")).size() ==
      2);
  CHECK(AnswerOf(vault->purposes().PutPurpose(vault.As(kAdministrator), "Bad Code",
                                              R"({"title": "x", "legal_basis": "consent"})")) ==
        "purpose_invalid");
  const auto caller = vault.As(kAdministrator);
  CHECK(!vault->purposes().PutPurpose(caller, "SENTINEL", "SENTINEL"));
  CHECK(vault.EntryOf(caller) == vault.Denied(kAdministrator, {{"action", "purpose.write"},
                                                               {"rule", "check:input"},
                                                               {"outcome", "json_invalid"}}));
  CHECK(AnswerOf(vault->purposes().PutPurpose(vault.As(kCrmService), "statistics",
                                              R"({"title": "x", "legal_basis": "consent"})")) ==
        "permission_denied");
}

}  // namespace
}  // namespace coffer::vault
