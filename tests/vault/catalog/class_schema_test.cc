// Definitions of classes. What their documents may hold: class_document_test.cc.
#include "vault/catalog/class_schema.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/open_vault.h"
#include "vault/catalog/purpose.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::IssuesOf;
using Strings = std::vector<std::string>;

// {"name": "note", "purposes": ["care"], "fields": {"text": {"type": "string"}}}
json Smallest() {
  return {{"name", "note"}, {"purposes", {"care"}}, {"fields", {{"text", {{"type", "string"}}}}}};
}

std::string ReadGolden(const std::string& name) {
  std::ifstream file(COFFER_SOURCE_DIR "/tests/golden/" + name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

json SchemaWith(const char* pointer, const json& value) {
  json definition = Smallest();
  definition[json::json_pointer(pointer)] = value;
  return definition;
}

json SchemaWithout(const char* member) {
  json definition = Smallest();
  definition.erase(member);
  return definition;
}

// Where the faults are.
Strings SchemaPointers(const json& definition) {
  const auto schema = ParseClass(definition.dump());
  if (schema) return {};
  CHECK(schema.error().code == Code::kUnprocessable);
  CHECK(schema.error().reason == "class_invalid");
  Strings pointers;
  for (const auto& issue : schema.error().issues) {
    CHECK(!issue.message.empty());
    pointers.push_back(issue.pointer);
  }
  return pointers;
}

TEST_CASE("a class has its fields in the order of their names, with what was said of each") {
  const auto schema = ParseClass(R"({
    "name": "contact", "title": "Contact", "purposes": ["care", "billing"],
    "retention": {"note": "later"},
    "fields": {
      "zip": {"type": "string", "max_length": 10},
      "email": {"type": "email", "required": true, "sensitivity": "special", "mask": "email",
                "index": true, "title": "E-mail"},
      "channel": {"type": "choice", "values": ["letter", "phone"], "mask": "none",
                  "sensitivity": "internal"}}})");
  REQUIRE(schema);
  CHECK(schema->name == "contact");
  CHECK(schema->version == 0);  // numbered when it is stored
  CHECK(schema->purposes == Strings{"billing", "care"});
  REQUIRE(schema->fields.size() == 3);
  const Field& channel = schema->fields[0];
  CHECK(channel.name == "channel");
  CHECK(channel.type == FieldType::kChoice);
  CHECK(channel.values == Strings{"letter", "phone"});
  CHECK(channel.mask == MaskRule::kNone);
  CHECK(channel.sensitivity == Sensitivity::kInternal);
  const Field& email = schema->fields[1];
  CHECK(email.required);
  CHECK(email.indexed);
  CHECK(email.normalisation == crypto::Normalisation::kEmail);
  CHECK(email.sensitivity == Sensitivity::kSpecial);
  CHECK(email.mask == MaskRule::kEmail);
  // What is not said is cautious.
  const Field& zip = schema->fields[2];
  CHECK(!zip.required);
  CHECK(!zip.indexed);
  CHECK(zip.sensitivity == Sensitivity::kPersonal);
  CHECK(zip.mask == MaskRule::kConstant);
  CHECK(zip.max_length == 10);
  CHECK(schema->Find("email") == &email);
  CHECK(schema->Find("e") == nullptr);
  CHECK(schema->Find("zzz") == nullptr);
}

TEST_CASE("a definition is kept as canonical JSON, so that spelling makes no new version") {
  const auto one = ParseClass(
      R"({"name":"note","purposes":["care"],"fields":{"a":{"type":"string"},"b":{"type":"date"}}})");
  const auto other = ParseClass(
      R"({ "fields" : {"b":{"type":"date"},
           "a":{"type":"\u0073tring"}}, "purposes":["care"], "name":"note"})");
  REQUIRE(one);
  REQUIRE(other);
  CHECK(one->definition == other->definition);
  const auto again = ParseClass(one->definition);
  REQUIRE(again);
  CHECK(again->definition == one->definition);
}

