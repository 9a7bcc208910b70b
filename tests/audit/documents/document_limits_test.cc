#include "audit/documents/document_limits.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/documents/test_act.h"
#include "tests/support/sampling.h"

namespace coffer::audit {
namespace {

struct ActSizes {
  std::size_t categories, kept, destroyers, records, text;
};

ErasureAct ActOfSizes(const ActSizes& sizes) {
  ErasureAct act = FullAct();
  act.scope = {sizes.records > 0 ? ScopeKind::kRecords : ScopeKind::kClient};
  act.records.clear();
  for (std::size_t i = 0; i < sizes.records; ++i) {
    crypto::Id128 id{1, 2, 3};
    id[14] = static_cast<std::uint8_t>(i >> 8);
    id[15] = static_cast<std::uint8_t>(i);
    act.records.push_back("rec_" + crypto::Base32Encode(id));
  }
  act.categories.clear();
  for (std::size_t i = 0; i < sizes.categories; ++i) {
    act.categories.push_back({std::string(58, 'c') + std::to_string(i), "", 1, 2});
  }
  std::string text;
  while (text.size() + 2 <= sizes.text) text += "Ж";
  act.kept.clear();
  for (std::size_t i = 0; i < sizes.kept; ++i) {
    act.kept.push_back({"3 records of class " + std::string(58, 'k') + std::to_string(i), text});
  }
  act.kept.push_back({"entries of the access log", "accountability"});
  act.destroyed_by.assign(sizes.destroyers, {"usr_1", text, text, DestroyerRole::kRequester});
  act.details = {text, text, text, text, text};
  act.reference = act.reason.id = act.reason.legal_basis = text;
  return act;
}

std::uint64_t RecordsIn(const ErasureAct& act) {
  std::uint64_t records = 0;
  for (const auto& category : act.categories) records += category.records;
  return records;
}

}  // namespace

TEST_CASE("whatever an erasure took and left, its act can be made and read") {
  int acts = 0;
  for (const std::size_t categories : {1UZ, 100UZ, 101UZ, 1000UZ}) {
    for (const std::size_t kept : {0UZ, 99UZ, 100UZ, 1000UZ}) {
      for (const std::size_t records : {0UZ, 1000UZ}) {
        for (const std::size_t text : {10UZ, 1024UZ, 1025UZ, 5000UZ}) {
          for (const std::size_t destroyers : {1UZ, 20UZ, 50UZ}) {
            if (acts++ % testing::Every(11) != 0) continue;
            ErasureAct act = ActOfSizes({categories, kept, destroyers, records, text});
            const std::uint64_t counted = RecordsIn(act);
            FitAct(act);
            CAPTURE(categories, kept, records, text, destroyers);
            const auto note = WriteAct(act, kOrigin, LogKey());
            INFO((note ? std::string()
                       : std::string(note.error().reason) + ": " + note.error().detail));
            REQUIRE(note);
            CHECK(*ParseAct(*note) == act);
            CHECK(RecordsIn(act) == counted);
            CHECK(act.records.size() == records);
            CHECK(act.kept.back().what == "entries of the access log");
            const auto document = AssembleAct(*note, std::string(8192, '"'), "proof");
            REQUIRE(document);
            CHECK(document->size() <= kMaxActDocumentBytes);
          }
        }
      }
    }
  }
}

TEST_CASE("an act that fits is left alone, and one that does not says how much there was") {
  const ErasureAct small = FullAct();
  ErasureAct fitted = small;
  FitAct(fitted);
  CHECK(fitted == small);
  ErasureAct large = ActOfSizes({101, 100, 1, 0, 10});
  FitAct(large);
  CHECK(large.categories.size() == 100);
  CHECK(large.categories.back() ==
        DestroyedCategory{std::string(kOtherClasses), "2 further classes", 2, 4});
  CHECK(large.kept.size() == 100);
  CHECK(large.kept[98].what == "records of 2 further classes");
  ErasureAct texts = ActOfSizes({1, 0, 1, 0, 2000});
  FitAct(texts);
  CHECK(texts.details.name.size() <= kMaxActText);
  CHECK(texts.details.name.ends_with("Ж…"));
  texts.reference =
      "\xff\xfe"
      "abc";
  FitAct(texts);
  CHECK(texts.reference == "abc");
}

TEST_CASE("an act that counts more records than it names, or names one twice, is none") {
  ErasureAct act = FullAct();
  CHECK(Delivered(act).Findings().empty());
  act.categories[0].records = 2;
  CHECK(Delivered(act).Findings() == Strings{"act"});
  act.records.push_back(act.records.front());
  act.categories[0].records = 1;
  CHECK(Delivered(act).Findings() == Strings{"act"});
}

TEST_CASE("a report of however many classes can be made, and counts them all") {
  for (const std::size_t classes : {0UZ, 200UZ, 201UZ, 1001UZ}) {
    RunReport report;
    report.run = "run_06bk4v0c5s3x9t7q2n8h1w6m4e";
    report.vault = kTestVault;
    report.schedule_version = 1;
    report.clock = "trusted";
    report.log = kOrigin;
    report.outcome = RunOutcome::kFailed;
    report.reason = "schedule_changed";
    for (std::size_t i = 0; i < classes; ++i) {
      report.classes.push_back(
          {std::string(58, 'c') + std::to_string(i), 13, 1, 1, 1, 1, 2, 3, 4, 5});
    }
    FitRunReport(report);
    const auto note = WriteRunReport(report, kOrigin, LogKey());
    CAPTURE(classes);
    REQUIRE(note);
    CHECK(AssembleRunReport(*note)->size() <= kMaxRunReportDocumentBytes);
    std::uint64_t due = 0, failed = 0, waiting = 0, unreached = 0, unknown = 0;
    const auto parsed = ParseRunReport(*note);
    for (const auto& counts : parsed->classes) {
      due += counts.due;
      failed += counts.failed;
      waiting += counts.waiting;
      unreached += counts.unreached;
      unknown += counts.unknown;
    }
    CHECK(due == 13 * classes);
    CHECK(failed == 2 * classes);
    CHECK(waiting == 3 * classes);
    CHECK(unreached == 4 * classes);
    CHECK(unknown == 5 * classes);
  }
}

}  // namespace coffer::audit
