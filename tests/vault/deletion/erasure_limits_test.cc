// No limit of a document is met when the deed is done: acts and reports of what they have no room
// to list say it in sum.
#include <catch2/catch_test_macros.hpp>

#include "audit/documents/act_document.h"
#include "audit/documents/erasure_act.h"
#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr int kManyClasses = 120;  // more than an act lists

// A client with a record of each of many classes.
class ManyClasses : public RetainingVault {
 public:
  ManyClasses() {
    client = NewClient("M-1");
    for (int i = 0; i < kManyClasses; ++i) {
      const std::string name = std::string(60, 'c') + std::to_string(i);
      PutClass(
          {{"name", name}, {"purposes", {kPurpose}}, {"fields", {{"a", {{"type", "string"}}}}}});
      records.push_back(NewRecord(client, name, {{"a", "x"}}));
    }
  }
  audit::ErasureAct Act(const ErasureId& id) {
    const auto document = (*this)->erasure_acts().ReadAct(As(kAuditor), id, {});
    INFO(AnswerOf(document));
    REQUIRE(document);
    const auto report = audit::VerifyAct(*document, {{*audit::ParseVerifierKey(LogKey())}});
    for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
    return *report.act;
  }
  ClientId client;
  std::vector<RecordId> records;
};

std::uint64_t RecordsIn(const audit::ErasureAct& act) {
  std::uint64_t records = 0;
  for (const auto& category : act.categories) records += category.records;
  return records;
}

}  // namespace

TEST_CASE("of however many classes records go and stay, each erasure has its act") {
  ManyClasses vault;
  // All but one class stay; all of them go but one; with as much in the entry as there can be.
  auto caller = vault.As(kPrivacyOfficer);
  caller.ticket = std::string(64, 'T');
  const auto one = vault->erasures().Erase(caller, vault.client,
                                           {ErasureBasis::kUnlawful, {}, {vault.records[0]}});
  REQUIRE(one);
  const auto left = vault.Act(one->id);
  CHECK(left.kept.size() == audit::kMaxActKept);
  CHECK(RecordsIn(left) == 1);
  const auto of_class = vault->erasures().Erase(
      caller, vault.client, {ErasureBasis::kUnlawful, std::string(60, 'c') + "1", {}});
  REQUIRE(of_class);
  CHECK(RecordsIn(vault.Act(of_class->id)) == 1);
  const auto many = vault->erasures().Erase(
      caller, vault.client,
      {ErasureBasis::kUnlawful, {}, {vault.records.begin() + 2, vault.records.end() - 1}});
  REQUIRE(many);
  const auto gone = vault.Act(many->id);
  CHECK(gone.categories.size() == audit::kMaxActCategories);
  CHECK(gone.categories.back().class_name == audit::kOtherClasses);
  CHECK(RecordsIn(gone) == kManyClasses - 3);
  for (const auto form : {DocumentForm::kPage, DocumentForm::kLogJson, DocumentForm::kLogCsv}) {
    CHECK(vault->erasure_acts().ReadAct(vault.As(kAuditor), many->id, {.form = form}));
  }
  const auto whole = vault->erasures().Erase(caller, vault.client, {});
  REQUIRE(whole);
  CHECK(RecordsIn(vault.Act(whole->id)) == 1);
  vault.CheckInvariants();
}

TEST_CASE("a run over however many classes has its report", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(1);
  const auto run = vault.Run();
  vault.Close();
  json counts = json::object();
  for (int i = 0; i < 1000; ++i) counts["class-" + std::to_string(i)] = {6, 1, 1, 1, 1, 2};
  vault.Tamper("UPDATE retention_runs SET counts = ?", std::string_view(counts.dump()));
  vault.Open();
  const auto classes = vault.ClassesOf(run.id);
  CHECK(classes.size() == audit::kMaxRunClasses);
  std::uint64_t due = 0;
  for (const auto& count : classes) due += count.due;
  CHECK(due == 6000);
  for (const auto language : audit::kPageLanguages) {
    CHECK(vault->retention().ReadRunReport(vault.As(kAuditor), run.id,
                                           {.form = DocumentForm::kPage, .language = language}));
  }
}

}  // namespace coffer::vault
