#include "vault/base/strict_json.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace coffer::vault {
namespace {

std::string AnswerTo(std::string_view text) {
  const auto parsed = ParseStrictJson(text);
  if (parsed) return "ok";
  CHECK(parsed.error().code == Code::kInvalidArgument);
  CHECK(parsed.error().detail.empty());
  CHECK(parsed.error().issues.empty());
  return std::string(parsed.error().reason);
}

std::string Nested(std::string_view open, std::string_view close, int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += "1";
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

TEST_CASE("every kind of JSON value is read as it stands") {
  const auto parsed = ParseStrictJson(
      " {\"a\": [null, true, false, 0, -1, 18446744073709551615, 1.5e3, \"\\u00e9\\n\"], "
      "\"b\": {\"c\": {}}, \"d\": []} ");
  REQUIRE(parsed);
  CHECK(parsed->dump() ==
        "{\"a\":[null,true,false,0,-1,18446744073709551615,1500.0,\"é\\n\"],\"b\":{\"c\":{}},"
        "\"d\":[]}");
  for (const char* scalar : {"null", "true", "0", "\"text\"", "[]", "{}"}) {
    CHECK(AnswerTo(scalar) == "ok");
  }
}

TEST_CASE("what RFC 8259 does not allow is refused") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "[1 2]",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "0x10",
                           "NaN",
                           "Infinity",
                           "-",
                           "True",
                           "nul",
                           "\"\n\"",
                           "\"\t\"",
                           "\"\\x41\"",
                           "\"\\u12\"",
                           "\"unfinished",
                           "{} {}",
                           "{}x",
                           "[] // comment",
                           "/* c */ []",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{1:2}",
                           "1e999",
                           "[,1]",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\""}) {
    INFO(text);
    CHECK(AnswerTo(text) == "json_invalid");
  }
  CHECK(AnswerTo("\"\\ud83d\\ude00\"") == "ok");  // a pair is a character
}

TEST_CASE("a member that is named twice is refused at any depth, however it is spelled") {
  CHECK(AnswerTo(R"({"a":1,"a":1})") == "json_duplicate_key");
  CHECK(AnswerTo(R"({"a":1,"\u0061":2})") == "json_duplicate_key");
  CHECK(AnswerTo(R"([{"x":{"a":1,"b":2,"a":{}}}])") == "json_duplicate_key");
  CHECK(AnswerTo(R"({"":1,"":2})") == "json_duplicate_key");
  CHECK(AnswerTo(R"({"a":{"a":{"a":1}},"b":{"a":1}})") == "ok");
  CHECK(AnswerTo(R"([{"a":1},{"a":1}])") == "ok");
  CHECK(AnswerTo(R"({"a":1,"A":2})") == "ok");
}

TEST_CASE("32 levels are read and 33 are not") {
  CHECK(AnswerTo(Nested("[", "]", kMaxJsonDepth)) == "ok");
  CHECK(AnswerTo(Nested("[", "]", kMaxJsonDepth + 1)) == "json_too_deep");
  CHECK(AnswerTo(Nested("{\"a\":", "}", kMaxJsonDepth)) == "ok");
  CHECK(AnswerTo(Nested("{\"a\":", "}", kMaxJsonDepth + 1)) == "json_too_deep");
  // Siblings do not add up.
  std::string wide = "[";
  for (int i = 0; i < 100; ++i) wide += "[[]],";
  CHECK(AnswerTo(wide + "[]]") == "ok");
}

