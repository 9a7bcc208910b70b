// Every page in its reader's language: no sentence of another one, no text that nobody shows, the
// law of the reader's country, and a form that fits paper and a telephone.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "audit/documents/act_log_export.h"
#include "audit/documents/embedded_texts.h"
#include "audit/documents/page_time.h"
#include "audit/text/visible_text.h"
#include "tests/audit/documents/page_samples.h"

namespace coffer::audit {
namespace {

std::string WithoutAll(std::string_view text, std::string_view start, std::string_view end) {
  std::string rest;
  for (auto at = text.find(start); at != text.npos; at = text.find(start)) {
    rest.append(text.substr(0, at)).append(" ");
    const auto last = text.find(end, at);
    REQUIRE(last != text.npos);
    text.remove_prefix(last + end.size());
  }
  return rest.append(text);
}

// What a page says in words: without its style, its codes and the names of the other languages.
std::string SaidBy(std::string page) {
  for (const auto& [start, end] :
       {std::pair("<style>", "</style>"), {"<nav>", "</nav>"}, {"<code>", "</code>"}, {"<", ">"}}) {
    page = WithoutAll(page, start, end);
  }
  return page;
}

// Words of Latin letters that are no name: of standards, files and commands.
std::vector<std::string> LatinWords(std::string text) {
  for (const std::string_view name :
       {"SHA-256", "UTC", "VERIFY.txt", "entries.ndjson", "coffer verify --act",
        "coffer verify --run-report", "NIST SP 800-88 Rev. 1", "Cryptographic Erase", "Clear",
        "vault.db", "U+202E", "invoice"}) {
    for (auto at = text.find(name); at != text.npos; at = text.find(name, at)) {
      text.replace(at, name.size(), " ");
    }
  }
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
        static_cast<unsigned char>(c) >= 0x80) {
      word.push_back(c);
      continue;
    }
    const bool is_id = word.contains('_');
    const auto latin = std::ranges::count_if(word, [](char letter) {
      return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    });
    if (latin > 1 && !is_id) words.push_back(word);
    word.clear();
  }
  return words;
}

