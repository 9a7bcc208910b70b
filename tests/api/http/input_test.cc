#include "api/http/input.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using vault::Action;

// One request about reading a record, as its handler sees it.
class InputTest : public ApiCalls {
 public:
  InputTest() { call.caller = As(Role::kCrmService); }
  Input Of(Action action = Action::kRecordRead) { return Input(service_, call, action); }
  template <class T>
  std::string AnswerOf(const Result<T>& result) {
    return testing::AnswerOf(result);
  }
  Call call;

 private:
  const Service service_{*this->operator->(), {}};
};

TEST_CASE("a decimal number has one spelling and a bound") {
  CHECK(ParseDecimal("0", 10) == 0U);
  CHECK(ParseDecimal("10", 10) == 10U);
  CHECK(ParseDecimal("9007199254740992", std::uint64_t{1} << 53) == std::uint64_t{1} << 53);
  CHECK(ParseDecimal("9999999999999999999", ~std::uint64_t{0}) == 9999999999999999999U);
  for (const char* text : {"", "11", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e1", "0x1", "a",
                           "10000000000000000000", "99999999999999999999999", "\xd9\xa3"}) {
    INFO(text);
    const auto refused = ParseDecimal(text, 10);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kInvalidArgument);
    CHECK(refused.error().reason == "parameter_invalid");
  }
}

TEST_CASE("If-Match is one strong entity tag of ours, or matches nothing") {
  InputTest test;
  const auto required = test.Of().IfMatch(true);
  REQUIRE(!required);
  CHECK(required.error().code == Code::kPreconditionRequired);
  CHECK(required.error().reason == "if_match_required");
  CHECK(*test.Of().IfMatch(false) == std::nullopt);
  test.call.if_match = "\"17\"";
  CHECK(*test.Of().IfMatch(true) == 17U);
  CHECK(*test.Of().IfMatch(false) == 17U);
  for (const char* tag :
       {"17", "W/\"17\"", "*", "\"\"", "\"", "\"17", "17\"", "\"017\"", "\"-1\"", "\"17\", \"18\"",
        "\"a\"", "\" 17\"", "\"99999999999999999999\"", "\"9007199254740993\"", "'17'"}) {
    INFO(tag);
    test.call.if_match = tag;
    for (const bool needed : {true, false}) {
      const auto refused = test.Of().IfMatch(needed);
      REQUIRE(!refused);
      CHECK(refused.error().code == Code::kPreconditionFailed);
      CHECK(refused.error().reason == "version_mismatch");
    }
  }
}

TEST_CASE("ids are taken from the path, and a malformed one is not found and logged so") {
  InputTest test;
  const auto client = test.NewClient("A-1");
  const auto record = test.NewContact(client, {{"last_name", "Doe"}});
  test.call.segments = {client.Text(), record.Text()};
  Input input = test.Of();
  CHECK(input.Client() == client);
  CHECK(input.Record() == record);

  test.call.segments = {client.Text(), "rec_nonsense"};
  Input half = test.Of();
  CHECK(half.Client());
  CHECK(test.AnswerOf(half.Record()) == "not_found");
  CHECK(test.EntryOf(test.call.caller) ==
        test.Denied(Role::kCrmService, {{"action", "record.read"},
                                        {"client", client.Text()},
                                        {"rule", "check:input"},
                                        {"outcome", "not_found"}}));
  test.call.caller = test.As(Role::kCrmService);
  test.call.segments = {"SENTINEL", record.Text()};
  CHECK(test.AnswerOf(test.Of().Client()) == "not_found");
  CHECK(!test.EntryOf(test.call.caller).contains("client"));
}