TEST_CASE("a hundred thousand levels are refused at the 33rd") {
  CHECK(AnswerTo(std::string(100'000, '[')) == "json_too_deep");
  CHECK(AnswerTo(Nested("{\"a\":", "}", 100'000)) == "json_too_deep");
}

TEST_CASE("only clean UTF-8 is text") {
  struct Sequence {
    const char* what;
    std::string bytes;
    bool clean;
  };
  const Sequence sequences[] = {
      {"ASCII", "plain", true},
      {"U+0000", std::string(1, '\0'), false},
      {"U+0001", "\x01", true},
      {"U+007F", "\x7f", true},
      {"U+0080", "\xc2\x80", true},
      {"U+07FF", "\xdf\xbf", true},
      {"U+0800", "\xe0\xa0\x80", true},
      {"U+D7FF", "\xed\x9f\xbf", true},
      {"U+E000", "\xee\x80\x80", true},
      {"U+FFFF", "\xef\xbf\xbf", true},
      {"U+10000", "\xf0\x90\x80\x80", true},
      {"U+10FFFF", "\xf4\x8f\xbf\xbf", true},
      {"a lone continuation", "\x80", false},
      {"a last continuation", "\xbf", false},
      {"overlong slash, two bytes", "\xc0\xaf", false},
      {"overlong, C1", "\xc1\xbf", false},
      {"overlong slash, three bytes", "\xe0\x80\xaf", false},
      {"overlong U+07FF", "\xe0\x9f\xbf", false},
      {"overlong, four bytes", "\xf0\x80\x80\xaf", false},
      {"overlong U+FFFF", "\xf0\x8f\xbf\xbf", false},
      {"overlong U+0000", "\xc0\x80", false},
      {"the first surrogate", "\xed\xa0\x80", false},
      {"the last surrogate", "\xed\xbf\xbf", false},
      {"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80", false},
      {"beyond U+10FFFF", "\xf4\x90\x80\x80", false},
      {"F5", "\xf5\x80\x80\x80", false},
      {"five bytes", "\xf8\x88\x80\x80\x80", false},
      {"FE", "\xfe", false},
      {"FF", "\xff", false},
      {"cut after one of two", "\xc2", false},
      {"cut after two of three", "\xe2\x82", false},
      {"cut after three of four", "\xf0\x9f\x98", false},
      {"a continuation that is none", "\xc2\x41", false},
      {"three bytes with one wrong", "\xe2\x28\xa1", false},
      {"four bytes with the last wrong", "\xf0\x9f\x98\x41", false},
  };
  for (const auto& [what, bytes, clean] : sequences) {
    INFO(what);
    CHECK(IsCleanUtf8(bytes) == clean);
    CHECK(IsCleanUtf8("before " + bytes + " after") == clean);
    if (!clean) CHECK(AnswerTo("\"" + bytes + "\"") == "json_not_utf8");
  }
  CHECK(IsCleanUtf8(""));
}

TEST_CASE("what is written as a JSON string is read back as it was") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += "äß€😀\xc2\x80";
  std::string out = "x";
  AppendJsonString(out, all);
  const auto parsed = ParseStrictJson(std::string_view(out).substr(1));
  REQUIRE(parsed);
  CHECK(parsed->get<std::string>() == all);

  std::string escapes;
  AppendJsonString(escapes, "\"\\/\b\f\n\r\t\x01\x1f\x7f");
  CHECK(escapes == "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\"");
  std::string empty;
  AppendJsonString(empty, "");
  CHECK(empty == "\"\"");
}

TEST_CASE("a pointer escapes what would be taken for a step") {
  CHECK(PointerTo("", "a") == "/a");
  CHECK(PointerTo("/fields", "a/b") == "/fields/a~1b");
  CHECK(PointerTo("", "m~n") == "/m~0n");
  CHECK(PointerTo("", "~1") == "/~01");
  CHECK(PointerTo("", "") == "/");
  CHECK(PointerTo("/a~1b", "c") == "/a~1b/c");
  // What stands behind a pointer is found with it.
  const nlohmann::json document = {{"a/b", {{"m~n", 7}}}};
  CHECK(document.at(nlohmann::json::json_pointer(PointerTo(PointerTo("", "a/b"), "m~n"))) == 7);
}

}  // namespace
}  // namespace coffer::vault
