// Updates of records across the versions of their class, by who may not write all of a record: what
// is not theirs stays, and nothing tells whether it is there.
#include "vault/clients/record_update.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

// What a version of the class says of the field that is not the caller's, in the order of how much
// it allows; nothing: it has no such field.
struct FieldDefinition {
  const char* name;
  json field;
};
const FieldDefinition kDefinitions[] = {
    {"absent", {}},
    {"short", {{"type", "string"}, {"max_length", 10}}},
    {"long", {{"type", "string"}, {"max_length", 20}}},
    {"any", {{"type", "string"}}},
    {"required", {{"type", "string"}, {"required", true}}},
    {"email", {{"type", "email"}}},
    {"one", {{"type", "choice"}, {"values", {"a@b.example"}}}},
    {"two", {{"type", "choice"}, {"values", {"a@b.example", "c"}}}},
};

json ClassOfOneField(const json& field, std::string_view sensitivity) {
  json definition = {{"name", "note"},
                     {"purposes", {"client-care"}},
                     {"fields", {{"text", {{"type", "string"}, {"sensitivity", "internal"}}}}}};
  if (!field.is_null()) {
    definition["fields"]["hidden"] = field;
    definition["fields"]["hidden"]["sensitivity"] = sensitivity;
  }
  return definition;
}

ClassSchema SchemaOf(const json& field) {
  auto schema = ParseClass(ClassOfOneField(field, "special").dump());
  REQUIRE(schema);
  return *schema;
}

// All that the one may hold, the other may hold: said by hand.
bool GoesOver(std::string_view written, std::string_view newest) {
  static const std::map<std::string, std::set<std::string, std::less<>>, std::less<>> kInto = {
      {"absent", {"absent", "short", "long", "any", "email", "one", "two"}},
      {"short", {"short", "long", "any"}},
      {"long", {"long", "any"}},
      {"any", {"any"}},
      {"required", {"any", "required"}},
      {"email", {"email"}},
      {"one", {"one", "two"}},
      {"two", {"two"}},
  };
  return kInto.at(std::string(written)).contains(newest);
}

FieldViews ViewsWith(const ClassSchema& schema, View hidden) {
  std::vector<View> views(schema.fields.size(), View::kPlain);
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (schema.fields[i].name == "hidden") views[i] = hidden;
  }
  return views;
}

// A caller who reads and writes what is internal and nothing else.
class PartialVault : public TestVault {
 public:
  PartialVault() {
    REQUIRE((*this)->roles().PutRole(
        As(kAdministrator), "partial",
        R"({"grants": [{"actions": ["record.create", "record.read", "record.update",
                                    "record.delete", "record.erase"],
                        "sensitivity": ["internal"]}]})"));
    const auto made = NewTokenFor("partial", 3600);
    REQUIRE(made);
    token_ = made->secret;
  }
  Caller Partial() { return Stranger(token_); }

 private:
  std::string token_;
};

}  // namespace

TEST_CASE("an update takes the newest class where all that is not the caller's goes over into it") {
  for (const FieldDefinition& written : kDefinitions) {
    for (const FieldDefinition& newest : kDefinitions) {
      for (const View before : {View::kNone, View::kPresence, View::kMasked, View::kPlain}) {
        for (const View after : {View::kNone, View::kPresence, View::kMasked, View::kPlain}) {
          INFO(written.name << " to " << newest.name << ", seen as " << static_cast<int>(before)
                            << " and " << static_cast<int>(after));
          const ClassSchema old = SchemaOf(written.field), now = SchemaOf(newest.field);
          const UpdateTerms terms =
              UpdateTermsOf(old, ViewsWith(old, before), now, ViewsWith(now, after));
          const bool is_callers = (written.field.is_null() || before == View::kPlain) &&
                                  (newest.field.is_null() || after == View::kPlain);
          CHECK(terms.newest == (is_callers || GoesOver(written.name, newest.name)));
          const ClassSchema& schema = terms.newest ? now : old;
          const bool has = schema.Find("hidden") != nullptr;
          CHECK(terms.writable.has_value() == (has && !is_callers));
          if (terms.writable) {
            CHECK(terms.writable == ViewsWith(schema, View::kNone));
          }
        }
      }
    }
  }
}

