// Letters: every template in every language, what a request says in them, and what they refuse.
#include "api/cli/text/letter.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/cli/text/mustache.h"
#include "vault/rights/request_rules.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

json RefusedRequest() {
  return {{"id", "req_01kdyahk904tff59tdwh9edd1r"},
          {"kind", "erasure"},
          {"regime", "gdpr"},
          {"state", "refused"},
          {"received", "2026-01-02T03:03:16.000Z"},
          {"last_day", "2026-02-02"},
          {"steps",
           {{{"step", "register"}, {"words", "what was asked"}},
            {{"step", "extend"}, {"words", "older reasons"}},
            {{"step", "refuse"}, {"article", "17(3)(b)"}, {"words", "we have to keep it"}},
            {{"step", "note"}, {"words", "a note"}}}}};
}

const json kRegime = {
    {"definition", {{"title", "General Regulation"}, {"source", "Regulation (EU) 2016/679"}}}};

json SaidOf(std::initializer_list<const char*> names) {
  json said = json::object();
  for (const char* name : names) said[name] = std::string("SAID ") + name;
  return said;
}

std::set<std::string> NamesIn(std::string_view text) {
  std::set<std::string> names;
  for (auto at = text.find("{{"); at != text.npos; at = text.find("{{", at + 2)) {
    auto name = text.substr(at + 2, text.find("}}", at) - at - 2);
    while (!name.empty() && (name.front() < 'a' || name.front() > 'z')) name.remove_prefix(1);
    names.insert(std::string(name));
  }
  return names;
}

}  // namespace

TEST_CASE("every letter there is in every language, and names the same in each") {
  std::map<std::string_view, std::map<std::string_view, std::set<std::string>>> letters;
  for (const LetterTemplate& letter : BuiltInLetters()) {
    letters[letter.name][letter.language] = NamesIn(letter.text);
  }
  CHECK(letters.size() == 7);
  for (const auto& [name, languages] : letters) {
    CHECK(languages.size() == std::size(kLetterLanguages));
    for (const std::string_view language : kLetterLanguages) {
      INFO(name << " " << language);
      REQUIRE(languages.contains(language));
      CHECK(languages.at(language) == languages.at("en"));
      const auto written =
          RenderTextMustache(FindBuiltInLetter(name, language)->text, SampleLetterValues(language));
      INFO((written ? "" : written.error().message));
      REQUIRE(written);
      CHECK(written->find("{{") == std::string::npos);
      CHECK(written->find("\n\n\n") == std::string::npos);
    }
  }
  CHECK(FindBuiltInLetter("refusal", "xx") == nullptr);
}

TEST_CASE("each kind of request, and each action that answers one, has a name in every language") {
  for (const std::string_view language : kLetterLanguages) {
    for (int kind = 0; kind <= static_cast<int>(vault::RequestKind::kQuestion); ++kind) {
      const auto asked = static_cast<vault::RequestKind>(kind);
      INFO(language << " " << vault::NameOf(asked));
      CHECK_FALSE(LetterKindName(vault::NameOf(asked), language).empty());
      for (const std::string_view action : vault::ProvingActions(asked)) {
        INFO(action);
        CHECK_FALSE(LetterActionName(action, language).empty());
      }
    }
  }
  CHECK(LetterKindName("erasure", "xx").empty());
}

TEST_CASE("a letter says what the last decision said, and no words of the request") {
  const json said = SaidOf({"organisation", "contact", "signatory", "addressee", "complaint"});
  const auto values =
      LetterValues(RefusedRequest(), kRegime, json::array(), "en", "2026-01-20", said);
  REQUIRE(values);
  const auto letter = RenderTextMustache(FindBuiltInLetter("refusal", "en")->text, *values);
  INFO((letter ? "" : letter.error().message));
  REQUIRE(letter);
  for (const char* there : {"17(3)(b)", "Regulation (EU) 2016/679", "we have to keep it",
                            "2026-01-02", "erasure of your data", "SAID addressee"}) {
    INFO(there);
    CHECK(letter->find(there) != std::string::npos);
  }
  for (const char* hidden : {"what was asked", "older reasons", "a note"}) {
    INFO(hidden);
    CHECK(letter->find(hidden) == std::string::npos);
  }
}