TEST_CASE("each type is known by its name and indexed by its own rule") {
  struct Row {
    const char* name;
    FieldType type;
    std::optional<crypto::Normalisation> index;
  };
  using crypto::Normalisation;
  const Row rows[] = {{"string", FieldType::kString, Normalisation::kText},
                      {"text", FieldType::kText, {}},
                      {"integer", FieldType::kInteger, {}},
                      {"decimal", FieldType::kDecimal, Normalisation::kText},
                      {"boolean", FieldType::kBoolean, {}},
                      {"date", FieldType::kDate, Normalisation::kText},
                      {"datetime", FieldType::kDateTime, Normalisation::kText},
                      {"email", FieldType::kEmail, Normalisation::kEmail},
                      {"phone", FieldType::kPhone, Normalisation::kPhone},
                      {"choice", FieldType::kChoice, Normalisation::kExact},
                      {"list", FieldType::kList, {}}};
  for (const Row& row : rows) {
    INFO(row.name);
    json field = {{"type", row.name}};
    if (row.type == FieldType::kChoice) field["values"] = {"a"};
    const auto plain = ParseClass(SchemaWith("/fields/text", field).dump());
    REQUIRE(plain);
    CHECK(plain->fields[0].type == row.type);
    field["index"] = true;
    const auto indexed = ParseClass(SchemaWith("/fields/text", field).dump());
    CHECK(indexed.has_value() == row.index.has_value());
    if (indexed) CHECK(indexed->fields[0].normalisation == *row.index);
    if (!indexed) CHECK(indexed.error().issues[0].pointer == "/fields/text/index");
  }
}

TEST_CASE("loose is an index of strings, and a region belongs to telephone numbers") {
  for (const char* type : {"string", "text", "integer", "decimal", "boolean", "date", "datetime",
                           "email", "phone", "choice", "list"}) {
    INFO(type);
    json field = {{"type", type}};
    if (field["type"] == "choice") field["values"] = {"a"};
    json loose = field;
    loose["index"] = "loose";
    const auto indexed = ParseClass(SchemaWith("/fields/text", loose).dump());
    CHECK(indexed.has_value() == (field["type"] == "string"));
    if (indexed) {
      CHECK(indexed->fields[0].indexed);
      CHECK(indexed->fields[0].normalisation == crypto::Normalisation::kLoose);
    } else {
      CHECK(indexed.error().issues[0].pointer == "/fields/text/index");
    }
    field["region"] = "RU";
    const auto of_region = ParseClass(SchemaWith("/fields/text", field).dump());
    CHECK(of_region.has_value() == (field["type"] == "phone"));
    if (of_region) {
      CHECK(of_region->fields[0].region == "RU");
    } else {
      CHECK(of_region.error().issues[0].pointer == "/fields/text/region");
    }
  }
  for (const json& region : {json("ru"), json("XX"), json("Russia"), json(""), json(7), json()}) {
    CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "phone"}, {"region", region}})) ==
          Strings{"/fields/text/region"});
  }
  for (const json& index : {json("strict"), json(""), json(1), json()}) {
    CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "string"}, {"index", index}})) ==
          Strings{"/fields/text/index"});
  }
}

TEST_CASE("a class with a region and a loose index is stored as it was") {
  const std::string golden = ReadGolden("class-v2.json");
  const auto schema = ParseClass(golden);
  REQUIRE(schema);
  CHECK(schema->definition == golden);
  CHECK(schema->Find("family")->normalisation == crypto::Normalisation::kLoose);
  CHECK(schema->Find("phone")->region == "RU");
  const auto document =
      ParseDocument(*schema, {{"family", "Щёткин"}, {"phone", "8 (495) 555-01-20"}});
  REQUIRE(document);
  CHECK(document->indexed[0].normalised == "щеткин");
  CHECK(document->indexed[1].normalised == "+74955550120");
  CHECK(json::parse(document->json)["phone"] == "8 (495) 555-01-20");
}

