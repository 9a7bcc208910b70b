// Documents of every kind with everything that a page can say, and the pages made of them. What
// people wrote is in no language: numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "audit/documents/act_page.h"
#include "audit/documents/evidence_page.h"
#include "audit/documents/messages.h"
#include "audit/documents/run_report.h"
#include "audit/documents/stated_text.h"
#include "tests/audit/documents/test_act.h"
#include "tests/audit/documents/test_evidence.h"

namespace coffer::audit {

inline constexpr Statement kBases[] = {
    Statement::kBasisRequest,        Statement::kBasisConsentWithdrawn,
    Statement::kBasisPurposeReached, Statement::kBasisContractEnd,
    Statement::kBasisUnlawful,       Statement::kBasisRetention,
    Statement::kBasisReplayed};

struct SamplePage {
  std::string kind;
  std::string html;
};

inline ErasureAct SampleAct(Statement basis) {
  ErasureAct act = FullAct();
  act.details = {"1", "2", "3", "4", "5"};
  act.reference = act.reason.id = "17";
  act.destroyed_by[0].name = act.destroyed_by[0].position = "6";
  act.destroyed_by[1].name = act.destroyed_by[1].position = "7";
  act.categories = {{"contact", "8", 1, 3},
                    {"invoice", "", 1, 1},
                    {std::string(kClientItself), Stated(Statement::kClientWithoutRecords), 0, 0},
                    {std::string(kOtherClasses), Stated(Statement::kOthers, {3}), 9, 9}};
  act.scope = {ScopeKind::kClient};
  act.records.clear();
  act.reason.kind = ReasonKind::kRequest;
  act.reason.version = 0;
  act.reason.legal_basis = Stated(basis);
  act.kept.clear();
  for (const std::uint64_t n : {1ULL, 3ULL, 5ULL, 21ULL, 111ULL}) {
    act.kept.push_back(
        {Stated(Statement::kKeptRecords, {n, "invoice"}), Stated(Statement::kKeptRecordsWhy)});
  }
  act.kept.push_back({Stated(Statement::kKeptOthers, {4}), Stated(Statement::kKeptRecordsWhy)});
  act.kept.push_back({Stated(Statement::kKeptLog), Stated(Statement::kKeptLogWhy)});
  act.kept.push_back(
      {Stated(Statement::kKeptIndex), Stated(Statement::kKeptIndexWhy, {0, {}, act.date})});
  act.kept.push_back({Stated(Statement::kKeptCopies), Stated(Statement::kKeptCopiesWhy)});
  return act;
}

inline std::vector<ErasureAct> SampleActs() {
  std::vector<ErasureAct> acts;
  for (const Statement basis : kBases) acts.push_back(SampleAct(basis));
  ErasureAct bare = SampleAct(Statement::kBasisRequest);
  bare.details = {};
  bare.destroyed_by.clear();
  bare.categories.clear();
  bare.kept.clear();
  bare.backup_horizon_days.reset();
  bare.method = ErasureMethod::kClear;
  bare.key.reset();
  acts.push_back(bare);
  ErasureAct replayed = SampleAct(Statement::kBasisReplayed);
  replayed.replayed = {{1'767'000'000'000}, 4711};
  replayed.key->replaced = false;
  replayed.scope = {ScopeKind::kClass, "contact"};
  replayed.categories.resize(1);
  acts.push_back(replayed);
  ErasureAct policy = FullAct();
  policy.details = {"1", "2", "", "", "5"};
  policy.destroyed_by = acts[0].destroyed_by;
  policy.categories[0].title = "8";
  policy.kept = acts[0].kept;
  policy.reason.legal_basis = "9";
  policy.reference = "17";
  acts.push_back(policy);
  return acts;
}

inline std::vector<RunReport> SampleRunReports() {
  RunReport report;
  report.run = "run_06bk4v0c5s3x9t7q2n8h1w6m4r";
  report.vault = kTestVault;
  report.schedule_version = 4;
  report.started = At(0);
  report.finished = At(14);
  report.trigger = RunTrigger::kDemand;
  report.requested_by = kActor;
  report.clock = "trusted";
  report.outcome = RunOutcome::kFailed;
  report.reason = "schedule_changed";
  report.counted = false;
  report.classes = {{"contact", 101, 70, 5, 3, 2, 1, 9, 11, 4},
                    {std::string(kClientItself), 17, 0, 0, 0, 0, 0, 17, 0, 0},
                    {std::string(kOtherClasses), 2, 2, 0, 0, 0, 0, 0, 0, 0}};
  report.log = kOrigin;
  report.first_seq = 4711;
  report.last_seq = 4920;
  std::vector<RunReport> reports = {report};
  for (const char* reason : {"operator_incomplete", "time_zone_unknown"}) {
    report.reason = reason;
    report.clock = report.clock == "trusted" ? "suspect" : "unknown";
    reports.push_back(report);
  }
  report.version = 1;
  report.outcome = RunOutcome::kFinished;
  report.reason.clear();
  report.counted = true;
  report.classes.resize(1);
  reports.push_back(report);
  RunReport empty = report;
  empty.version = kNewestRunReport;
  empty.trigger = RunTrigger::kScheduled;
  empty.requested_by.clear();
  empty.classes.clear();
  reports.push_back(empty);
  return reports;
}

// Every code that the catalogue has words for, each in an entry of its own.
inline std::vector<Entry> EntriesOfAllCodes() {
  std::vector<Entry> entries;
  const auto each = [&](std::string_view prefix, const auto& set) {
    for (const auto& [key, text] : MessagesIn(PageLanguage::kEnglish)) {
      if (!key.starts_with(prefix)) continue;
      Entry entry = TestLog::Reading();
      entry.actor = kActor;
      entry.client = kClient;
      entry.class_name = "contact";
      entry.fields = {"email", "phone"};
      entry.purpose = "client-care";
      entry.outcome = "ok";
      set(entry, key.substr(prefix.size()));
      entries.push_back(entry);
    }
  };
  each("action.", [](Entry& entry, std::string code) { entry.action = code; });
  each("outcome.", [](Entry& entry, std::string code) { entry.outcome = code; });
  each("auth.", [](Entry& entry, std::string code) { entry.auth = code; });
  each("rule.check.", [](Entry& entry, const std::string& code) {
    entry.rule = "check:" + code;
    entry.decision = Decision::kDeny;
  });
  for (const char* rule : {"role:case-worker", "lease:lea_1", "emergency:eme_1", "self"}) {
    entries.push_back(entries.front());
    entries.back().rule = rule;
    entries.back().detail = "ticket 5; evidence of something";
  }
  for (const ActorKind kind : {ActorKind::kUser, ActorKind::kService, ActorKind::kSystem}) {
    entries.push_back(entries.front());
    entries.back().actor_kind = kind;
    entries.back().note_hash = NoteCommitment(TestSalt(), "6");
  }
  entries.push_back(entries.front());
  entries.back().actor.clear();
  entries.back().client.clear();
  return entries;
}

inline std::vector<Evidence> SampleEvidence() {
  TestLog log;
  std::int64_t second = 0;
  for (const Entry& entry : EntriesOfAllCodes()) log.Append(entry, At(second++));
  std::vector<Evidence> all;
  for (const EvidenceKind kind :
       {EvidenceKind::kClient, EvidenceKind::kPrincipal, EvidenceKind::kRange}) {
    for (const bool complete : {true, false}) {
      Evidence evidence = EvidenceOf(log, kind,
                                     kind == EvidenceKind::kClient      ? kClient
                                     : kind == EvidenceKind::kPrincipal ? kActor
                                                                        : "");
      evidence.reason = "17";
      evidence.complete = complete;
      evidence.names.classes["contact"] = "8";
      evidence.names.fields["contact"]["email"] = "9";
      evidence.names.purposes["client-care"] = "10";
      for (std::uint64_t seq = 0; seq < log.Head().size; ++seq) AddEntry(evidence, log, seq);
      for (EvidenceEntry& entry : evidence.entries) {
        if (complete && ParseEntry(entry.bytes)->note_hash) {
          entry.note = OpenedNote{TestSalt(), "6"};
        }
      }
      if (complete) evidence.from = At(3);
      if (complete) evidence.to = At(second - 3);
      all.push_back(std::move(evidence));
    }
  }
  Evidence empty = all[0];
  empty.entries.clear();
  all.push_back(std::move(empty));
  return all;
}

inline std::vector<SamplePage> MakeSamplePages(PageLanguage language) {
  std::vector<SamplePage> pages;
  for (const ErasureAct& act : SampleActs()) {
    const auto action = act.replayed ? "erasure.replayed" : "client.erase";
    const Delivered delivered(act, [&](Entry& entry) { entry.action = action; });
    pages.push_back({"act", ActPage(delivered.act, delivered.note, language)});
  }
  for (const RunReport& report : SampleRunReports()) {
    const auto note = WriteRunReport(report, kOrigin, LogKey());
    REQUIRE(note);
    pages.push_back({"run-report", RunReportPage(report, *note, language)});
  }
  for (const Evidence& evidence : SampleEvidence()) {
    pages.push_back({"evidence", RenderEvidencePage(evidence, language)});
  }
  return pages;
}

inline const std::vector<SamplePage>& SamplePages(PageLanguage language) {
  static std::map<PageLanguage, std::vector<SamplePage>> made;
  const auto [found, is_new] = made.try_emplace(language);
  if (is_new) found->second = MakeSamplePages(language);
  return found->second;
}

}  // namespace coffer::audit