// Words that English sentences are held together by, and that are no German ones.
bool IsEnglish(std::string word) {
  std::ranges::transform(word, word.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  constexpr std::string_view kWords[] = {"the",  "and",     "of",    "to",     "is",      "are",
                                         "were", "with",    "from",  "not",    "which",   "who",
                                         "this", "that",    "under", "record", "records", "class",
                                         "key",  "erasure", "log",   "until"};
  return std::ranges::find(kWords, word) != std::end(kWords);
}

TEST_CASE("no page keeps a sentence of another language") {
  for (const PageLanguage language : kPageLanguages) {
    if (language == PageLanguage::kEnglish) continue;
    const bool german = language == PageLanguage::kGerman;
    for (const SamplePage& page : SamplePages(language)) {
      INFO(Name(language) << " " << page.kind);
      std::set<std::string> left;
      for (const std::string& word : LatinWords(SaidBy(page.html))) {
        if (!german || IsEnglish(word)) left.insert(word);
      }
      std::string listed;
      for (const std::string& word : left) listed += word + " ";
      CHECK(listed == "");
    }
  }
}

TEST_CASE("the words that are looked for are found") {
  const auto pages = SamplePages(PageLanguage::kEnglish);
  for (const SamplePage& page : pages) {
    const auto words = LatinWords(SaidBy(page.html));
    CHECK(std::ranges::any_of(words, IsEnglish));
    CHECK(words.size() > 20);
  }
}

TEST_CASE("the log export as CSV is worded in the language but for its columns") {
  for (const ErasureAct& act : SampleActs()) {
    const std::string as_signed = ActLogExport(act, ActExportFormat::kCsv);
    CHECK(ActLogExport(act, ActExportFormat::kCsv, PageLanguage::kEnglish) == as_signed);
    for (const PageLanguage language : {PageLanguage::kRussian, PageLanguage::kChinese}) {
      const std::string csv = ActLogExport(act, ActExportFormat::kCsv, language);
      const auto lines = csv.find('\n');
      CHECK(csv.substr(0, lines) == as_signed.substr(0, lines));
      CHECK(std::ranges::count(csv, '\n') == std::ranges::count(as_signed, '\n'));
      for (const char* word : {"request", "policy", "version", "profile", "consent", "further"}) {
        INFO(csv);
        CHECK_FALSE(csv.substr(lines + 1).contains(word));
      }
    }
  }
}

std::string Stem(const std::string& key) {
  for (const std::string_view form : {".one", ".few", ".many", ".other"}) {
    if (key.ends_with(form)) return key.substr(0, key.size() - form.size());
  }
  return key;
}

std::multiset<std::string> Placeholders(std::string_view text) {
  std::multiset<std::string> found;
  for (auto at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
    found.emplace(text.substr(at, text.find('}', at) + 1 - at));
  }
  return found;
}

TEST_CASE("every catalogue has the same keys, and each text keeps its placeholders") {
  const Messages& english = MessagesIn(PageLanguage::kEnglish);
  std::set<std::string> stems;
  for (const auto& [key, text] : english) stems.insert(Stem(key));
  CHECK(stems.size() > 300);
  for (const PageLanguage language : kPageLanguages) {
    const Messages& messages = MessagesIn(language);
    std::set<std::string> there;
    for (const auto& [key, text] : messages) {
      INFO(Name(language) << " " << key);
      there.insert(Stem(key));
      CHECK_FALSE(text.empty());
      CHECK(text == VisibleText(text));
      if (key.starts_with("date.") || key.ends_with(".one")) continue;
      const auto other = english.find(Stem(key) == key ? key : Stem(key) + ".other");
      REQUIRE(other != english.end());
      CHECK(Placeholders(text) == Placeholders(other->second));
    }
    CHECK(there == stems);
  }
}

TEST_CASE("what is counted has each form of its language, and no other") {
  for (const PageLanguage language : kPageLanguages) {
    std::set<std::string, std::less<>> forms;
    for (std::uint64_t n = 0; n < 200; ++n) forms.emplace(PluralForm(language, n));
    for (const auto& [key, text] : MessagesIn(language)) {
      const std::string stem = Stem(key);
      if (stem == key) continue;
      INFO(Name(language) << " " << key);
      CHECK(forms.contains(key.substr(stem.size() + 1)));
      for (const std::string& form : forms) {
        CHECK(MessagesIn(language).contains(stem + "." + form));
      }
    }
  }
  const auto russian = [](std::uint64_t n) { return PluralForm(PageLanguage::kRussian, n); };
  for (const std::uint64_t n : {1U, 21U, 101U, 1001U}) CHECK(russian(n) == "one");
  for (const std::uint64_t n : {2U, 3U, 4U, 22U, 104U}) CHECK(russian(n) == "few");
  for (const std::uint64_t n : {0U, 5U, 11U, 12U, 14U, 111U, 212U, 100U})
    CHECK(russian(n) == "many");
}

// A key is used whole, or its last part is a code of the program's.
TEST_CASE("no catalogue has a text that nothing shows") {
  std::string sources;
  for (const char* module : {"audit", "vault", "api", "crypto"}) {
    const auto folder = std::filesystem::path(COFFER_SOURCE_DIR) / module;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      const auto ending = file.path().extension();
      if (ending != ".cc" && ending != ".h") continue;
      std::ifstream stream(file.path());
      sources.append(std::istreambuf_iterator<char>(stream), {});
    }
  }
  for (const auto& [key, text] : MessagesIn(PageLanguage::kEnglish)) {
    const std::string stem = Stem(key);
    if (sources.contains("\"" + stem + "\"") || stem.starts_with("date.month.")) continue;
    // As templates have it.
    std::string name = stem;
    std::ranges::replace(name, '.', '_');
    if (sources.contains("{{" + name + "}}")) continue;
    INFO(key);
    bool shown = false;
    // The longest front part that the program puts a code behind.
    for (auto dot = stem.rfind('.'); dot != stem.npos && !shown; dot = stem.rfind('.', dot - 1)) {
      const std::string code = stem.substr(dot + 1);
      shown = sources.contains("\"" + stem.substr(0, dot + 1) + "\"") &&
              (sources.contains("\"" + code + "\"") || sources.contains("\"" + code + ":") ||
               sources.contains("check:" + code + "\""));
      if (dot == 0) break;
    }
    CHECK(shown);
  }
}

