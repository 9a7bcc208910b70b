#include "api/cli/verify/verify_evidence.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/files/input_kind.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "audit/documents/evidence_bundle.h"
#include "audit/entries/succession.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxBundle = std::size_t{512} << 20;

nlohmann::json JsonOf(const audit::EvidenceReport& report) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : report.findings) {
    nlohmann::json one = {{"check", finding.check}, {"message", finding.message}};
    if (finding.seq) one["seq"] = *finding.seq;
    findings.push_back(std::move(one));
  }
  nlohmann::json answer = {{"ok", report.ok()},         {"kind", audit::Name(report.kind)},
                           {"origin", report.log},      {"subject", report.subject},
                           {"entries", report.entries}, {"denied", report.denied},
                           {"reasons", report.reasons}, {"findings", std::move(findings)}};
  if (report.checkpoint) answer["checkpoint_size"] = report.checkpoint->size;
  return answer;
}

const char* HowComplete(const audit::EvidenceReport& report) {
  using enum audit::EvidenceReport::Completeness;
  switch (report.completeness) {
    case kProven:
      return "proven by the log's chain: nothing of that time is left out";
    case kClaimed:
      return "the vault's word: its signature says that nothing is left out";
    case kNotClaimed:
      break;
  }
  return "not said";
}

}  // namespace

Outcome<Exit> VerifyEvidenceFile(const std::string& path, const audit::VerifierKey& key,
                                 bool json_wanted, Console& console) {
  COFFER_ASSIGN(const std::string bundle, ReadInputFile(path, kMaxBundle));
  COFFER_TRY(ExpectKind(path, bundle, InputKind::kEvidence));
  auto report = audit::VerifyEvidence(crypto::AsBytes(bundle), key);
  if (!report.log.empty() && !audit::IsSameLog(report.log, key.name)) {
    return std::unexpected(OfAnotherLog(path, report.log, key.name));
  }
  // It was made under another name of the log, by the same keys.
  if (!report.log.empty() && report.log != key.name) {
    report = audit::VerifyEvidence(crypto::AsBytes(bundle), {report.log, key.key});
  }
  const Exit exit = report.ok() ? Exit::kOk : Exit::kDamaged;
  if (json_wanted) {
    PrintJson(console, JsonOf(report));
    return exit;
  }
  PrintFields(console,
              {{"evidence of", std::string(audit::Name(report.kind)) + " " + report.subject},
               {"log", report.log},
               {"made", audit::FormatTimestamp(report.created) + " by " + report.requested_by},
               {"made because", report.reason},
               {"entries", Grouped(report.entries)},
               {"of these denied", Grouped(report.denied)},
               {"complete", HowComplete(report)}});
  for (const auto& finding : report.findings) {
    console.out << "  " << Printable(finding.check) << ": "
                << (finding.seq ? "entry " + std::to_string(*finding.seq) + ": " : "")
                << Printable(finding.message) << '\n';
  }
  console.out << (report.ok() ? "OK: every entry is in the log that was signed, unchanged.\n"
                              : "DAMAGED: do not rely on this bundle.\n");
  return exit;
}

}  // namespace coffer::cli
