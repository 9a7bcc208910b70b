#include "api/cli/verify/verify_documents.h"

#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/files/input_kind.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/drill_view.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/documents/act_document.h"
#include "audit/documents/drill_report.h"
#include "audit/documents/erasure_act.h"
#include "audit/documents/erasure_ledger.h"
#include "audit/documents/ledger_completeness.h"
#include "audit/documents/run_report.h"
#include "audit/entries/succession.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

json FindingsOf(const std::vector<audit::DocumentFinding>& findings) {
  json list = json::array();
  for (const auto& finding : findings) {
    list.push_back({{"check", finding.check}, {"message", finding.message}});
  }
  return list;
}

void PrintDocumentFindings(const std::vector<audit::DocumentFinding>& findings,
                           std::string_view well, Console& console) {
  for (const auto& finding : findings) {
    console.out << "  " << Printable(finding.check) << ": " << Printable(finding.message) << '\n';
  }
  if (findings.empty()) {
    console.out << "OK: " << well << '\n';
  } else {
    console.out << "DAMAGED: do not rely on this document.\n";
  }
}

std::string JoinedNames(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

json JsonOfAct(const audit::ActReport& report) {
  json answer = {
      {"ok", report.ok()}, {"missing", report.missing}, {"findings", FindingsOf(report.findings)}};
  if (report.act) {
    answer["erasure"] = report.act->erasure;
    answer["client"] = report.act->client;
    answer["scope"] = audit::FormatScope(report.act->scope);
    answer["date"] = audit::FormatTimestamp(report.act->date);
    if (report.act->replayed) {
      answer["first_date"] = audit::FormatTimestamp(report.act->replayed->date);
    }
    answer["origin"] = report.act->log;
    answer["seq"] = report.act->log_seq;
    answer["ledger_seq"] = report.act->ledger_seq;
  }
  if (report.signed_by) answer["signed_by"] = audit::FormatVerifierKey(*report.signed_by);
  if (report.checkpoint) answer["checkpoint_size"] = report.checkpoint->size;
  return answer;
}

std::string Backups(const audit::ErasureAct& act) {
  if (!act.backup_horizon_days) return "not known how long older ones can bring the data back";
  return "older ones can bring the data back for " + Grouped(*act.backup_horizon_days) + " days";
}

void PrintAct(const audit::ActReport& report, Console& console) {
  const audit::ErasureAct& act = *report.act;
  std::vector<std::string> destroyers, categories, kept;
  for (const auto& destroyer : act.destroyed_by) {
    destroyers.push_back(destroyer.name + " (" + destroyer.position + ", " +
                         std::string(audit::Name(destroyer.role)) + ")");
  }
  for (const auto& category : act.categories) {
    categories.push_back(category.class_name + " (" + Grouped(category.records) + " records, " +
                         Grouped(category.versions) + " versions)");
  }
  for (const auto& one : act.kept) kept.push_back(one.what + " (" + one.why + ")");
  std::string reason = std::string(audit::Name(act.reason.kind)) + " " + act.reason.id;
  if (act.reason.version != 0) reason += " version " + std::to_string(act.reason.version);
  PrintFields(
      console,
      {{"act of erasure", act.erasure},
       {"client", act.client},
       {"reference", act.reference},
       {"scope", audit::FormatScope(act.scope)},
       {"date", audit::FormatTimestamp(act.date)},
       {"repeats", act.replayed ? "the erasure of " + audit::FormatTimestamp(act.replayed->date) +
                                      ", after an older state was restored"
                                : ""},
       {"destroyed by", JoinedNames(destroyers)},
       {"categories", JoinedNames(categories)},
       {"method", std::string(audit::Name(act.method))},
       {"reason", reason},
       {"legal basis", act.reason.legal_basis},
       {"kept", JoinedNames(kept)},
       {"backups", Backups(act)},
       {"operator", act.details.name},
       {"system", act.details.system},
       {"vault", act.vault},
       {"log", act.log},
       {"entry", Grouped(act.log_seq) +
                     (report.entry_action.empty() ? "" : " (" + report.entry_action + ")")},
       {"signed size", report.checkpoint ? Grouped(report.checkpoint->size) : ""},
       {"lacks", JoinedNames(report.missing)}});
}

json JsonOfRun(const audit::RunReportCheck& check) {
  json answer = {{"ok", check.ok()}, {"findings", FindingsOf(check.findings)}};
  if (check.signed_by) answer["signed_by"] = audit::FormatVerifierKey(*check.signed_by);
  if (!check.report) return answer;
  const audit::RunReport& report = *check.report;
  answer["run"] = report.run;
  answer["origin"] = report.log;
  answer["trigger"] = audit::Name(report.trigger);
  answer["started"] = audit::FormatTimestamp(report.started);
  answer["finished"] = audit::FormatTimestamp(report.finished);
  answer["schedule_version"] = report.schedule_version;
  answer["first_seq"] = report.first_seq;
  answer["last_seq"] = report.last_seq;
  const bool whole = report.version != 1;
  if (whole) {
    answer["outcome"] = audit::Name(report.outcome);
    if (!report.reason.empty()) answer["reason"] = report.reason;
    if (!report.detail.empty()) answer["detail"] = report.detail;
    answer["counted"] = report.counted;
    answer["nothing_was_due"] = report.nothing_was_due();
  }
  answer["classes"] = json::array();
  for (const auto& counts : report.classes) {
    json row = {{"class", counts.class_name}, {"due", counts.due},
                {"erased", counts.erased},    {"restricted", counts.restricted},
                {"review", counts.review},    {"held", counts.held},
                {"failed", counts.failed}};
    if (whole) {
      row["waiting"] = counts.waiting;
      row["unreached"] = counts.unreached;
      row["unknown"] = counts.unknown;
    }
    answer["classes"].push_back(std::move(row));
  }
  return answer;
}

std::string OutcomeOf(const audit::RunReport& report) {
  if (report.version == 1) return "not said: the report is of the older form";
  std::string text(audit::Name(report.outcome));
  if (!report.reason.empty()) text += ": " + report.reason;
  if (!report.detail.empty()) text += " (" + report.detail + ")";
  if (!report.counted) text += "; how many were due and not reached is not known";
  if (report.nothing_was_due()) text += "; nothing was due";
  return text;
}

void PrintRun(const audit::RunReport& report, Console& console) {
  PrintFields(console,
              {{"report of run", report.run},
               {"ended", OutcomeOf(report)},
               {"started", audit::FormatTimestamp(report.started)},
               {"finished", audit::FormatTimestamp(report.finished)},
               {"by", report.requested_by.empty() ? std::string(audit::Name(report.trigger))
                                                  : report.requested_by},
               {"clock", report.clock},
               {"schedule", "version " + std::to_string(report.schedule_version)},
               {"vault", report.vault},
               {"log", report.log},
               {"entries", Grouped(report.first_seq) + " to " + Grouped(report.last_seq)}});
  const bool whole = report.version != 1;
  std::vector<std::string> head = {"CLASS",  "DUE",  "ERASED", "RESTRICTED",
                                   "REVIEW", "HELD", "FAILED"};
  if (whole) head.insert(head.end(), {"WAITING", "NOT REACHED", "CALENDAR ENDED"});
  Table table(std::move(head));
  for (const auto& counts : report.classes) {
    std::vector<std::string> row = {counts.class_name,      Grouped(counts.due),
                                    Grouped(counts.erased), Grouped(counts.restricted),
                                    Grouped(counts.review), Grouped(counts.held),
                                    Grouped(counts.failed)};
    if (whole) {
      row.insert(row.end(),
                 {Grouped(counts.waiting), Grouped(counts.unreached), Grouped(counts.unknown)});
    }
    table.Add(std::move(row));
  }
  if (!report.classes.empty()) table.Print(console);
}

struct LedgerFindings {
  audit::LedgerState state;
  std::string vault;
  std::string signed_by;  // the last line, which vouches for all
  audit::LedgerCompleteness lines;
  std::optional<Error> damage;
};

Outcome<LedgerFindings> ReadLedgerFile(const DocumentInput& input, InputFile& file) {
  LedgerFindings found;
  audit::LedgerReader reader(input.keys,
                             [&](const audit::LedgerLine& line) { return found.lines.Take(line); });
  std::array<char, 64 * 1024> piece{};
  while (!found.damage) {
    COFFER_ASSIGN(const std::size_t got, file.Read(piece));
    if (got == 0) break;
    if (const Status fed = reader.Feed({piece.data(), got}); !fed) found.damage = fed.error();
  }
  if (const Status finished = reader.Finish(); !finished && !found.damage) {
    found.damage = finished.error();
  }
  found.state = reader.state();
  found.vault = reader.vault();
  for (const audit::VerifierKey& key : input.keys) {
    if (reader.IsLastBy(key)) found.signed_by = audit::FormatVerifierKey(key);
  }
  return found;
}

// Also under the names that the log had later than the keys that were given.
std::vector<audit::VerifierKey> KeysUpTo(const DocumentInput& input, const std::string& log) {
  std::vector<audit::VerifierKey> keys = input.keys;
  for (const audit::VerifierKey& key : input.keys) {
    if (!audit::IsOrSucceeds(log, key.name)) continue;
    for (auto& named : audit::UnderAllNames({log, key.key})) keys.push_back(std::move(named));
  }
  return keys;
}

// A document names its log beside the signature: of another log, it says nothing of this one.
Outcome<void> CheckLogOf(const DocumentInput& input, const std::string& log) {
  for (const audit::VerifierKey& key : input.keys) {
    if (audit::IsSameLog(key.name, log)) return {};
  }
  return std::unexpected(OfAnotherLog(input.path, log, input.keys.front().name));
}

// That of a vault that has erased nothing is empty.
Outcome<bool> IsEmptyFile(InputFile& file) {
  char first = 0;
  COFFER_ASSIGN(const std::size_t size, file.Read({&first, 1}));
  COFFER_TRY(file.Rewind());
  return size == 0 && !file.IsReadOnce();
}

std::string_view LedgerVerdict(bool damaged, bool incomplete) {
  if (damaged) return "DAMAGED: do not restore by this ledger.\n";
  if (incomplete) {
    return "INCOMPLETE: lines were cut off. Do not restore by this ledger: records that were "
           "erased would be readable again.\n";
  }
  return "OK: no line was changed or taken out, and no erasure is there in part. Lines cut off at "
         "the end show only in comparison with the log.\n";
}

}  // namespace