TEST_CASE("a body is a JSON object of known members") {
  InputTest test;
  const auto object = [&](const std::string& body) {
    test.call.body = body;
    return test.Of().Object({"a", "b"});
  };
  CHECK(object(R"({"a": 1})")->at("a") == 1);
  CHECK(object("{}")->empty());
  CHECK(test.AnswerOf(object("")) == "body_required");
  CHECK(test.AnswerOf(object("{")) == "json_invalid");
  CHECK(test.AnswerOf(object(R"({"a":1,"a":2})")) == "json_duplicate_key");
  CHECK(test.AnswerOf(object("\"\xff\"")) == "json_not_utf8");
  CHECK(test.AnswerOf(object(std::string(40, '['))) == "json_too_deep");
  const auto array = object("[]");
  REQUIRE(!array);
  CHECK(array.error().reason == "request_invalid");
  CHECK(testing::IssuesOf(array) == std::vector<std::string>{" must be an object"});
  CHECK(testing::IssuesOf(object(R"({"a":1,"c":2,"d/e":3})")) ==
        std::vector<std::string>{"/c is not a known member", "/d~1e is not a known member"});
}

TEST_CASE("members are of their type") {
  InputTest test;
  const json object = {{"text", "x"},     {"number", 7}, {"negative", -7}, {"fraction", 1.5},
                       {"null", nullptr}, {"empty", ""}, {"blank", " \t"}, {"flag", true}};
  const auto text = [&](const char* name, bool required) {
    return test.Of().Text(object, name, required);
  };
  CHECK(text("text", true) == "x");
  for (const bool required : {true, false}) {
    CHECK(testing::IssuesOf(text("empty", required)) ==
          std::vector<std::string>{"/empty must not be empty"});
    CHECK(testing::IssuesOf(text("blank", required)) ==
          std::vector<std::string>{"/blank must not be empty"});
  }
  CHECK(test.Of().AnyText(object, "empty") == "");
  CHECK(text("missing", false) == "");
  CHECK(testing::IssuesOf(text("missing", true)) ==
        std::vector<std::string>{"/missing is required"});
  for (const char* name : {"number", "null", "flag"}) {
    for (const bool required : {true, false}) {
      CHECK(testing::IssuesOf(text(name, required)) ==
            std::vector<std::string>{"/" + std::string(name) + " must be text"});
    }
  }
  // As a request brings them: what is positive is unsigned.
  const auto parsed = vault::ParseStrictJson(object.dump());
  const auto number = [&](const char* name) { return test.Of().Number(*parsed, name); };
  CHECK(number("number").value() == std::optional<std::uint64_t>(7));
  CHECK(number("missing").value() == std::optional<std::uint64_t>());
  for (const char* name : {"negative", "fraction", "text", "null", "flag"}) {
    CHECK(test.AnswerOf(number(name)) == "request_invalid");
  }
}

TEST_CASE("a page has a limit within bounds and a cursor as it was given") {
  InputTest test;
  CHECK(test.Of().Page()->limit == 50);
  CHECK(test.Of().Page()->cursor.empty());
  for (const auto& [text, limit] : {std::pair("1", 1U), std::pair("200", 200U)}) {
    test.call.query = {{"limit", text}, {"cursor", "abc"}};
    CHECK(test.Of().Page()->limit == limit);
    CHECK(test.Of().Page()->cursor == "abc");
  }
  for (const char* text : {"0", "201", "-1", "ten", "1e2", "050"}) {
    INFO(text);
    test.call.query = {{"limit", text}};
    CHECK(test.AnswerOf(test.Of().Page()) == "parameter_invalid");
  }
}

TEST_CASE("who may not ask is not told what was wrong with the question") {
  InputTest test;
  test.call.caller = test.As(Role::kAdministrator);
  test.call.body = "{";
  CHECK(test.AnswerOf(test.Of().Object({})) == "permission_denied");
  test.call.caller = test.As(Role::kCrmService, "");
  CHECK(test.AnswerOf(test.Of().Object({})) == "purpose_required");
  test.call.caller = InputTest::Stranger();
  CHECK(test.AnswerOf(test.Of().Object({})) == "unauthenticated");
  CHECK(test.EntryOf(test.call.caller).at("rule") == "check:authentication");
}

}  // namespace
}  // namespace coffer::api
