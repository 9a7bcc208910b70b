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
          {"received", "2026-01-01T21:00:00.000Z"},
          {"received_day", "2026-01-02"},
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
        CHECK_FALSE(LetterActionName(vault::NameOf(asked), action, language).empty());
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
  for (const char* name : {"holds", "entries", "identity_open", "has_article", "Name", "a.b", "",
                           "received", "due", "kind_name", "reference", "today"}) {
    INFO(name);
    const json before = said;
    said[name] = "x";
    REQUIRE_FALSE(write());
    CHECK(write().error().exit == Exit::kUsage);
    said = before;
  }
  for (const json& none : std::vector<json>{1, nullptr, "", " \t", json::array()}) {
    said["contact"] = none;
    CHECK_FALSE(write());
  }
  // Of a regime that names no source there is nothing to fill in.
  said["contact"] = "x";
  const json without = {{"definition", {{"title", "Ours"}}}};
  const auto values = LetterValues(request, without, json::array(), "en", "2026-01-20", said);
  REQUIRE(values);
  CHECK(RenderTextMustache(text, *values).error().message.find("\"regime_source\"") !=
        std::string::npos);
}

// A request after some steps, and which letters fit.
TEST_CASE("a letter states nothing that is not so") {
  const json extend = {{"step", "extend"}, {"words", "too much of it"}};
  const json answer = {{"step", "answer"},
                       {"article", "15(4)"},
                       {"shown_by", {{{"entry", 9}, {"action", "client.package"}}}}};
  const json refuse = {{"step", "refuse"}, {"article", "12(5)"}};
  const json reopen = {{"step", "reopen"}};
  const json close = {{"step", "close"}};
  struct Row {
    const char* state;
    std::vector<json> steps;
    std::set<std::string> fitting;
    const char* article = "";
  };
  const Row rows[] = {
      {"received", {}, {"acknowledgement", "identity", "refusal"}},
      {"identity_checking", {}, {"acknowledgement", "identity", "refusal"}},
      {"accepted", {}, {"acknowledgement", "refusal"}},
      {"in_progress", {extend}, {"acknowledgement", "extension", "refusal"}},
      {"answered", {extend, answer}, {"answer"}, "15(4)"},
      {"closed", {answer, close}, {"answer"}, "15(4)"},
      {"refused", {extend, refuse}, {"refusal"}, "12(5)"},
      {"in_progress", {answer, reopen}, {"acknowledgement", "refusal"}},
      {"in_progress", {refuse, reopen}, {"acknowledgement", "refusal"}},
      {"refused", {answer, reopen, refuse}, {"refusal"}, "12(5)"},
      {"answered", {refuse, reopen, answer}, {"answer"}, "15(4)"},
      {"withdrawn", {{{"step", "withdraw"}}}, {}},
  };
  for (const Row& row : rows) {
    json request = RefusedRequest();
    request["kind"] = "access";
    request["state"] = row.state;
    request["steps"] = row.steps;
    const auto values =
        LetterValues(request, kRegime, json::array(), "en", "2026-01-20", json::object());
    REQUIRE(values);
    INFO(row.state << " " << request["steps"].dump());
    for (const char* name : {"acknowledgement", "identity", "extension", "answer", "refusal",
                             "hold", "hold-certificate"}) {
      INFO(name);
      CHECK(CheckLetterFits(name, request, *values).has_value() == row.fitting.contains(name));
    }
    CHECK(values->value("article", "") == row.article);
    CHECK_FALSE(values->contains("reasons"));
    CHECK(values->value("extension_reasons", "") ==
          (row.steps.empty() || row.steps[0] != extend ? "" : "too much of it"));
  }
}