TEST_CASE("what is not the caller's survives every change of the class, and nobody is told of it") {
  PartialVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto full = [&] { return vault.As(kCrmService); };
  for (const FieldDefinition& written : kDefinitions) {
    for (const FieldDefinition& newest : kDefinitions) {
      INFO(written.name << " to " << newest.name);
      vault.PutClass(ClassOfOneField(written.field, "special"));
      json with = {{"text", "one"}}, without = with;
      if (!written.field.is_null()) with["hidden"] = "a@b.example";
      if (std::string_view(written.name) == "short") with["hidden"] = "a@b.ex";
      if (std::string_view(written.name) == "required") without = with;
      std::vector<RecordId> records;
      for (const json& data : {with, without}) {
        const auto made = vault->records().CreateRecord(full(), client, "note", data, {});
        INFO((made ? "" : json(IssuesOf(made)).dump()));
        REQUIRE(made);
        records.push_back(made->id);
      }
      vault.PutClass(ClassOfOneField(newest.field, "special"));
      std::vector<std::string> answers;
      for (const RecordId& record : records) {
        std::string answer;
        for (const json& data : {json{{"text", "two"}}, json{{"text", "two"}, {"hidden", "x"}},
                                 json{{"text", "two"}, {"nonsense", 1}}, json{{"text", 1}}}) {
          const Caller caller = vault.Partial();
          const auto updated = vault->records().UpdateRecord(caller, client, record, 1, data);
          answer += AnswerOf(updated);
          if (updated) answer += " " + std::to_string(updated->class_version) + updated->data;
          for (const auto& issue : IssuesOf(updated)) answer += " " + issue;
          answer += "\n";
          // Only the first is one that can be stored, and then it is.
          if (updated) CHECK(vault.EntryOf(caller).at("fields") == json{"text"});
        }
        answers.push_back(answer);
      }
      CHECK(answers[0] == answers[1]);
      CHECK(answers[0].starts_with("ok "));
      for (std::size_t i = 0; i < records.size(); ++i) {
        json expected = i == 0 ? with : without;
        expected["text"] = "two";
        const auto read = vault->records().GetRecord(full(), client, records[i]);
        REQUIRE(read);
        CHECK(json::parse(read->data) == expected);
        // Deleting and erasing tell nothing either: the class of each version may have it.
        const auto schema = vault->classes().GetClass(full(), "note", read->class_version);
        REQUIRE(schema);
        const bool has = (*schema)->Find("hidden") != nullptr;
        const bool had = has || !written.field.is_null();
        CHECK(AnswerOf(vault->erasures().Erase(vault.Partial(), client,
                                               {ErasureBasis::kRequest, {}, {records[i]}})) ==
              (had ? "field_not_writable" : "ok"));
        if (!had) continue;
        CHECK(AnswerOf(vault->records().DeleteRecord(vault.Partial(), client, records[i], {})) ==
              (has ? "field_not_writable" : "ok"));
      }
    }
  }
}

TEST_CASE(
    "who writes and sees everything takes a record to the newest class, or is told what is wrong") {
  PartialVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.PutClass(ClassOfOneField({{"type", "string"}}, "special"));
  const RecordId record = vault.NewRecord(client, "note", {{"text", "one"}, {"hidden", "x"}});
  vault.PutClass(ClassOfOneField({{"type", "email"}}, "special"));
  const auto update = [&](std::uint64_t version, const json& data) {
    return vault->records().UpdateRecord(vault.As(kCrmService), client, record, version, data);
  };
  CHECK(IssuesOf(update(1, {{"text", "two"}, {"hidden", "x"}})) ==
        Strings{"/hidden must be one e-mail address: has no '@'"});
  REQUIRE(update(1, {{"text", "two"}, {"hidden", "a@b.example"}}));
  CHECK(vault->records().GetRecord(vault.As(kCrmService), client, record)->class_version == 2);
  vault.PutClass(ClassOfOneField({}, "special"));
  REQUIRE(update(2, {{"text", "two"}}));
  CHECK(vault->records().GetRecord(vault.As(kCrmService), client, record)->class_version == 3);
}

