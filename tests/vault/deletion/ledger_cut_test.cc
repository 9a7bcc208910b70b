// An erasure that takes several lines of the ledger, of which some are missing, doubled, moved or
// mixed with those of another: it is the set of all records that its lines name.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>

#include "audit/documents/act_document.h"
#include "audit/documents/ledger_completeness.h"
#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr std::size_t kRecords = 405;  // three lines

// Two erasures of records: one of a client that keeps one, in three lines, and one of another
// client in one line. And the directory as it was before them.
class CutLedger : public TestVault {
 public:
  CutLedger() {
    big = NewClient("B-1");
    small = NewClient("S-1");
    for (std::size_t i = 0; i < kRecords; ++i) {
      gone.push_back(NewContact(big, {{"last_name", "Doe"}}));
    }
    kept = NewContact(big, {{"last_name", "Roe"}});
    other = NewContact(small, {{"last_name", "Poe"}});
    other_kept = NewContact(small, {{"last_name", "Foe"}});
    Close();
    before = directory() + ".before";
    fs::copy(directory(), before, fs::copy_options::recursive);
    Open();
    const auto erased =
        (*this)->erasures().Erase(As(kPrivacyOfficer), big, {ErasureBasis::kUnlawful, {}, gone});
    INFO(AnswerOf(erased));
    REQUIRE(erased);
    big_erasure = erased->id;
    const auto second = (*this)->erasures().Erase(As(kPrivacyOfficer), small,
                                                  {ErasureBasis::kUnlawful, {}, {other}});
    REQUIRE(second);
    small_erasure = second->id;
    Close();
    after = directory() + ".after";
    fs::copy(directory(), after, fs::copy_options::recursive);
    std::ifstream file(Path());
    for (std::string line; std::getline(file, line);) {
      lines.push_back(*audit::ParseLedgerLine(line));
    }
    REQUIRE(lines.size() == 4);
  }
  ~CutLedger() {
    fs::remove_all(before);
    fs::remove_all(after);
  }

  std::string Path() const { return directory() + "/erasures.ledger"; }

  // The directory is `of`, but for a ledger of these lines in this order.
  void Put(const std::string& of, const std::vector<audit::LedgerLine>& chosen) {
    Close();
    fs::remove_all(directory());
    fs::copy(of, directory(), fs::copy_options::recursive);
    const crypto::Keyring keyring = OpenKeyring();
    audit::LedgerHead head;
    std::ofstream file(Path(), std::ios::trunc);
    for (audit::LedgerLine line : chosen) {
      line.at = head;
      const auto text =
          audit::WriteLedgerLine(line, keyring.log_origin(), *keyring.log_signing_key());
      REQUIRE(text);
      file << *text;
      head.prev = crypto::Sha256(crypto::AsBytes(text->substr(0, text->size() - 1)));
      ++head.n;
    }
  }
  audit::LedgerCompleteness Ledger() const {
    audit::LedgerCompleteness completeness;
    std::ifstream file(Path());
    for (std::string line; std::getline(file, line);) {
      REQUIRE(completeness.Take(*audit::ParseLedgerLine(line)));
    }
    return completeness;
  }
  std::size_t Readable() {
    return static_cast<std::size_t>(
        Number("SELECT count(*) FROM records WHERE client = ?", big.Row()));
  }
  std::vector<std::string> Alarms() {
    std::vector<std::string> alarms;
    for (const auto& entry : WholeLog()) {
      if (entry.action == "integrity.alarm") alarms.push_back(entry.outcome + " " + entry.detail);
    }
    return alarms;
  }
  // How many records the erasure says it destroyed, in the list, the act and its log export.
  std::set<std::uint64_t> Counts(const ErasureId& id) {
    std::set<std::uint64_t> counts;
    const auto erasure = (*this)->erasures().GetErasure(As(kAuditor), id);
    REQUIRE(erasure);
    counts.insert(erasure->records);
    const auto act = (*this)->erasure_acts().ReadAct(As(kAuditor), id, {});
    INFO(AnswerOf(act));
    REQUIRE(act);
    const auto report = audit::VerifyAct(*act, {{*audit::ParseVerifierKey(LogKey())}});
    for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
    counts.insert(report.act->records.size());
    std::uint64_t counted = 0;
    for (const auto& category : report.act->categories) counted += category.records;
    counts.insert(counted);
    const auto log_export =
        (*this)->erasure_acts().ReadAct(As(kAuditor), id, {.form = DocumentForm::kLogJson});
    REQUIRE(log_export);
    counted = 0;
    const json exported = json::parse(*log_export);
    for (const auto& one : exported.at("categories")) {
      counted += one["records"].get<std::uint64_t>();
    }
    counts.insert(counted);
    return counts;
  }

  std::string before, after;
  ClientId big, small;
  std::vector<RecordId> gone;
  RecordId kept, other, other_kept;
  ErasureId big_erasure, small_erasure;
  std::vector<audit::LedgerLine> lines;
};