TEST_CASE("each sensitivity and each mask is known by its name") {
  const std::pair<const char*, Sensitivity> sensitivities[] = {{"internal", Sensitivity::kInternal},
                                                               {"personal", Sensitivity::kPersonal},
                                                               {"special", Sensitivity::kSpecial}};
  for (const auto& [name, value] : sensitivities) {
    const auto schema = ParseClass(SchemaWith("/fields/text/sensitivity", name).dump());
    REQUIRE(schema);
    CHECK(schema->fields[0].sensitivity == value);
  }
  const std::pair<const char*, MaskRule> masks[] = {
      {"none", MaskRule::kNone},         {"email", MaskRule::kEmail},
      {"phone", MaskRule::kPhone},       {"last-four", MaskRule::kLastFour},
      {"year", MaskRule::kYear},         {"initials", MaskRule::kInitials},
      {"constant", MaskRule::kConstant}, {"hash", MaskRule::kHash}};
  for (const auto& [name, value] : masks) {
    const auto schema = ParseClass(SchemaWith("/fields/text/mask", name).dump());
    REQUIRE(schema);
    CHECK(schema->fields[0].mask == value);
  }
}

TEST_CASE("each fault of a definition has an issue that points at it") {
  using V = Strings;
  CHECK(SchemaPointers(json::array()) == V{""});
  CHECK(SchemaPointers("text") == V{""});
  // Members of the class.
  CHECK(SchemaPointers(SchemaWithout("name")) == V{"/name"});
  CHECK(SchemaPointers(SchemaWith("/name", 7)) == V{"/name"});
  CHECK(SchemaPointers(SchemaWith("/name", "Note")) == V{"/name"});
  CHECK(SchemaPointers(SchemaWith("/name", "a_b")) == V{"/name"});
  CHECK(SchemaPointers(SchemaWith("/name", std::string(65, 'a'))) == V{"/name"});
  CHECK(SchemaPointers(SchemaWith("/title", 7)) == V{"/title"});
  CHECK(SchemaPointers(SchemaWith("/title", std::string(501, 'x'))) == V{"/title"});
  CHECK(SchemaPointers(SchemaWith("/retention", "forever")) == V{"/retention"});
  CHECK(SchemaPointers(SchemaWith("/owner", "me")) == V{"/owner"});
  CHECK(SchemaPointers(SchemaWith("/a~1b", 1)) == V{"/a~1b"});
  // Purposes.
  CHECK(SchemaPointers(SchemaWithout("purposes")) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", json::array())) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", "care")) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", {"care", 7})) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", {"Care"})) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", {"care", "billing", "care"})) == V{"/purposes"});
  CHECK(SchemaPointers(SchemaWith("/purposes", json(101, "care"))) == V{"/purposes"});
  // Fields.
  CHECK(SchemaPointers(SchemaWithout("fields")) == V{"/fields"});
  CHECK(SchemaPointers(SchemaWith("/fields", json::object())) == V{"/fields"});
  CHECK(SchemaPointers(SchemaWith("/fields", json::array({1}))) == V{"/fields"});
  CHECK(SchemaPointers(SchemaWith("/fields/Name", {{"type", "string"}})) == V{"/fields/Name"});
  CHECK(SchemaPointers(SchemaWith("/fields/a-b", {{"type", "string"}})) == V{"/fields/a-b"});
  CHECK(SchemaPointers(SchemaWith("/fields/1a", {{"type", "string"}})) == V{"/fields/1a"});
  CHECK(SchemaPointers(SchemaWith("/fields/a~1b", {{"type", "string"}})) == V{"/fields/a~1b"});
  CHECK(SchemaPointers(SchemaWith("/fields/text", "string")) == V{"/fields/text"});
  CHECK(SchemaPointers(SchemaWith("/fields/text", json::object())) == V{"/fields/text/type"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/type", "varchar")) == V{"/fields/text/type"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/type", 1)) == V{"/fields/text/type"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/required", 1)) == V{"/fields/text/required"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/index", "yes")) == V{"/fields/text/index"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/sensitivity", "secret")) ==
        V{"/fields/text/sensitivity"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/mask", "stars")) == V{"/fields/text/mask"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/title", json::array())) == V{"/fields/text/title"});
  CHECK(SchemaPointers(SchemaWith("/fields/text/default", "x")) == V{"/fields/text/default"});
  // Limits.
  for (const json& limit : {json(0), json(-1), json(1001), json("10"), json(1.5), json(nullptr)}) {
    CHECK(SchemaPointers(SchemaWith("/fields/text/max_length", limit)) ==
          V{"/fields/text/max_length"});
  }
  CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "email"}, {"max_length", 255}})) ==
        V{"/fields/text/max_length"});
  CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "text"}, {"max_length", 65'536}}))
            .empty());
  // Values belong to choices, and choices have values.
  CHECK(SchemaPointers(SchemaWith("/fields/text/values", {"a"})) == V{"/fields/text/values"});
  CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "choice"}})) ==
        V{"/fields/text/values"});
  for (const json& values :
       {json("a"), json::array(), json{"a", 1}, json(201, "a"), json{std::string(201, 'x')}}) {
    CHECK(SchemaPointers(SchemaWith("/fields/text", {{"type", "choice"}, {"values", values}})) ==
          V{"/fields/text/values"});
  }
}

