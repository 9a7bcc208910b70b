// What the documents of a class may hold.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/open_vault.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/class_schema.h"

namespace coffer::vault {
namespace {

using nlohmann::json;
using testing::IssuesOf;
using Strings = std::vector<std::string>;

ClassSchema ClassWithFields(const json& fields) {
  auto schema =
      ParseClass(json{{"name", "note"}, {"purposes", {"care"}}, {"fields", fields}}.dump());
  REQUIRE(schema);
  return *std::move(schema);
}

bool Takes(const json& field, const json& value) {
  const auto document = ParseDocument(ClassWithFields({{"f", field}}), {{"f", value}});
  if (document) return true;
  CHECK(document.error().code == Code::kUnprocessable);
  CHECK(document.error().reason == "document_invalid");
  REQUIRE(document.error().issues.size() == 1);
  CHECK(document.error().issues[0].pointer == "/f");
  CHECK(!document.error().issues[0].message.empty());
  return false;
}

// Values that a type takes, and values that it refuses.
void CheckType(const json& field, const std::vector<json>& taken,
               const std::vector<json>& refused) {
  for (const json& value : taken) {
    INFO(field.dump() << " should take " << value.dump().substr(0, 100));
    CHECK(Takes(field, value));
  }
  for (const json& value : refused) {
    INFO(field.dump() << " should refuse " << value.dump().substr(0, 100));
    CHECK(!Takes(field, value));
  }
}

json Type(const char* name) { return {{"type", name}}; }

std::string Umlauts(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "ä";
  return text;
}

TEST_CASE("a string is one line of at most 1,000 characters") {
  CheckType(Type("string"), {"", " ", "Ünïcödé «quoted»", "O'Neill; DROP TABLE", Umlauts(1000)},
            {Umlauts(1001), "two\nlines", "\u2028", "a\x7f", "tab\t", "carriage\r", "bell\x07",
             std::string("\0", 1), 1, true, nullptr, json::array(), json::object(), 1.5});
}

TEST_CASE("a text has lines and no other control characters, at most 65,536 characters") {
  CheckType(Type("text"), {"", "two\nlines\r\n\tindented", Umlauts(65'536)},
            {Umlauts(65'537), "bell\x07", "escape\x1b[0m", std::string("a\0b", 3), 1, nullptr,
             json::array({"a"})});
}

TEST_CASE("an integer is exact in every JSON reader") {
  CheckType(Type("integer"), {0, -1}, {1.0, 1.5, 1e300, "1", true, nullptr, json::array()});
  const auto takes = [](std::string_view text) {
    INFO(text);
    const auto value = ParseStrictJson(text);  // as a request brings it
    REQUIRE(value);
    return Takes(Type("integer"), *value);
  };
  for (const char* text : {"9007199254740991", "-9007199254740991", "-0"}) CHECK(takes(text));
  for (const char* text :
       {"9007199254740992", "-9007199254740992", "18446744073709551615", "-9223372036854775808",
        "123456789012345678901234567890", "1.0", "1e3"}) {
    CHECK(!takes(text));
  }
}

TEST_CASE("a decimal is text with one spelling of the number's digits") {
  CheckType(Type("decimal"),
            {"0", "-0", "1", "-1", "0.5", "10.50", "-12345678901234567890.123456789012345678",
             std::string(38, '9'), "0." + std::string(37, '1')},
            {"",
             "-",
             ".5",
             "5.",
             "+1",
             "01",
             "-00",
             "1,5",
             "1 000",
             "1e3",
             " 1",
             "1 ",
             "0x1",
             "1.2.3",
             "--1",
             "٣",
             "NaN",
             std::string(40, '9'),
             "0." + std::string(38, '1'),
             1,
             1.5,
             nullptr});
}

TEST_CASE("a decimal has at most 38 digits, with or without a point") {
  CHECK(!Takes(Type("decimal"), std::string(39, '9')));
}

TEST_CASE("a boolean is true or false and nothing that looks like it") {
  CheckType(Type("boolean"), {true, false}, {0, 1, "true", "", nullptr, json::array()});
}

TEST_CASE("a date is a day that exists") {
  CheckType(Type("date"), {"2026-01-31", "2024-02-29", "2000-02-29", "1899-12-31", "9999-12-31"},
            {"2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1",
             "26-01-01", "2026-01-01T00:00:00Z", "20260101", "2026/01/01", " 2026-01-01",
             "2026-01-01 ", "", "01.02.2026", 20260101, nullptr});
}

TEST_CASE("a date and time is RFC 3339") {
  CheckType(Type("datetime"),
            {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00",
             "2026-01-02t03:04:05z"},
            {"2026-01-02", "2026-01-02 03:04", "2026-01-02T03:04Z", "2026-02-30T00:00:00Z",
             "2026-01-02T24:00:00Z", "2026-01-02T03:04:05", "03:04:05Z", "", 0, nullptr});
}

TEST_CASE("an e-mail address has one @ with something on both sides") {
  CheckType(Type("email"),
            {"a@b", "jane.doe+tag@example.org", "Jörg@müller.example", "o'neill@example.org",
             " a@b", "a@b\u00a0", "mailto:a@b", std::string(244, 'a') + "@b.example"},
            {"", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a\u00a0b@c", "a\u200bb@c", "a@b c",
             "<a@b>", "a@b,c@d", "a@b;c@d", "\"a\"@b", "a@b\n", "a\t@b",
             std::string(245, 'a') + "@b.example", 1, nullptr});
}

TEST_CASE("an e-mail address holds no control characters") {
  CHECK(!Takes(Type("email"), "a\x01@example.org"));
  CHECK(!Takes(Type("email"), "a@example.org\x0b"));
}

TEST_CASE("a phone number is one number, and nothing that must be guessed") {
  const std::vector<json> refused = {"",
                                     "12",
                                     "call me",
                                     "+49 30 12q4567",
                                     "+1234567890123456",
                                     "++4930123456",
                                     "74955550120.0",
                                     "7.49556E+10",
                                     "+74955550120, +74955550121",
                                     "+7 495 5550120 (free)",
                                     "+7 495 5550120\n",
                                     "\u202e+74955550120",
                                     4930123456,
                                     nullptr,
                                     std::string(41, ' ')};
  CheckType(Type("phone"),
            {"+49 30 1234567", "0049 (30) 123-4567", "+1.212.555.0100", "030/1234567",
             "+420 2 4172 5555", "+49 30 1234567 ext 5", "tel:+74955550120",
             "\u202a+74955550120\u202c", "8 (495) 555-01-20", "4955550120"},
            refused);
  json russian = Type("phone");
  russian["region"] = "RU";
  CheckType(russian,
            {"8 (495) 555-01-20", "4955550120", "+49 30 1234567", "8-495-555-01-20 доб. 12"},
            refused);
  CheckType(russian, {"+7 495 555 01 20"}, {"555-01-20", "030/12345", "+7 495 555"});
}

TEST_CASE("what is in the way of a value is said, and the value is not") {
  const auto fault = [](const char* type, const char* value) {
    const auto schema = ClassWithFields({{"f", Type(type)}});
    return IssuesOf(ParseDocument(schema, {{"f", value}}));
  };
  CHECK(fault("phone", "8 800 555 01 20 (SENTINEL)") ==
        Strings{"/f must be one telephone number: letters at characters 18 to 25 are no part of a "
                "telephone number"});
  CHECK(fault("email", "x@example.org; SENTINEL@example.org") ==
        Strings{"/f must be one e-mail address: has a second address, from character 14 on"});
}

TEST_CASE("what older rules took may stay as it is") {
  const auto schema = ClassWithFields({{"mail", Type("email")}, {"phone", Type("phone")}});
  const json stored = {{"mail", "a\u00a0b@example.org"}, {"phone", "74955550120.0"}};
  CHECK_FALSE(ParseDocument(schema, stored));
  CHECK(ParseDocument(schema, stored, &stored));
  const json other = {{"mail", "a\u00a0b@example.com"}, {"phone", "74955550121.0"}};
  CHECK(IssuesOf(ParseDocument(schema, other, &stored)).size() == 2);
}

TEST_CASE("a number that one region has may stay, and is indexed, when the field gets another") {
  const auto schema_of = [](const char* region) {
    json phone = Type("phone");
    phone["index"] = true;
    if (*region != '\0') phone["region"] = region;
    return ClassWithFields({{"phone", phone}});
  };
  const char* const regions[] = {"", "RU", "US", "DE", "SH", "NU"};
  int moved = 0;
  for (const char* typed : {"8 (495) 555-01-20", "8-495-555-01-20 доб. 12", "4955550120",
                            "202-555-0120 x5", "030 12345", "62889", "4002", "8 10 49 30 12345678",
                            "+7 495 555-01-20 доб. 12", "00 44 20 7946 0120"}) {
    const json stored = {{"phone", typed}};
    for (const char* before : regions) {
      if (!ParseDocument(schema_of(before), stored)) continue;
      for (const char* now : regions) {
        INFO(typed << " from " << before << " to " << now);
        const auto document = ParseDocument(schema_of(now), stored, &stored);
        REQUIRE(document);
        REQUIRE(document->indexed.size() == 1);
        CHECK(document->indexed[0].normalised ==
              IndexedValues(schema_of(now), stored).at(0).normalised);
        if (!ParseDocument(schema_of(now), stored)) ++moved;
      }
    }
  }
  CHECK(moved > 0);
}

TEST_CASE("what is said of a text beforehand is what the vault says of it") {
  const char* const texts[] = {"text",
                               "two\nlines",
                               "bell\a",
                               "turned \u202e",
                               "marked \u202atext",
                               "10.50",
                               "2026-01-02",
                               "1",
                               "2026-01-02T10:00:00Z",
                               "a@example.org",
                               "a @x",
                               "mailto:a@b.org",
                               "\u00a0a@b.org",
                               "+7 495 555-01-20",
                               "8 (495) 555-01-20",
                               "4002",
                               "call me",
                               "\u202a+7 495 555-01-20\u202c",
                               "\u20667\u2069 495 555-01-20",
                               "\u202e+7 495 555-01-20",
                               "+7 495 555\u200b0120",
                               "",
                               "+7 495\u2028555 01 20"};
  json choice = Type("choice");
  choice["values"] = {"text", "1"};
  json russian = Type("phone");
  russian["region"] = "RU";
  for (const json& field :
       {Type("string"), Type("text"), Type("email"), Type("phone"), russian, Type("date"),
        Type("datetime"), Type("decimal"), choice, Type("list")}) {
    const auto schema = ClassWithFields({{"f", field}});
    for (const char* text : texts) {
      INFO(field.dump() << " " << text);
      const json value = field["type"] == "list" ? json::array({text}) : json(text);
      CHECK(FaultOfFieldText(schema.fields[0], text).empty() ==
            ParseDocument(schema, {{"f", value}}).has_value());
    }
  }
}

TEST_CASE("a choice is one of the values as they are spelled") {
  const json field = {{"type", "choice"}, {"values", {"email", "phone", "Brief"}}};
  CheckType(field, {"email", "phone", "Brief"},
            {"", "Email", "brief", "email ", "letter", 0, nullptr, json::array({"email"})});
}

TEST_CASE("a list holds at most 100 one-line texts") {
  CheckType(
      Type("list"),
      {json::array(), {"a"}, {"a", "a", ""}, json(100, "x"), json::array({Umlauts(1000)})},
      {json(101, "x"), json::array({1}), json::array({"a", nullptr}), json::array({json::array()}),
       json::array({"two\nlines"}), json::array({Umlauts(1001)}), "a", json::object(), nullptr});
}

TEST_CASE("a field's own limit counts characters, not bytes") {
  CheckType({{"type", "string"}, {"max_length", 3}}, {"", "abc", "äöü", "😀😀😀"},
            {"abcd", "äöüß"});
  CheckType({{"type", "text"}, {"max_length", 2}}, {"a\n"}, {"a\nb"});
  CheckType({{"type", "list"}, {"max_length", 2}}, {json{"ab", "cd"}}, {json{"ab", "cde"}});
  CheckType({{"type", "email"}, {"max_length", 5}}, {"a@b.c"}, {"a@b.cd"});
}

TEST_CASE("null is no way to say that a field is absent") {
  for (const char* type : {"string", "text", "integer", "decimal", "boolean", "date", "datetime",
                           "email", "phone", "list"}) {
    INFO(type);
    CHECK(!Takes(Type(type), nullptr));
  }
}

Strings IssuesIn(const ClassSchema& schema, const json& root) {
  const auto document = ParseDocument(schema, root);
  Strings issues;
  if (document) return issues;
  for (const auto& issue : document.error().issues) {
    issues.push_back(issue.pointer + " " + issue.message);
  }
  return issues;
}

TEST_CASE("nothing is kept that no class asks for, and what is required is there") {
  const auto schema = ClassWithFields(
      {{"a", {{"type", "string"}, {"required", true}}}, {"b", {{"type", "integer"}}}});
  CHECK(IssuesIn(schema, {{"a", "x"}}).empty());
  CHECK(IssuesIn(schema, {{"b", 1}}) == Strings{"/a is required"});
  CHECK(IssuesIn(schema, {{"a", "x"}, {"c", 1}}) == Strings{"/c is not a field of this class"});
  CHECK(IssuesIn(schema, {{"a", "x"}, {"A", 1}, {"x/y", 2}, {"m~n", 3}}) ==
        Strings{"/A is not a field of this class", "/m~0n is not a field of this class",
                "/x~1y is not a field of this class"});
  CHECK(IssuesIn(schema, {{"b", "one"}, {"z", 1}}) ==
        Strings{"/z is not a field of this class", "/a is required", "/b must be an integer"});
  for (const json& root : {json::array(), json("text"), json(nullptr), json(1)}) {
    CHECK(IssuesIn(schema, root) == Strings{" must be an object"});
  }
}

TEST_CASE("at most fifty issues are told, and none repeats a value") {
  const auto schema = ClassWithFields({{"a", {{"type", "date"}}}});
  json root = {{"a", "SENTINEL"}};
  for (int i = 0; i < 100; ++i) root["unknown" + std::to_string(i)] = "SENTINEL";
  const auto issues = IssuesIn(schema, root);
  CHECK(issues.size() == 50);
  for (const auto& issue : issues) CHECK(issue.find("SENTINEL") == std::string::npos);
}

TEST_CASE("a document is sealed as canonical JSON with a mask of the fields it has") {
  const auto schema = ClassWithFields({{"alpha", {{"type", "string"}}},
                                       {"beta", {{"type", "integer"}}},
                                       {"gamma", {{"type", "boolean"}}},
                                       {"omega", {{"type", "list"}}}});
  const auto document = ParseDocument(
      schema, *ParseStrictJson(R"({"omega": ["b","a"], "gamma":false, "alpha": "\u00e4\/"})"));
  REQUIRE(document);
  CHECK(document->json == "{\"alpha\":\"ä/\",\"gamma\":false,\"omega\":[\"b\",\"a\"]}");
  CHECK(document->fields == 0b1101);
  CHECK(schema.FieldNames(document->fields) == Strings{"alpha", "gamma", "omega"});
  const auto empty = ParseDocument(schema, json::object());
  REQUIRE(empty);
  CHECK(empty->json == "{}");
  CHECK(empty->fields == 0);
}

TEST_CASE("indexed values are normalised, and an empty one is not indexed") {
  const json index = true;
  const auto schema =
      ClassWithFields({{"city", {{"type", "string"}, {"index", index}}},
                       {"code", {{"type", "choice"}, {"values", {"A", "b"}}, {"index", index}}},
                       {"email", {{"type", "email"}, {"index", index}}},
                       {"phone", {{"type", "phone"}, {"index", index}}},
                       {"plain", {{"type", "string"}}}});
  const auto document = ParseDocument(schema, {{"city", "  São   PAULO "},
                                               {"code", "A"},
                                               {"email", "Jane@Example.ORG"},
                                               {"phone", "0049 (30) 123-4567"},
                                               {"plain", "not indexed"}});
  REQUIRE(document);
  REQUIRE(document->indexed.size() == 4);
  CHECK(document->indexed[0].field == "city");
  CHECK(document->indexed[0].normalised == "são paulo");
  CHECK(document->indexed[1].normalised == "A");
  CHECK(document->indexed[2].normalised == "jane@example.org");
  CHECK(document->indexed[3].normalised == "+49301234567");
  // The document keeps what was given, to the byte.
  CHECK(json::parse(document->json)["city"] == "  São   PAULO ");

  CHECK(ParseDocument(schema, {{"city", ""}})->indexed.empty());
  CHECK(ParseDocument(schema, {{"city", "   "}})->indexed.empty());
}

TEST_CASE("a document of more than 256 KiB is too large") {
  const auto schema = ClassWithFields(
      {{"a", {{"type", "text"}}}, {"b", {{"type", "text"}}}, {"c", {{"type", "text"}}}});
  std::string large;
  for (int i = 0; i < 65'536; ++i) large += "€";
  const auto document = ParseDocument(schema, {{"a", large}, {"b", large}});
  REQUIRE(!document);
  CHECK(document.error().code == Code::kTooLarge);
  CHECK(document.error().reason == "document_too_large");
  CHECK(ParseDocument(schema, {{"a", large}}));
}

}  // namespace
}  // namespace coffer::vault