TEST_CASE("what a request does not say must be said, or there is no letter") {
  json request = RefusedRequest();
  request["steps"].erase(2);  // it is not refused yet
  json said = SaidOf({"organisation", "contact", "signatory", "addressee", "complaint"});
  const std::string_view text = FindBuiltInLetter("refusal", "en")->text;
  const auto write = [&]() -> Outcome<std::string> {
    const auto values = LetterValues(request, kRegime, json::array(), "en", "2026-01-20", said);
    if (!values) return std::unexpected(values.error());
    return RenderTextMustache(text, *values);
  };
  CHECK_FALSE(write());
  CHECK(write().error().message.find("\"article\"") != std::string::npos);
  said["article"] = "12(5)";
  CHECK(write());
  for (const char* name : {"organisation", "contact", "signatory", "addressee", "complaint"}) {
    INFO(name);
    const json before = said;
    said.erase(name);
    CHECK_FALSE(write());
    said = before;
  }
  for (const char* name : {"holds", "entries", "identity_open", "has_article", "Name", "a.b", ""}) {
    INFO(name);
    const json before = said;
    said[name] = "x";
    REQUIRE_FALSE(write());
    CHECK(write().error().exit == Exit::kUsage);
    said = before;
  }
  said["contact"] = 1;
  CHECK_FALSE(write());
}

TEST_CASE("a letter states nothing that is not so") {
  json request = RefusedRequest();
  const auto fits = [&](const char* name, const json& said, const json& holds = json::array()) {
    const auto values = LetterValues(request, kRegime, holds, "en", "2026-01-20", said);
    REQUIRE(values);
    return CheckLetterFits(name, request, *values).has_value();
  };
  CHECK_FALSE(fits("answer", json::object()));
  CHECK(fits("answer", {{"reply", "It was our mistake."}}));
  CHECK(fits("answer", {{"erasure", "era_01"}}));
  CHECK_FALSE(fits("extension", {{"reasons", "too much"}, {"due", "2026-09-09"}}));
  CHECK_FALSE(fits("hold", json::object()));
  CHECK(fits("hold", json::object(), {{{"review_due", "2027-05-01T00:00:00.000Z"}}}));
  CHECK(fits("refusal", json::object()));
  request["extended"] = "2026-01-09T00:00:00.000Z";
  CHECK(fits("extension", json::object()));
  request["steps"].push_back(
      {{"step", "answer"}, {"shown_by", {{{"entry", 9}, {"action", "client.package"}}}}});
  CHECK(fits("answer", json::object()));
}

TEST_CASE("what people say stays text in a letter and on its page") {
  const std::string hostile =
      "<script>x()</script> & \"q\" {{organisation}} \x1b[31m \xe2\x80\xae cba\r\nBcc: x\xff";
  for (const std::string_view language : kLetterLanguages) {
    for (const LetterTemplate& letter : BuiltInLetters()) {
      if (letter.language != language) continue;
      json values = SampleLetterValues(language);
      for (auto& [name, value] : values.items()) {
        if (value.is_string()) value = hostile;
      }
      values["entries"][0]["action_name"] = hostile;
      values["holds"][0]["review"] = hostile;
      const auto written = RenderTextMustache(letter.text, values);
      REQUIRE(written);
      for (const char* what : {"\x1b", "\xe2\x80\xae", "\r", "\xff"}) {
        CHECK(written->find(what) == std::string::npos);
      }
      const auto page = LetterPage(*written, language);
      REQUIRE(page);
      CHECK(page->find("<script") == std::string::npos);
      CHECK(page->find("&lt;script&gt;") != std::string::npos);
      CHECK(page->find("<html lang=\"" + std::string(language) + "\">") != std::string::npos);
      // Filled in once: a value is no template.
      CHECK(page->find("{{organisation}}") != std::string::npos);
    }
  }
}

TEST_CASE("an answer that was taken back is in no letter, and a hold says when it is looked at") {
  json request = RefusedRequest();
  request["kind"] = "access";
  request["steps"] = {
      {{"step", "answer"}, {"shown_by", {{{"entry", 7}, {"action", "client.package"}}}}},
      {{"step", "reopen"}},
      {{"step", "answer"}, {"shown_by", {{{"entry", 9}, {"action", "of.elsewhere"}}}}}};
  const json holds = {{{"review_due", "2027-05-01T00:00:00.000Z"}}};
  const auto values = LetterValues(request, kRegime, holds, "de", "2026-01-20", json::object());
  REQUIRE(values);
  REQUIRE(values->at("entries").size() == 1);
  CHECK(values->at("entries")[0].at("number") == "9");
  CHECK(values->at("entries")[0].at("action_name") == "of.elsewhere");
  CHECK(values->at("holds")[0].at("review") == "2027-05-01");
  CHECK(values->at("has_article") == false);
}

}  // namespace coffer::cli