Outcome<Exit> VerifyActFile(const DocumentInput& input, Console& console) {
  COFFER_ASSIGN(const std::string document,
                ReadInputFile(input.path, audit::kMaxActDocumentBytes + 1));
  COFFER_TRY(ExpectKind(input.path, document, InputKind::kAct));
  auto report = audit::VerifyAct(document, input.keys);
  if (report.act) {
    COFFER_TRY(CheckLogOf(input, report.act->log));
    report = audit::VerifyAct(document, KeysUpTo(input, report.act->log));
  }
  if (input.json) {
    PrintJson(console, JsonOfAct(report));
  } else {
    if (report.act) PrintAct(report, console);
    PrintDocumentFindings(report.findings,
                          "the vault signed this act, and its entry is in the log that was signed.",
                          console);
  }
  return report.ok() ? Exit::kOk : Exit::kDamaged;
}

Outcome<Exit> VerifyRunReportFile(const DocumentInput& input, Console& console) {
  COFFER_ASSIGN(const std::string document,
                ReadInputFile(input.path, audit::kMaxRunReportDocumentBytes + 1));
  COFFER_TRY(ExpectKind(input.path, document, InputKind::kRunReport));
  auto check = audit::VerifyRunReport(document, input.keys);
  if (check.report) {
    COFFER_TRY(CheckLogOf(input, check.report->log));
    check = audit::VerifyRunReport(document, KeysUpTo(input, check.report->log));
  }
  if (input.json) {
    PrintJson(console, JsonOfRun(check));
  } else {
    if (check.report) PrintRun(*check.report, console);
    PrintDocumentFindings(check.findings, "the vault signed this report.", console);
  }
  return check.ok() ? Exit::kOk : Exit::kDamaged;
}