// Citations are not broken at the end of a line.
std::string WithPlainSpaces(std::string text) {
  constexpr std::string_view kNoBreak = "\u00A0";
  for (auto at = text.find(kNoBreak); at != text.npos; at = text.find(kNoBreak, at)) {
    text.replace(at, kNoBreak.size(), " ");
  }
  return text;
}

TEST_CASE("a reason is said with the articles of the reader's law") {
  struct Law {
    PageLanguage language;
    std::string_view articles[7];
  };
  constexpr Law kLaws[] = {
      {PageLanguage::kEnglish,
       {"GDPR Art. 17(1))", "GDPR Art. 17(1)(b)", "GDPR Art. 17(1)(a)", "GDPR Art. 28(3)(g)",
        "GDPR Art. 17(1)(d)", "GDPR Art. 5(1)(e)", ""}},
      {PageLanguage::kGerman,
       {"Art. 17 Abs. 1 DSGVO", "Art. 17 Abs. 1 Buchst. b DSGVO", "Art. 17 Abs. 1 Buchst. a DSGVO",
        "Art. 28 Abs. 3 Buchst. g DSGVO", "Art. 17 Abs. 1 Buchst. d DSGVO",
        "Art. 5 Abs. 1 Buchst. e DSGVO", ""}},
      {PageLanguage::kRussian,
       {"ч. 1 ст. 14, ч. 3 ст. 20 Федерального закона от 27.07.2006 № 152-ФЗ",
        "ч. 5 ст. 21 Федерального закона от 27.07.2006 № 152-ФЗ",
        "ч. 4 ст. 21 Федерального закона от 27.07.2006 № 152-ФЗ",
        "ч. 4 ст. 21 Федерального закона от 27.07.2006 № 152-ФЗ",
        "ч. 3 ст. 20, ч. 3 ст. 21 Федерального закона от 27.07.2006 № 152-ФЗ",
        "ч. 7 ст. 5, ч. 4 ст. 21 Федерального закона от 27.07.2006 № 152-ФЗ", ""}},
      {PageLanguage::kChinese,
       {"《个人信息保护法》第四十七条", "《个人信息保护法》第四十七条第一款第三项",
        "《个人信息保护法》第四十七条第一款第一项", "《个人信息保护法》第二十一条第二款",
        "《个人信息保护法》第四十七条第一款第四项", "《个人信息保护法》第四十七条第一款第二项",
        ""}}};
  for (const auto& [language, articles] : kLaws) {
    for (std::size_t i = 0; i < std::size(kBases); ++i) {
      const Delivered delivered(SampleAct(kBases[i]));
      const std::string page = WithPlainSpaces(ActPage(delivered.act, delivered.note, language));
      INFO(Name(language) << " " << i);
      CHECK(page.contains(articles[i]));
      if (language != PageLanguage::kEnglish) {
        CHECK_FALSE(page.contains(Html(Stated(kBases[i]))));
      }
    }
  }
}

