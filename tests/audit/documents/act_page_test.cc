// The act for people and for other programs: pages and the log export.
#include "audit/documents/act_page.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "audit/documents/act_log_export.h"
#include "audit/documents/messages.h"
#include "audit/text/visible_text.h"
#include "tests/audit/documents/test_act.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

std::string Page(const ErasureAct& act, PageLanguage language = PageLanguage::kEnglish) {
  return ActPage(act, Delivered(act).note, language);
}

// Cells of the lines behind the header.
std::vector<Strings> Cells(const std::string& csv) {
  std::vector<Strings> rows;
  std::string_view rest = csv;
  rest.remove_prefix(rest.find('\n') + 1);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    Strings& cells = rows.emplace_back();
    line = line.substr(1, line.size() - 2);
    for (std::size_t end = 0; end != line.npos;
         line.remove_prefix(end == line.npos ? 0 : end + 3)) {
      end = line.find("\",\"");
      cells.emplace_back(line.substr(0, end));
    }
  }
  return rows;
}

TEST_CASE("the page has the items of order 179 in its order, in every language") {
  for (const PageLanguage language : kPageLanguages) {
    const std::string page = Page(FullAct(), language);
    const Messages& messages = MessagesIn(language);
    std::size_t last = 0;
    for (const char item : std::string_view("abcdefghij")) {
      const std::string term = "<dt>" + Html(Say(messages, std::string("act.") + item)) + "</dt>";
      INFO(term);
      const auto at = page.find(term);
      REQUIRE(at != page.npos);
      CHECK(at > last);
      last = at;
    }
  }
}

TEST_CASE("the page shows every value of the act in every language") {
  const Delivered delivered;
  const json values = json::parse(FormatActJson(delivered.act)).flatten();
  // Said by words of the language; codes and numbers are shown as they are.
  const Strings worded = {"/format",
                          "/key/replaced",
                          "/medium",
                          "/method",
                          "/reason/kind",
                          "/scope",
                          "/destroyed_by/0/role",
                          "/destroyed_by/1/role",
                          "/date"};
  for (const PageLanguage language : kPageLanguages) {
    const std::string page = ActPage(delivered.act, delivered.note, language);
    for (const auto& [path, value] : values.items()) {
      if (std::ranges::find(worded, path) != worded.end()) continue;
      INFO(LanguageTag(language) << " " << path);
      CHECK(page.contains(Html(value.is_string() ? value.get<std::string>() : value.dump())));
    }
    CHECK(page.contains("<time datetime=\"2026-01-02T03:04:19.000Z\">"));
    for (const char* key :
         {"act.key.replaced", "act.medium.electronic", "act.method.cryptographic-erase",
          "act.reason.policy", "act.scope.records", "act.role.requester", "act.role.approver"}) {
      CHECK(page.contains(Html(Say(MessagesIn(language), key))));
    }
    const std::string line = delivered.note.substr(delivered.note.find("\n\n") + 2);
    CHECK(page.contains("<code>" + Html(line.substr(0, line.size() - 1)) + "</code>"));
  }
}

TEST_CASE("the page of a repeated erasure says when it was done first") {
  ErasureAct act = FullAct();
  act.replayed = {{1'767'000'000'000}, 4711};
  for (const PageLanguage language : kPageLanguages) {
    const std::string page =
        ActPage(act, Delivered(act, [](Entry& entry) { entry.action = "erasure.replayed"; }).note,
                language);
    CHECK(page.find("2025-12-29") != page.npos);
    CHECK(page.find("4711") != page.npos);
    CHECK(page.find(Html(Say(MessagesIn(language), "act.replayed"))) != page.npos);
    CHECK(Page(FullAct(), language).find(Html(Say(MessagesIn(language), "act.replayed"))) ==
          std::string::npos);
  }
}

TEST_CASE("the Russian page speaks as order 179 does") {
  const std::string page = Page(FullAct(), PageLanguage::kRussian);
  for (const char* words :
       {"Акт об уничтожении персональных данных", "адрес оператора", "по поручению оператора",
        "должность лиц, уничтоживших персональные данные",
        "Перечень категорий уничтоженных персональных данных",
        "Наименование информационной системы персональных данных, из которой были уничтожены",
        "Способ уничтожения персональных данных", "Причина уничтожения персональных данных",
        "Дата уничтожения персональных данных", "ООО «Ромашка»"}) {
    INFO(words);
    CHECK(page.contains(words));
  }
}