TEST_CASE("a class may name the field whose date begins the time its records are kept") {
  json definition = SchemaWith("/fields/ended_on", {{"type", "date"}});
  definition["fields"]["seen_at"] = {{"type", "datetime"}};
  const auto silent = ParseClass(definition.dump());
  REQUIRE(silent);
  CHECK(silent->retention_date.empty());
  CHECK(silent->keep.empty());
  CHECK(silent->definition == definition.dump());  // as it was before there was such a member
  for (const char* field : {"ended_on", "seen_at"}) {
    definition["retention_date"] = field;
    const auto schema = ParseClass(definition.dump());
    REQUIRE(schema);
    CHECK(schema->retention_date == field);
    CHECK(schema->definition == definition.dump());
    CHECK(schema->definition != silent->definition);
  }
  for (const json& other : {json("text"), json("unknown"), json(""), json(7), json(nullptr),
                            json(std::string(501, 'x')), json::array({"ended_on"})}) {
    INFO(other.dump().substr(0, 50));
    definition["retention_date"] = other;
    CHECK(SchemaPointers(definition) == Strings{"/retention_date"});
  }
}

TEST_CASE("a class may say why its records are kept") {
  const auto schema = ParseClass(SchemaWith("/keep", "Evidence of consents.").dump());
  REQUIRE(schema);
  CHECK(schema->keep == "Evidence of consents.");
  CHECK(json::parse(schema->definition)["keep"] == "Evidence of consents.");
  for (const json& other :
       {json(""), json(true), json("two\nlines"), json(nullptr), json(std::string(501, 'x'))}) {
    CHECK(SchemaPointers(SchemaWith("/keep", other)) == Strings{"/keep"});
  }
}

TEST_CASE("the retention day of a document is the one its field names, in the value's own offset") {
  json definition = SchemaWith("/fields/at", {{"type", "date"}});
  definition["retention_date"] = "at";
  const auto by_date = ParseClass(definition.dump());
  definition["fields"]["at"]["type"] = "datetime";
  const auto by_time = ParseClass(definition.dump());
  const auto without = ParseClass(Smallest().dump());
  REQUIRE(by_date);
  REQUIRE(by_time);
  REQUIRE(without);
  CHECK(RetentionDay(*by_date, {{"at", "1970-01-01"}}) == 0);
  CHECK(RetentionDay(*by_date, {{"at", "1969-12-31"}}) == -1);
  CHECK(RetentionDay(*by_date, {{"at", "2024-02-29"}, {"text", "x"}}) == 19'782);
  CHECK(RetentionDay(*by_time, {{"at", "1970-01-02T23:30:00Z"}}) == 1);
  CHECK(RetentionDay(*by_time, {{"at", "1970-01-02T00:30:00.5+02:00"}}) == 1);
  CHECK(RetentionDay(*by_time, {{"at", "1970-01-02t23:30:00-11:00"}}) == 1);
  for (const json& document :
       {json::object(), json{{"text", "2024-02-29"}}, json{{"at", 7}}, json{{"at", nullptr}},
        json{{"at", ""}}, json{{"at", "2023-02-29"}}, json::array({"at"}), json(nullptr)}) {
    INFO(document.dump());
    CHECK(RetentionDay(*by_date, document) == std::nullopt);
  }
  CHECK(RetentionDay(*without, {{"at", "1970-01-01"}}) == std::nullopt);
}

TEST_CASE("all faults are told at once, and at most fifty") {
  CHECK(SchemaPointers(
            {{"name", "N"}, {"purposes", 1}, {"fields", {{"a", 1}, {"b", 2}}}, {"x", 1}}) ==
        Strings{"/x", "/name", "/purposes", "/fields/a", "/fields/b"});
  json many = Smallest();
  for (int i = 0; i < 300; ++i) many["unknown" + std::to_string(i)] = 1;
  CHECK(SchemaPointers(many).size() == 50);
}

TEST_CASE("messages and pointers repeat no value") {
  const auto schema = ParseClass(
      R"({"name": "SENTINEL-1", "title": ["SENTINEL-2"], "purposes": ["SENTINEL-3"],
          "fields": {"a": {"type": "SENTINEL-4", "mask": "SENTINEL-5", "values": "SENTINEL-6"}}})");
  REQUIRE(!schema);
  for (const auto& issue : IssuesOf(schema)) CHECK(issue.find("SENTINEL") == std::string::npos);
}