// Signed by earlier versions: never to be taken out of stated.json.
TEST_CASE("sentences of earlier acts are understood") {
  for (const auto& [sentence, statement] :
       {std::pair("request of the data subject (GDPR art. 17(1)(c), PIPL art. 47)",
                  Statement::kBasisRequest),
        {"consent withdrawn (GDPR art. 17(1)(b), 152-FZ art. 21(5), PIPL art. 47)",
         Statement::kBasisConsentWithdrawn},
        {"purpose reached (GDPR art. 17(1)(a), 152-FZ art. 21(4), PIPL art. 47)",
         Statement::kBasisPurposeReached},
        {"end of the contract (GDPR art. 28(3)(g))", Statement::kBasisContractEnd},
        {"unlawful processing (GDPR art. 17(1)(d), 152-FZ art. 20(3), 21(3))",
         Statement::kBasisUnlawful},
        {"retention period over (GDPR art. 5(1)(e))", Statement::kBasisRetention},
        {"erased before, and repeated after an older state was restored",
         Statement::kBasisReplayed},
        {"profile: external reference, tags, dates", Statement::kClientWithoutRecords},
        {"12 further classes", Statement::kOthers},
        {"records of 12 further classes", Statement::kKeptOthers},
        {"1 records of class tax-file", Statement::kKeptRecords},
        {"not part of this erasure", Statement::kKeptRecordsWhy},
        {"entries of the access log, which name the client by its id only", Statement::kKeptLog},
        {"accountability: they show that it was erased, and who had seen it",
         Statement::kKeptLogWhy},
        {"in older copies of vault.db: keyed hashes of indexed values and of the external "
         "reference",
         Statement::kKeptIndex},
        {"until the key of the index is exchanged and destroyed, by 2026-01-02T03:04:05.000Z; only "
         "who has that key can ask them for a value",
         Statement::kKeptIndexWhy},
        {"in older copies of vault.db: the client's id, tags and dates", Statement::kKeptCopies},
        {"until these copies are destroyed", Statement::kKeptCopiesWhy}}) {
    INFO(sentence);
    const auto found = RecogniseStatement(sentence);
    REQUIRE(found);
    CHECK(found->statement == statement);
  }
  const auto kept = RecogniseStatement("1 records of class tax-file");
  CHECK(kept->values.n == 1);
  CHECK(kept->values.class_name == "tax-file");
  for (const char* other :
       {"", "tax law: 10 years", "records of class x", "x records of class y",
        "1 records of class ", "1 records of class <b>", "12 further classes "}) {
    INFO(other);
    CHECK_FALSE(RecogniseStatement(other));
  }
}

TEST_CASE("times have the form of the language and name their zone") {
  const Timestamp time = At(3);
  for (const auto& [language, in_words, in_tables] :
       {std::tuple(PageLanguage::kEnglish, "2 January 2026, 03:04:08 UTC",
                   "2026-01-02 03:04:08.000 UTC"),
        {PageLanguage::kGerman, "2. Januar 2026, 03:04:08 UTC", "02.01.2026 03:04:08,000 UTC"},
        {PageLanguage::kRussian, "2 января 2026 г., 03:04:08 UTC", "02.01.2026 03:04:08,000 UTC"},
        {PageLanguage::kChinese, "2026年1月2日 03:04:08 UTC", "2026-01-02 03:04:08.000 UTC"}}) {
    CHECK(LongTimeText(time, language) == in_words);
    CHECK(ShortTimeText(time, language) == in_tables);
    for (const SamplePage& page : SamplePages(language)) {
      std::string_view rest = page.html;
      std::size_t times = 0;
      for (auto at = rest.find("<time"); at != rest.npos; at = rest.find("<time"), ++times) {
        rest.remove_prefix(at);
        const auto text = rest.substr(0, rest.find("</time>"));
        if (!text.ends_with(" UTC")) FAIL_CHECK(text);
        rest.remove_prefix(text.size());
      }
      CHECK(times > 0);
    }
  }
}