Outcome<Exit> VerifyDrillReportFile(const DocumentInput& input, Console& console) {
  COFFER_ASSIGN(const std::string document,
                ReadInputFile(input.path, audit::kMaxDrillReportDocumentBytes + 1));
  COFFER_TRY(ExpectKind(input.path, document, InputKind::kDrillReport));
  auto check = audit::VerifyDrillReport(document, input.keys);
  if (check.report) {
    COFFER_TRY(CheckLogOf(input, check.report->log));
    check = audit::VerifyDrillReport(document, KeysUpTo(input, check.report->log));
  }
  if (input.json) {
    json answer = {{"ok", check.ok()}, {"findings", FindingsOf(check.findings)}};
    if (check.signed_by) answer["signed_by"] = audit::FormatVerifierKey(*check.signed_by);
    if (check.report) answer["drill"] = JsonOfDrill(*check.report);
    PrintJson(console, answer);
  } else {
    if (check.report) PrintDrill(*check.report, console);
    PrintDocumentFindings(check.findings, "who has the vault's root key signed this report.",
                          console);
  }
  return check.ok() ? Exit::kOk : Exit::kDamaged;
}

Outcome<Exit> VerifyLedgerFile(const DocumentInput& input, Console& console) {
  COFFER_ASSIGN(const auto file, InputFile::Open(input.path));
  COFFER_ASSIGN(const bool is_empty, IsEmptyFile(*file));
  if (!is_empty) COFFER_TRY(ExpectKindOfFile(*file, InputKind::kLedger));
  COFFER_ASSIGN(const LedgerFindings found, ReadLedgerFile(input, *file));
  std::vector<audit::DocumentFinding> findings;
  if (found.damage) findings.push_back({"ledger", found.damage->detail});
  const auto incomplete = found.lines.Incomplete();
  for (const auto& one : incomplete) {
    findings.push_back({"incomplete", "the erasure " + one.erasure + " of " + one.client +
                                          " lacks " + audit::MissingParts(one)});
  }
  // Behind damage nothing was read: there is no saying whether the end is torn.
  const std::uint64_t torn = found.damage ? 0 : found.state.torn_bytes;
  std::vector<std::string> uncertain;
  for (const auto& one : found.lines.Uncertain()) uncertain.push_back(one.erasure);
  if (input.json) {
    json answer = {{"ok", findings.empty()},
                   {"incomplete", !incomplete.empty()},
                   {"uncertain", uncertain},
                   {"lines", found.state.head.n},
                   {"erasures", found.lines.erasures()},
                   {"acts", found.lines.acts()},
                   {"torn_bytes", torn},
                   {"findings", FindingsOf(findings)}};
    if (!found.vault.empty()) answer["vault"] = found.vault;
    if (!found.damage && !found.signed_by.empty()) answer["signed_by"] = found.signed_by;
    PrintJson(console, answer);
    return findings.empty() ? Exit::kOk : Exit::kDamaged;
  }
  PrintFields(console, {{"ledger of vault", found.vault},
                        {"erasures", Grouped(found.lines.erasures())},
                        {"other acts", Grouped(found.lines.acts())},
                        {"lines that hold", Grouped(found.state.head.n)},
                        {"signed by", found.damage ? "" : found.signed_by}});
  if (torn != 0) {
    console.out << "The last line was not finished (" << Grouped(torn)
                << " bytes): a crash cut its writing short. The vault cuts it off.\n";
  }
  for (const std::string& erasure : uncertain) {
    console.out << "Lines of " << erasure
                << " may be missing: an older version did not write how many there are.\n";
  }
  for (const auto& finding : findings) console.out << "  " << Printable(finding.message) << '\n';
  console.out << LedgerVerdict(found.damage.has_value(), !incomplete.empty());
  return findings.empty() ? Exit::kOk : Exit::kDamaged;
}

}  // namespace coffer::cli