TEST_CASE("a class has at most 62 fields, which fit one mask") {
  json definition = Smallest();
  definition["fields"].clear();
  for (int i = 0; i < 62; ++i) {
    definition["fields"]["f" + std::to_string(100 + i)] = {{"type", "string"}};
  }
  const auto schema = ParseClass(definition.dump());
  REQUIRE(schema);
  CHECK(schema->FieldNames((std::int64_t{1} << 62) - 1).size() == 62);
  CHECK(schema->FieldNames(std::int64_t{1} << 61) == Strings{"f161"});
  CHECK(schema->FieldNames(5) == Strings{"f100", "f102"});
  CHECK(schema->FieldNames(0).empty());
  definition["fields"]["f999"] = {{"type", "string"}};
  CHECK(SchemaPointers(definition) == Strings{"/fields"});
}

TEST_CASE("bits beyond the fields of a class name nothing") {
  const auto schema = ParseClass(Smallest().dump());
  REQUIRE(schema);
  CHECK(schema->FieldNames(-1) == Strings{"text"});
}

TEST_CASE("a definition that is no JSON, or too large, keeps that reason") {
  CHECK(ParseClass("{").error().reason == "json_invalid");
  CHECK(ParseClass(R"({"name":"a","name":"b"})").error().reason == "json_duplicate_key");
  std::string large = Smallest().dump();
  large.append(kMaxDocumentBytes, ' ');
  CHECK(ParseClass(large).error().reason == "document_too_large");
}

TEST_CASE("a class allows the purposes it names and no part of one") {
  const auto schema = ParseClass(SchemaWith("/purposes", {"client-care", "billing"}).dump());
  REQUIRE(schema);
  CHECK(schema->AllowsPurpose("billing"));
  CHECK(schema->AllowsPurpose("client-care"));
  for (const char* other : {"", "client", "client-care2", "Billing", "marketing"}) {
    CHECK(!schema->AllowsPurpose(other));
  }
}

TEST_CASE("every class and purpose that is shipped can be used together") {
  std::set<std::string> purposes;
  for (const auto& file : fs::directory_iterator(COFFER_SOURCE_DIR "/deploy/purposes")) {
    INFO(file.path().string());
    const std::string code = file.path().stem().string();
    const auto purpose = ParsePurpose(code, testing::ReadShippedFile("purposes/" + code + ".json"));
    REQUIRE(purpose);
    CHECK(!purpose->owner.empty());
    CHECK(!purpose->description.empty());
    purposes.insert(code);
  }
  CHECK(purposes.contains("client-care"));
  std::set<std::string> classes;
  for (const auto& file : fs::directory_iterator(COFFER_SOURCE_DIR "/deploy/classes")) {
    INFO(file.path().string());
    const std::string name = file.path().stem().string();
    const auto schema = ParseClass(testing::ReadShippedFile("classes/" + name + ".json"));
    REQUIRE(schema);
    CHECK(schema->name == name);
    for (const auto& purpose : schema->purposes) {
      INFO(purpose);
      CHECK(purposes.contains(purpose));
    }
    for (const Field& field : schema->fields) {
      INFO(field.name);
      // What is most sensitive is not shown as it is to whoever sees only masks.
      if (field.sensitivity == Sensitivity::kSpecial) CHECK(field.mask != MaskRule::kNone);
    }
    classes.insert(name);
  }
  for (const char* needed :
       {"contact", "interaction", "agreement", "complaint", "consent-note", "payment-detail"}) {
    CHECK(classes.contains(needed));
  }
}

}  // namespace
}  // namespace coffer::vault