TEST_CASE("an answer without proof is told to a complaint, and a hold only where there is one") {
  json request = RefusedRequest();
  request["state"] = "accepted";
  request["steps"] = json::array();
  const auto fits = [&](const char* name, const json& said, const json& holds = json::array()) {
    const auto values = LetterValues(request, kRegime, holds, "en", "2026-01-20", said);
    REQUIRE(values);
    return CheckLetterFits(name, request, *values).has_value();
  };
  const json reply = {{"reply", "It was our mistake."}};
  CHECK_FALSE(fits("answer", reply));  // an erasure is done, not told
  request["kind"] = "complaint";
  CHECK(fits("answer", reply));
  CHECK_FALSE(fits("answer", json::object()));
  const json holds = {{{"review", "2027-05-01"}}};
  CHECK(fits("hold", json::object(), holds));
  CHECK(fits("hold-certificate", json::object(), holds));
  // What was said is hidden from this role: no refusal is silent about it.
  request["said"] = "hidden";
  CHECK_FALSE(fits("refusal", json::object()));
  CHECK(fits("refusal", {{"reasons", "asked for every day"}}));
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
      const auto page = LetterPage(*written, language, hostile);
      REQUIRE(page);
      CHECK(page->find("<script") == std::string::npos);
      CHECK(page->find("&lt;script&gt;") != std::string::npos);
      CHECK(page->find("<html lang=\"" + std::string(language) + "\">") != std::string::npos);
      // Filled in once: a value is no template.
      CHECK(page->find("{{organisation}}") != std::string::npos);
    }
  }
}

TEST_CASE("an answer names what was done for the kind of request") {
  json request = RefusedRequest();
  request["state"] = "answered";
  const auto answer = [&](const char* kind, const char* action) {
    request["kind"] = kind;
    request["steps"] = {{{"step", "answer"}, {"shown_by", {{{"entry", 9}, {"action", action}}}}}};
    const auto values =
        LetterValues(request, kRegime, {{{"review", "2027-05-01"}}}, "en", "2026-01-20",
                     SaidOf({"organisation", "contact", "signatory", "addressee", "complaint"}));
    REQUIRE(values);
    const auto letter = RenderTextMustache(FindBuiltInLetter("answer", "en")->text, *values);
    REQUIRE(letter);
    return *letter;
  };
  const auto has = [](const std::string& letter, const char* text) {
    return letter.find(text) != std::string::npos;
  };
  CHECK(has(answer("restriction", "restriction.write"), "- the processing of your data was restr"));
  CHECK(has(answer("objection", "restriction.write"), "that you object to was stopped (number 9"));
  CHECK(has(answer("access", "client.package"), "We have done so."));
  CHECK(has(answer("access", "client.erase"), "There are no data about you any more."));
  CHECK_FALSE(has(answer("access", "client.erase"), "We have done so."));
  CHECK(has(answer("erasure", "client.erase"), "We have done so."));
  CHECK(has(answer("erasure", "of.elsewhere"), "- of.elsewhere (number 9"));
}

TEST_CASE("a template is checked in every part, reached or not") {
  const json said = {{"motto", "Ours"}};
  const auto whole = [&](const char* text) {
    return CheckLetterTemplate(text, "en", said).has_value();
  };
  CHECK(whole("{{addressee}} {{motto}} {{#holds}}{{review}}{{/holds}}"));
  CHECK(whole("{{^has_reply}}{{kind_name}}{{/has_reply}}"));
  for (const char* faulty :
       {"{{nobody}}", "{{^has_reply}}{{nobody}}{{/has_reply}}", "{{#nothing}}x{{/nothing}}",
        "{{^entries}}{{#holds}}{{nobody}}{{/holds}}{{/entries}}", "{{{addressee}}}", "{{>other}}",
        "{{#entries}}{{#entries}}x{{/entries}}{{/entries}}", "{{#holds}}", "{{holds}}",
        "{{#addressee}}x{{/addressee}}", "{{=<% %>=}}"}) {
    INFO(faulty);
    CHECK_FALSE(whole(faulty));
  }
}

}  // namespace coffer::cli
