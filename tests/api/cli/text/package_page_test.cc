// The page of an access package: its sentences in each language, and that what records say is
// nothing but text in it.
#include "api/cli/text/package_page.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cli/text/mustache.h"
#include "audit/documents/messages.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// Every sentence is said by one of these.
json FullPackage(const std::string& value) {
  json package = json::parse(R"({
    "package": "pkg_1", "made": "2026-01-02T03:04:05.678Z",
    "about": {
      "client": {"id": "cli_1", "tags": ["vip"], "external_ref": "A-1", "version": 1,
                 "created": "2026-01-01T00:00:00.000Z", "updated": "2026-01-01T00:00:00.000Z",
                 "relationship_end": "2026-01-01T00:00:00.000Z"},
      "recipient": "client", "prepared": "2026-01-02T00:00:00.000Z",
      "log": {"size": 3, "checkpoint": "c", "keys": ["k"]},
      "classes": [], "purposes": {"care": {"title": "Care", "legal_basis": "contract"}},
      "consents": [{"id": "con_1", "purpose": "care", "text": "t", "text_version": 1, "language": "en",
                    "sha256": "00", "given": "2026-01-01T00:00:00.000Z", "channel": "paper"}],
      "restrictions": [{"id": "rst_1", "since": "2026-01-01T00:00:00.000Z", "basis": "b", "all_but": []},
                       {"id": "rst_2", "since": "2026-01-01T00:00:00.000Z", "basis": "b", "all_but": ["care"]},
                       {"id": "rst_3", "since": "2026-01-01T00:00:00.000Z", "basis": "b", "purposes": ["care"], "class": "made",
                        "legal_bases": ["contract"], "lifted": "2026-01-02T00:00:00.000Z"}],
      "requests": [{"id": "req_1", "kind": "access", "received": "2026-01-01T00:00:00.000Z", "state": "accepted"}],
      "disclosures": [{"id": "dsc_1", "given": "2026-01-01T00:00:00.000Z", "source": "hand", "recipient": "R", "category": "processor",
                       "country": "DE", "classes": ["made"], "purpose": "care", "entry": 7}],
      "packages": [{"id": "pkg_1", "prepared": "2026-01-01T00:00:00.000Z", "state": "handed_out"}],
      "left_out": [{"what": "log", "reason": "holds"}, {"what": "log", "reason": "reasons_in_words"},
                   {"what": "requests", "reason": "said_in_words"}, {"what": "consents", "reason": "evidence"},
                   {"what": "log", "reason": "staff"}]},
    "records": [], "log": [
      {"seq": 1, "at": "2026-01-01T00:00:00.000Z", "action": "record.create", "record": "rec_1", "who": {"kind": "user", "role": "r", "person": "0123456789"}, "decision": "allow", "outcome": "ok", "class": "made", "fields": ["note"]},
      {"seq": 2, "at": "2026-01-01T00:00:00.000Z", "action": "record.import", "record": "rec_2", "who": {"kind": "service"}, "decision": "allow", "outcome": "ok"}],
    "left_out": [{"what": "version", "reason": "class_not_for_purpose", "count": 1, "class": "made"},
                 {"what": "version", "reason": "hidden_by_role", "count": 1},
                 {"what": "field", "reason": "masked_by_role", "count": 1, "class": "made", "field": "note"},
                 {"what": "field", "reason": "third_person", "count": 1, "class": "made", "field": "note"}]})");
  const auto add = [&](const std::string& name, const json& rule) {
    package["about"]["classes"].push_back(
        {{"name", name},
         {"title", value},
         {"records", 1},
         {"fields", {{{"name", "note"}, {"title", value}}}},
         {"purposes", {{{"code", "care"}, {"title", value}, {"legal_basis", "contract"}}}},
         {"retention", rule}});
  };
  add("made", {{"name", "k"}, {"keep", value}});
  add("no-rule", nullptr);
  const char* thens[] = {"erase", "restrict", "review", "erase"};
  std::size_t i = 0;
  for (const char* from : {"creation", "date_field", "last_activity", "relationship_end"}) {
    add("class-" + std::to_string(i),
        {{"name", "p"}, {"from", from}, {"period", "P3Y"}, {"then", thens[i]}, {"basis", value}});
    ++i;
  }
  for (const char* record : {"rec_1", "rec_2", "rec_3"}) {
    package["records"].push_back({{"record", record},
                                  {"class", "made"},
                                  {"class_version", 1},
                                  {"version", 1},
                                  {"current", record[4] == '1'},
                                  {"created", "2026-01-01T00:00:00.000Z"},
                                  {"written", "2026-01-01T00:00:00.000Z"},
                                  {"data", {{"note", value}}},
                                  {"left_out", {"spouse"}},
                                  {"kept", {{"until", "2029-01-01T00:00:00.000Z"}}}});
  }
  return package;
}

