#include "vault/catalog/purpose.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/open_vault.h"

namespace coffer::vault {
namespace {

using nlohmann::json;
using testing::IssuesOf;
using PurposeStrings = std::vector<std::string>;

const json kGood = {{"title", "Client care"}, {"legal_basis", "contract"}};

PurposeStrings PurposePointers(std::string_view code, const std::string& text) {
  const auto purpose = ParsePurpose(code, text);
  REQUIRE(!purpose);
  CHECK(purpose.error().code == Code::kUnprocessable);
  CHECK(purpose.error().reason == "purpose_invalid");
  PurposeStrings pointers;
  for (const auto& issue : purpose.error().issues) {
    CHECK(!issue.message.empty());
    pointers.push_back(issue.pointer);
  }
  return pointers;
}

json PurposeWith(const char* name, const json& value) {
  json changed = kGood;
  changed[name] = value;
  return changed;
}

json PurposeWithout(const char* name) {
  json changed = kGood;
  changed.erase(name);
  return changed;
}

TEST_CASE("a purpose is read with all of its members, and written so that it is read again") {
  const auto purpose = ParsePurpose("client-care",
                                    R"({"code": "client-care", "title": "Pflege «für» alle",
                       "legal_basis": "legitimate-interests", "owner": "Head of \"services\"",
                       "description": "Why.\nAnd how."})");
  REQUIRE(purpose);
  CHECK(purpose->code == "client-care");
  CHECK(purpose->title == "Pflege «für» alle");
  CHECK(purpose->legal_basis == "legitimate-interests");
  CHECK(purpose->owner == "Head of \"services\"");
  CHECK(purpose->description == "Why.\nAnd how.");
  const std::string text = FormatPurpose(*purpose);
  CHECK(json::parse(text).size() == 5);
  const auto again = ParsePurpose("client-care", text);
  REQUIRE(again);
  CHECK(FormatPurpose(*again) == text);
}

TEST_CASE("what is optional may be left out, and then is not written") {
  const auto purpose = ParsePurpose("billing", kGood.dump());
  REQUIRE(purpose);
  CHECK(FormatPurpose(*purpose) ==
        R"({"code":"billing","legal_basis":"contract","title":"Client care"})");
}

TEST_CASE("each legal basis of GDPR Article 6(1) is known, and no other") {
  for (const char* basis : {"consent", "contract", "legal-obligation", "vital-interests",
                            "public-task", "legitimate-interests"}) {
    CHECK(ParsePurpose("p", PurposeWith("legal_basis", basis).dump()));
  }
  for (const char* basis : {"", "Consent", "consent ", "legitimate interests", "none"}) {
    CHECK(PurposePointers("p", PurposeWith("legal_basis", basis).dump()) ==
          PurposeStrings{"/legal_basis"});
  }
}

TEST_CASE("each fault of a purpose has an issue that points at it") {
  CHECK(PurposePointers("p", PurposeWithout("title").dump()) == PurposeStrings{"/title"});
  CHECK(PurposePointers("p", PurposeWithout("legal_basis").dump()) ==
        PurposeStrings{"/legal_basis"});
  CHECK(PurposePointers("p", PurposeWith("title", "").dump()) == PurposeStrings{"/title"});
  CHECK(PurposePointers("p", PurposeWith("owner", 7).dump()) == PurposeStrings{"/owner"});
  CHECK(PurposePointers("p", PurposeWith("description", nullptr).dump()) ==
        PurposeStrings{"/description"});
  CHECK(PurposePointers("p", PurposeWith("owner", std::string(2001, 'x')).dump()) ==
        PurposeStrings{"/owner"});
  CHECK(PurposePointers("p", PurposeWith("re/tention", "x").dump()) ==
        PurposeStrings{"/re~1tention"});
  CHECK(PurposePointers("p", PurposeWith("code", "q").dump()) == PurposeStrings{"/code"});
  CHECK(PurposePointers("p", "{}") == PurposeStrings{"/title", "/legal_basis"});
  CHECK(PurposePointers("p", "[]") == PurposeStrings{""});
  CHECK(PurposePointers("Not a code", kGood.dump()) == PurposeStrings{""});
  CHECK(ParsePurpose("p", PurposeWith("owner", std::string(2000, 'x')).dump()));
}

TEST_CASE("a purpose that is no JSON keeps the parser's reason") {
  CHECK(ParsePurpose("p", "{").error().reason == "json_invalid");
  CHECK(ParsePurpose("p", R"({"title":"a","title":"b"})").error().reason == "json_duplicate_key");
}

TEST_CASE("a purpose's code is a short word of lower case") {
  for (const std::string& code :
       {std::string("a"), std::string("client-care"), std::string("a1"), std::string(64, 'a')}) {
    CHECK(IsPurposeCode(code));
  }
  for (const std::string& code :
       {std::string(), std::string(65, 'a'), std::string("1a"), std::string("-a"), std::string("A"),
        std::string("a_b"), std::string("a b"), std::string("a/b"), std::string("ä"),
        std::string("a\n"), std::string("a\0", 2)}) {
    INFO(code);
    CHECK(!IsPurposeCode(code));
  }
}

}  // namespace
}  // namespace coffer::vault