TEST_CASE("classes, fields and purposes are called by their titles, with the code beside") {
  PageNames names;
  names.classes = {{"contact", "Контакты <1>"}, {"invoice", "Счета"}};
  names.fields["contact"]["email"] = "Почта <2>";
  names.purposes["client-care"] = "Обслуживание <3>";
  Evidence evidence = ClientEvidence(4);
  evidence.names = names;
  const std::string page = RenderEvidencePage(evidence, PageLanguage::kRussian);
  CHECK(page.contains("<div>Контакты &lt;1&gt;</div><small>Класс <code>contact</code></small>"));
  CHECK(page.contains("<td>Почта &lt;2&gt; <code>email</code>, <code>phone</code></td>"));
  CHECK(page.contains("Обслуживание &lt;3&gt;<small><code>client-care</code></small>"));
  CHECK(Findings(Pack(evidence)).empty());

  const Delivered delivered(SampleAct(Statement::kBasisRequest));
  const std::string act = ActPage(delivered.act, delivered.note, PageLanguage::kRussian, names);
  CHECK(act.contains("Счета<small><code>invoice</code></small>"));
  CHECK(act.contains("3 записи класса Счета (invoice)"));
  CHECK(act.contains("21 запись класса Счета (invoice)"));
  CHECK(act.contains("111 записей класса Счета (invoice)"));

  const RunReport report = SampleRunReports()[0];
  const std::string run = RunReportPage(report, "", PageLanguage::kRussian, names);
  CHECK(run.contains("Контакты &lt;1&gt;<small><code>contact</code></small>"));
  CHECK(run.contains("Клиенты без записей<small><code>(client)</code></small>"));
}

// Browsers lay it out; these rules are what they go by.
TEST_CASE("a page has a form for paper, and one for a narrow window with its columns named") {
  for (const PageLanguage language : kPageLanguages) {
    for (const SamplePage& page : SamplePages(language)) {
      const auto start = page.html.find("<style>") + 7;
      const std::string style = page.html.substr(start, page.html.find("</style>") - start);
      for (const char* rule : {"@page{size:A4", "thead{display:table-header-group}",
                               "break-inside:avoid", "overflow-wrap:anywhere",
                               "@media screen and (max-width:48rem)", "thead{display:none}"}) {
        INFO(rule);
        CHECK(style.contains(rule));
      }
      std::size_t table = 0;
      for (auto at = page.html.find("<table "); at != page.html.npos;
           at = page.html.find("<table ", at + 1)) {
        const std::string name = "t" + std::to_string(++table);
        CHECK(page.html.substr(at).starts_with("<table class=\"" + name + "\">"));
        const std::string head = page.html.substr(at, page.html.find("</thead>", at) - at);
        std::size_t columns = 0;
        for (auto th = head.find("<th "); th != head.npos; th = head.find("<th ", th + 1)) {
          const auto text = head.find('>', th) + 1;
          const std::string label = head.substr(text, head.find("</th>", text) - text);
          ++columns;
          const std::string rule = "." + name + " td:nth-child(" + std::to_string(columns) +
                                   ")::before{content:\"" + label + "\"}";
          if (!style.contains(rule)) FAIL_CHECK(rule);
        }
        CHECK(columns > 2);
      }
    }
  }
}

// For somebody to look at: COFFER_WRITE_PAGES=FOLDER audit_tests "[write-pages]".
TEST_CASE("pages are written for looking at", "[.][write-pages]") {
  const char* const folder = std::getenv("COFFER_WRITE_PAGES");
  if (folder == nullptr) SKIP("COFFER_WRITE_PAGES names no folder");
  for (const PageLanguage language : kPageLanguages) {
    std::size_t number = 0;
    for (const SamplePage& page : SamplePages(language)) {
      const std::string name =
          page.kind + "-" + std::to_string(number++) + "." + std::string(Name(language)) + ".html";
      std::ofstream(std::filesystem::path(folder) / name) << page.html;
    }
  }
}

}  // namespace
}  // namespace coffer::audit