json EmptyPackage() {
  json package = FullPackage("x");
  json& about = package["about"];
  about["recipient"] = "representative";
  for (const char* list :
       {"classes", "consents", "restrictions", "requests", "disclosures", "packages"}) {
    about[list] = json::array();
  }
  package["records"] = package["log"] = package["left_out"] = json::array();
  return package;
}

std::string Page(const json& package, audit::PageLanguage language, std::string_view contact) {
  const auto page = PackagePage(package, language, contact);
  INFO((page ? "" : page.error().message));
  REQUIRE(page);
  return *page;
}

// As it stands in a page, up to where something is filled in.
std::vector<std::string> PiecesOf(const std::string& text) {
  std::vector<std::string> pieces;
  std::string rest = text;
  for (auto at = rest.find("{}"); at != rest.npos; at = rest.find("{}")) {
    pieces.push_back(rest.substr(0, at));
    rest.erase(0, at + 2);
  }
  pieces.push_back(rest);
  return pieces;
}

}  // namespace

TEST_CASE("each sentence of a package is on its page, in each language, and none is left over") {
  for (const auto language : audit::kPageLanguages) {
    const std::string pages =
        Page(FullPackage("x"), language, "Example Ltd") + Page(EmptyPackage(), language, "");
    for (const auto& [key, text] : audit::MessagesIn(language)) {
      if (!key.starts_with("package.")) continue;
      INFO(Name(language) << " " << key);
      for (const std::string& piece : PiecesOf(text)) CHECK(pages.contains(HtmlText(piece)));
    }
    CHECK(!pages.contains("{{"));
    CHECK(!pages.contains("{}"));
    CHECK(pages.contains("<html lang=\"" + std::string(LanguageTag(language)) + "\">"));
  }
}

TEST_CASE("nothing that is stored is markup on the page, loads anything or turns the text") {
  for (const std::string& value :
       {std::string("<script>alert(1)</script>"), std::string("\"><img src=x onerror=y>"),
        std::string("{{{contact}}}{{#log}}"),
        std::string("a\xe2\x80\xae"
                    "b"),
        std::string("a\r\nb\x1b[2J"), std::string("&amp;</bdi></table>"), std::string("=1+2")}) {
    const std::string page = Page(FullPackage(value), audit::PageLanguage::kEnglish, value);
    const std::string plain = Page(FullPackage("x"), audit::PageLanguage::kEnglish, "x");
    INFO(value);
    // As many tags as with a plain value: none came with it.
    CHECK(std::ranges::count(page, '<') == std::ranges::count(plain, '<'));
    CHECK(!page.contains("<script"));
    CHECK(!page.contains("http://"));
    CHECK(!page.contains("https://"));
    CHECK(!page.contains("\xe2\x80\xae"));
    CHECK(!page.contains('\r'));
    CHECK(!page.contains('\x1b'));
    CHECK(page.contains("default-src 'none'"));
  }
}

}  // namespace coffer::cli