TEST_CASE("a record that an update leaves as it is keeps its version, and the log says so") {
  PartialVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.PutClass(ClassOfOneField({{"type", "string"}}, "special"));
  const RecordId record = vault.NewRecord(client, "note", {{"text", "one"}, {"hidden", "x"}});
  const auto stored = vault.PayloadHash(record);
  vault.clock.Advance(1000);
  for (const bool partial : {false, true}) {
    const Caller caller = partial ? vault.Partial() : vault.As(kCrmService);
    json data = {{"text", "one"}};
    if (!partial) data["hidden"] = "x";
    const auto same = vault->records().UpdateRecord(caller, client, record, 1, data);
    REQUIRE(same);
    CHECK(same->version == 1);
    CHECK(same->updated == same->created);
    CHECK(vault.PayloadHash(record) == stored);
    const auto entry = vault.EntryOf(caller);
    CHECK(entry.at("outcome") == "unchanged");
    CHECK(entry.at("version") == 1);
    CHECK_FALSE(entry.contains("fields"));
    CHECK_FALSE(entry.contains("payload_hash"));
  }
  // Under another class it is stored anew, although no field changes.
  vault.PutClass(ClassOfOneField({{"type", "string"}, {"index", true}}, "special"));
  const auto caller = vault.As(kCrmService);
  const auto anew =
      vault->records().UpdateRecord(caller, client, record, 1, {{"text", "one"}, {"hidden", "x"}});
  REQUIRE(anew);
  CHECK(anew->version == 2);
  CHECK(anew->class_version == 2);
  CHECK_FALSE(vault.EntryOf(caller).contains("fields"));
  vault.CheckInvariants();
}

TEST_CASE("a record that stays under an older class is found and due by the newest one") {
  PartialVault vault;
  json definition = ClassOfOneField({{"type", "string"}}, "special");
  for (const char* name : {"begun", "ended"}) {
    definition["fields"][name] = {{"type", "date"}, {"sensitivity", "internal"}};
  }
  definition["retention_date"] = "begun";
  vault.PutClass(definition);
  const ClientId client = vault.NewClient("A-1");
  json document = {
      {"text", "roe"}, {"hidden", "h"}, {"begun", "2020-01-01"}, {"ended", "2021-01-01"}};
  const RecordId record = vault.NewRecord(client, "note", document);
  definition["fields"].erase("hidden");
  definition["fields"]["text"]["index"] = true;
  definition["retention_date"] = "ended";
  vault.PutClass(definition);
  for (bool more = true; more;) {
    const auto stepped = vault->index_builder().Step();
    REQUIRE(stepped);
    more = *stepped;
  }
  document.erase("hidden");
  document["text"] = "moe";
  document["ended"] = "2022-01-01";
  const auto updated = vault->records().UpdateRecord(vault.Partial(), client, record, 1, document);
  INFO(AnswerOf(updated));
  REQUIRE(updated);
  CHECK(updated->class_version == 1);
  const auto found = [&](const char* text) {
    const auto page =
        vault->searches().SearchByField(vault.As(kCrmService), "note", "text", text, {});
    INFO(AnswerOf(page));
    REQUIRE(page);
    return page->items.size();
  };
  CHECK(found("moe") == 1);
  CHECK(found("roe") == 0);
  CHECK(vault.Number("SELECT coalesce(retention_rule, class_version) FROM records WHERE id = ?",
                     record.Row()) == 2);
  CHECK(vault.Number("SELECT retention_day FROM records WHERE id = ?", record.Row()) ==
        *ParseDay("2022-01-01"));
}

}  // namespace coffer::vault
