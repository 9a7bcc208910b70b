// Pages for reading: what they say, and what hostile entries cannot make of them.
#include "audit/documents/evidence_page.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "audit/documents/messages.h"
#include "audit/text/visible_text.h"
#include "tests/audit/documents/test_evidence.h"

namespace coffer::audit {
namespace {

bool Has(std::string_view text, std::string_view part) { return text.contains(part); }

std::string English(const Evidence& evidence) {
  return RenderEvidencePage(evidence, PageLanguage::kEnglish);
}

// One entry of kClient with what `change` makes of it.
template <class Change>
Evidence EvidenceWith(const Change& change) {
  TestLog log;
  Entry entry = TestLog::Reading();
  entry.client = kClient;
  change(entry);
  log.Append(entry, At(0));
  Evidence evidence = EvidenceOf(log, EvidenceKind::kClient, kClient);
  AddEntry(evidence, log, 0);
  return evidence;
}

std::size_t Count(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Read from the sources, because this module does not know the vault.
TEST_CASE("every action that the vault logs has words in every language") {
  const std::filesystem::path vault = std::filesystem::path(COFFER_SOURCE_DIR) / "vault";
  std::set<std::string> actions = {"log.created"};
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto collect = [&](const std::string& text, std::string_view before) {
    for (auto at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
      const auto start = text.find('"', at + before.size() - 1) + 1;
      actions.insert(text.substr(start, text.find('"', start) - start));
    }
  };
  const std::string policy = read(vault / "catalog/action.cc");
  collect(policy.substr(0, policy.find("static_assert")), "{Action::");
  for (const auto& file : std::filesystem::recursive_directory_iterator(vault)) {
    if (file.path().extension() != ".cc") continue;
    const std::string text = read(file.path());
    collect(text, "LogSystemEvent(\"");
    collect(text, ".action = \"");
  }
  CHECK(actions.size() > 50);
  CHECK(actions.contains("record.read"));
  CHECK(actions.contains("vault.stop"));
  CHECK(actions.contains("integrity.alarm"));
  for (const PageLanguage language : kPageLanguages) {
    for (const std::string& action : actions) {
      INFO(LanguageTag(language) << " " << action);
      CHECK(Find(MessagesIn(language), "action.", action) != nullptr);
    }
  }
}

TEST_CASE("a page tells who did what, when, why and by which rule") {
  const std::string page = English(ClientEvidence(4));
  CHECK(Has(page, "<html lang=\"en\" dir=\"ltr\">"));
  CHECK(Has(page, "<h1>Access to the data of client cli_06bk4v0c5s3x9t7q2n8h1w6m4g</h1>"));
  CHECK(Has(page, "<dt>Entries</dt><dd>2</dd>"));
  CHECK(Has(page, "The vault declares under its signature that no entry"));
  CHECK(Has(
      page,
      R"(<tr><td><code>usr_06bk4v0c5s3x9t7q2n8h1w6m4u</code></td><td class="n">2</td>)"
      R"(<td class="n">1</td><td class="n x">1</td>)"
      R"(<td class="w"><time datetime="2026-01-02T03:04:05.000Z">2026-01-02 03:04:05.000 UTC</time>)"
      R"(</td><td class="w"><time datetime="2026-01-02T03:04:08.000Z">2026-01-02 03:04:08.000 UTC)"
      R"(</time></td></tr>)"));
  CHECK(Has(
      page,
      R"(<tr><td class="n">3</td><td><time datetime="2026-01-02T03:04:08.000Z">2026-01-02 03:04:08.000 UTC)"
      R"(</time></td><td><code>usr_06bk4v0c5s3x9t7q2n8h1w6m4u</code><small>user</small></td>)"
      R"(<td class="l">Read a record<small><code>record.read</code></small></td>)"
      R"(<td><small>Class <code>contact</code></small></td><td><code>email</code>, <code>phone</code></td>)"
      R"(<td><code>client-care</code></td>)"
      R"(<td>allowed<small>role <code>case-worker</code></small></td>)"
      R"(<td class="l">done<small><code>ok</code></small></td>)"
      R"(<td><div>Reason: asked by phone</div><div>Ticket: T-3</div></td></tr>)"));
  CHECK(Has(page, "<td class=\"x\">refused<small>the role&#39;s budget of readings was exhausted"));
}

TEST_CASE("pages speak their language and name the others") {
  const Evidence evidence = ClientEvidence(4);
  const std::string russian = RenderEvidencePage(evidence, PageLanguage::kRussian);
  CHECK(Has(russian, "<html lang=\"ru\""));
  CHECK(Has(russian, "Просмотрена запись<small><code>record.read</code>"));
  CHECK(Has(russian, "<a lang=\"zh-Hans\" href=\"index.zh.html\">中文</a>"));
  const std::string chinese = RenderEvidencePage(evidence, PageLanguage::kChinese);
  CHECK(Has(chinese, "<html lang=\"zh-Hans\""));
  CHECK(Has(chinese, "查看记录<small><code>record.read</code>"));
  CHECK(Has(chinese, "<b>中文</b>"));
}

TEST_CASE("a page loads and runs nothing") {
  for (const PageLanguage language : kPageLanguages) {
    const std::string page = RenderEvidencePage(ClientEvidence(4), language);
    CHECK(Has(page, "content=\"default-src 'none'; style-src 'sha256-"));
    for (const char* never : {"<script", "src=", "http:", "https:", "url(", "@import",
                              "style=", "unsafe-inline", "<link", "<iframe"}) {
      INFO(never);
      CHECK_FALSE(Has(page, never));
    }
    // The other languages' pages are all it leads to.
    CHECK(Count(page, "href=") == std::size(kPageLanguages) - 1);
  }
}

TEST_CASE("the policy admits the style that the page has") {
  const std::string page = English(ClientEvidence(4));
  const auto start = page.find("<style>") + 7;
  const std::string style = page.substr(start, page.find("</style>") - start);
  CHECK(Has(page, "style-src 'sha256-" +
                      crypto::Base64Encode(crypto::Sha256(crypto::AsBytes(style))) + "'"));
}

TEST_CASE("hostile entries stay text") {
  const std::string attack =
      "\"><script>alert(1)</script>&amp;'\n\r\t\x1b[2J\u202Egpj.exe\u2066\u200B\u2028";
  const std::string shown =
      "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&#39;"
      "<span class=\"u\">U+000A</span><span class=\"u\">U+000D</span>"
      "<span class=\"u\">U+0009</span><span class=\"u\">U+001B</span>[2J"
      "<span class=\"u\">U+202E</span>gpj.exe<span class=\"u\">U+2066</span>"
      "<span class=\"u\">U+200B</span><span class=\"u\">U+2028</span>";
  Evidence evidence = EvidenceWith([&](Entry& entry) {
    entry.action = attack;
    entry.actor = attack;
    entry.auth = attack;
    entry.address = attack;
    entry.record = attack;
    entry.class_name = attack;
    entry.fields = {attack.substr(0, 25)};
    entry.purpose = attack;
    entry.rule = attack;
    entry.outcome = attack;
    entry.detail = attack;
    entry.note_hash = NoteCommitment(TestSalt(), attack);
  });
  evidence.entries[0].note = OpenedNote{TestSalt(), attack};
  evidence.reasons_included = true;
  evidence.reason = attack;
  evidence.requested_by = attack;
  const std::string page = English(evidence);
  CHECK_FALSE(Has(page, "<script"));
  CHECK_FALSE(Has(page, "\x1b"));
  CHECK_FALSE(Has(page, "\u202E"));
  CHECK_FALSE(Has(page, "\u2028"));
  // Who twice (summary), address, action, class, record, purpose, rule, outcome, detail,
  // reason of the entry; the bundle's reason and who asked for it.
  CHECK(Count(page, shown) == 13);
  CHECK(Findings(Pack(evidence)).empty());
}

TEST_CASE("a subject in the title cannot leave it") {
  Evidence evidence = ClientEvidence(1);
  evidence.subject = "</title><script>\u202E";
  const std::string page = English(evidence);
  CHECK(Has(page, "client &lt;/title&gt;&lt;script&gt;&lt;U+202E&gt;</title>"));
}

TEST_CASE("codes without words are shown as they are") {
  const std::string page = English(EvidenceWith([](Entry& entry) {
    entry.action = "teapot.brew";
    entry.rule = "check:teapot";
    entry.outcome = "short_and_stout";
    entry.auth = "handle";
  }));
  CHECK(Has(page, "<td class=\"l\"><code>teapot.brew</code></td>"));
  CHECK(Has(page, "<small><code>check:teapot</code></small>"));
  CHECK(Has(page, "<td class=\"l\"><code>short_and_stout</code></td>"));
  CHECK(Has(page, "<small>user, <code>handle</code></small>"));
}

TEST_CASE("an entry that cannot be parsed is shown as it is") {
  Evidence evidence = ClientEvidence(1);
  evidence.entries[0].bytes = "{<b>\n";
  CHECK(Has(English(evidence), "<code>{&lt;b&gt;<span class=\"u\">U+000A</span></code>"));
}

TEST_CASE("what a page leaves out it says") {
  Evidence evidence = ClientEvidence(1);
  const EvidenceEntry entry = evidence.entries[0];
  evidence.entries.assign(kMaxPageEntries + 5, entry);
  const std::string page = English(evidence);
  CHECK(Has(page, "<dt>Entries</dt><dd>10005</dd>"));
  CHECK(Has(page, "This page shows the first 10000 entries."));
  CHECK(Count(page, "<tr class=\"d\">") == kMaxPageEntries);
  evidence.entries.clear();
  CHECK(Has(English(evidence), "<p>There are no entries.</p>"));
}

TEST_CASE("a range's neighbours are marked and not counted") {
  Evidence evidence = RangeEvidence(4, 9);
  evidence.from = At(5);
  evidence.to = At(9);
  const std::string page = English(evidence);
  CHECK(Count(page, "outside the period") == 2);
  CHECK(Has(page, R"(<tr class="s"><td>Total</td><td class="n">4</td>)"));
  CHECK(Has(page,
            "from <time datetime=\"2026-01-02T03:04:10.000Z\">2 January 2026, 03:04:10 UTC</time> "
            "before <time datetime=\"2026-01-02T03:04:14.000Z\">"));
}

TEST_CASE("ranges of unseen characters are in order") {
  CHECK(IsUnseen(0));
  CHECK_FALSE(IsUnseen(' '));
  CHECK(IsUnseen(0x85));
  CHECK(IsUnseen(0x61C));
  CHECK(IsUnseen(0x2069));
  CHECK(IsUnseen(0xE0041));
  CHECK_FALSE(IsUnseen(0x4E2D));
  CHECK_FALSE(IsUnseen(0x10FFFF));
  CHECK(CodePointName(0xE0041) == "U+E0041");
}

}  // namespace
}  // namespace coffer::audit