std::vector<audit::LedgerLine> WithoutParts(std::vector<audit::LedgerLine> lines) {
  for (auto& line : lines) line.part = line.parts = 0;
  return lines;
}

}  // namespace

TEST_CASE("a ledger cut behind any line is written again from the vault, record by record") {
  CutLedger vault;
  for (const bool old : {false, true}) {
    const auto all = old ? WithoutParts(vault.lines) : vault.lines;
    for (std::size_t left = 0; left <= all.size(); ++left) {
      CAPTURE(old, left);
      vault.Put(vault.after, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(left)});
      vault.Open();
      vault.Close();
      const auto ledger = vault.Ledger();
      CHECK(ledger.erasures() == 2);
      CHECK(ledger.Incomplete().empty());
      CHECK(ledger.Uncertain().empty());
    }
  }
}

TEST_CASE("after a restore by a cut ledger what it names is erased, and the rest is named") {
  CutLedger vault;
  for (std::size_t left = 0; left <= vault.lines.size(); ++left) {
    CAPTURE(left);
    vault.Put(vault.before,
              {vault.lines.begin(), vault.lines.begin() + static_cast<std::ptrdiff_t>(left)});
    vault.Open();
    const std::size_t named = std::min(kRecords, left * audit::kMaxLedgerRecords);
    CHECK(vault.Readable() == kRecords + 1 - named);
    const bool partly = named > 0 && named < kRecords;
    CHECK(vault.Alarms() ==
          (partly ? Strings{"ledger_incomplete the ledger lacks " +
                            std::string(left == 1 ? "parts 2, 3 of 3" : "part 3 of 3") +
                            " of the erasure " + vault.big_erasure.Text()}
                  : Strings{}));
    if (named > 0) CHECK(vault.Counts(vault.big_erasure) == std::set<std::uint64_t>{named});
    vault.Close();
    CHECK(vault.Ledger().Incomplete().size() == (partly ? 1 : 0));
    // Named once in the log, and to the operator at each start.
    vault.Open();
    CHECK(vault.Alarms().size() == (partly ? 1 : 0));
    vault.CheckInvariants();
    if (!partly) continue;
    // The lines are found again.
    vault.Close();
    fs::copy(vault.after + "/erasures.ledger", vault.Path(), fs::copy_options::overwrite_existing);
    vault.Open();
    CHECK(vault.Readable() == 1);
    CHECK(vault.Counts(vault.big_erasure) == std::set<std::uint64_t>{kRecords});
    vault.CheckInvariants();
  }
}

TEST_CASE("lines that are doubled, moved or mixed add up to one erasure", testing::kPlainOnly) {
  CutLedger vault;
  const auto& all = vault.lines;
  const std::vector<std::vector<std::size_t>> orders = {
      {0, 1, 2, 3},       {0, 0, 1, 2, 3},
      {0, 1, 0, 1, 2, 3}, {0, 1, 2, 2, 3},
      {0, 1, 2, 0, 3},    {0, 1, 2, 3, 0, 1},
      {2, 1, 0, 3},       {0, 3, 1, 3, 2},
      {3, 1, 1, 2, 3, 0}, {0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 3}};
  for (const bool old : {false, true}) {
    // Of older lines, which were read alike, fewer.
    for (const auto& order : std::span(orders).last(old ? 3 : orders.size())) {
      CAPTURE(old, order);
      std::vector<audit::LedgerLine> chosen;
      for (const std::size_t at : order) chosen.push_back(all[at]);
      vault.Put(vault.before, old ? WithoutParts(chosen) : chosen);
      vault.Open();
      CHECK(vault.Readable() == 1);
      CHECK(vault.Counts(vault.big_erasure) == std::set<std::uint64_t>{kRecords});
      CHECK(vault.Counts(vault.small_erasure) == std::set<std::uint64_t>{1});
      CHECK(vault.Alarms().empty());
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("an erasure that an older version counted twice has an act of what it destroyed") {
  CutLedger vault;
  vault.Put(vault.before, vault.lines);
  vault.Open();
  vault.Close();
  vault.Tamper(
      "UPDATE erasures SET rids = CAST(rids || rids AS BLOB), records = records * 2, facts = "
      "replace(facts, '\"records\":405', '\"records\":810') WHERE length(rids) > 16");
  vault.Open();
  const auto act = vault->erasure_acts().ReadAct(vault.As(kAuditor), vault.big_erasure, {});
  INFO(AnswerOf(act));
  REQUIRE(act);
  const auto report = audit::VerifyAct(*act, {{*audit::ParseVerifierKey(vault.LogKey())}});
  CHECK(report.ok());
  CHECK(report.act->records.size() == kRecords);
  CHECK(report.act->categories.front().records == kRecords);
}

}  // namespace coffer::vault