TEST_CASE("what is missing or unknown the page says") {
  ErasureAct act = FullAct();
  act.details = {};
  act.destroyed_by.clear();
  act.categories.clear();
  act.kept.clear();
  act.backup_horizon_days.reset();
  act.method = ErasureMethod::kClear;
  act.key.reset();
  const std::string page = Page(act);
  CHECK(
      page.contains("<dt>(a) Operator: name and address</dt><dd><div><b>not given</b></div><div>"
                    "<b>not given</b></div></dd>"));
  CHECK(page.contains("name and address</dt><dd>none</dd>"));
  CHECK(page.contains("<dt>(g) Information system</dt><dd><b>not given</b></dd>"));
  CHECK(page.contains("<dt>(d) Who destroyed it: name, position</dt><dd><b>not given</b></dd>"));
  CHECK(page.contains("It is not known how long backups"));
  CHECK(page.contains("<dt>What was kept, and why</dt><dd>nothing</dd>"));
  CHECK(page.contains("<dt>Key destroyed</dt><dd>none</dd>"));
}

TEST_CASE("a page of an act loads and runs nothing, and hostile texts stay text") {
  const std::string attack = "\"><script>x</script>\n\x1b[2J\u202E\u2066\u2028https:";
  ErasureAct act = FullAct();
  act.details = {attack, attack, attack, attack, attack};
  act.reference = act.reason.id = act.reason.legal_basis = act.key->id = attack;
  act.destroyed_by[0] = {attack, attack, attack, DestroyerRole::kRequester};
  act.categories[0].title = act.kept[0].what = act.kept[0].why = attack;
  for (const PageLanguage language : kPageLanguages) {
    const std::string page = Page(act, language);
    CHECK(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    for (const char* never : {"<script", "\x1b", "\u202E", "\u2066", "\u2028", "src=", "href=",
                              "url(", "@import", "style=", "unsafe-inline", "<link"}) {
      INFO(never);
      CHECK_FALSE(page.contains(never));
    }
    const auto start = page.find("<style>") + 7;
    const std::string style = page.substr(start, page.find("</style>") - start);
    CHECK(page.contains(crypto::Base64Encode(crypto::Sha256(crypto::AsBytes(style)))));
  }
}

TEST_CASE("the log export agrees with the act, item by item") {
  const Delivered delivered;
  const json act = json::parse(FormatActJson(delivered.act));
  const std::string text = ActLogExport(delivered.act, ActExportFormat::kJson);
  const json exported = json::parse(text);
  CHECK(exported.dump() == text);
  for (const char* item :
       {"subject", "categories", "system", "reason", "date", "erasure", "log", "log_seq"}) {
    INFO(item);
    REQUIRE(exported.contains(item));
    CHECK(exported[item] == act[item]);
  }
  CHECK(exported["format"] == "coffer-erasure-log-export-v1");
  CHECK(exported.size() == 9);

  const auto rows = Cells(ActLogExport(delivered.act, ActExportFormat::kCsv));
  REQUIRE(rows.size() == act["categories"].size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& category = act["categories"][i];
    CHECK(rows[i] == Strings{act["erasure"], act["log_seq"].dump(), act["date"],
                             act["subject"]["client"], act["subject"]["reference"],
                             category["class"], category.value("title", ""),
                             category["records"].dump(), category["versions"].dump(), act["system"],
                             "policy contact-3-years version 4", act["reason"]["legal_basis"]});
  }
}

TEST_CASE("the log export of an act without categories is one line, and no cell is a formula") {
  ErasureAct act = FullAct();
  act.categories.clear();
  act.reference = "=cmd|' /C calc'!A0";
  act.details.system = "+1\n\u202E";
  act.reason = {ReasonKind::kRequest, "a\"b", 0, "@SUM(A1)"};
  const std::string csv = ActLogExport(act, ActExportFormat::kCsv);
  CHECK(csv.contains(R"x(,"'=cmd|' /C calc'!A0","","","","","'+1<U+000A><U+202E>",)x"
                     R"x("request a""b","'@SUM(A1)")x"
                     "\n"));
  CHECK(std::ranges::count(csv, '\n') == 2);
}

}  // namespace
}  // namespace coffer::audit
