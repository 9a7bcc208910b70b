#include "api/cli/text/drill_view.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>

#include "crypto/encoding.h"

namespace coffer::cli {
namespace {

using audit::DrillComparison;
using nlohmann::json;

std::string Seconds(std::uint64_t milliseconds) {
  const std::string thousandths = std::to_string(1000 + milliseconds % 1000);
  return Grouped(milliseconds / 1000) + "." + thousandths.substr(1) + " s";
}

std::string ComparedWith(const audit::DrillReport& report) {
  const std::string size = Grouped(report.compared_size);
  switch (report.comparison) {
    case DrillComparison::kNone:
      return "with nothing: no checkpoint was given";
    case DrillComparison::kContains:
      return "it contains the checkpoint of " + size + " entries";
    case DrillComparison::kContinues:
      return "it is the beginning of the log of " + size + " entries, which was proved";
    case DrillComparison::kUnproven:
      return "NOT: the checkpoint is of " + size +
             " entries, and there was no proof of what lies "
             "between";
    case DrillComparison::kDiffers:
      return "it is NOT the log of the checkpoint of " + size + " entries";
  }
  return {};
}

}  // namespace

json JsonOfDrill(const audit::DrillReport& report) {
  json answer = {{"outcome", Name(report.outcome)},
                 {"started", audit::FormatTimestamp(report.started)},
                 {"finished", audit::FormatTimestamp(report.finished)},
                 {"vault", report.vault},
                 {"origin", report.log},
                 {"data_repository", report.data_repository},
                 {"keys_repository", report.keys_repository},
                 {"increments", report.increments},
                 {"log_size", report.log_size},
                 {"root", crypto::HexEncode(report.root)},
                 {"erasures_repeated", report.erasures_repeated},
                 {"acts_repeated", report.acts_repeated},
                 {"acts_not_repeated", report.acts_not_repeated},
                 {"clients_checked", report.clients},
                 {"records_checked", report.records},
                 {"versions_checked", report.versions},
                 {"comparison", Name(report.comparison)},
                 {"compared_size", report.compared_size},
                 {"restore_ms", report.restore_ms},
                 {"open_ms", report.open_ms},
                 {"verify_ms", report.verify_ms},
                 {"findings", report.findings}};
  if (!report.generation.empty()) answer["generation"] = report.generation;
  if (!report.keys_generation.empty()) answer["keys_generation"] = report.keys_generation;
  if (report.moment) answer["moment"] = audit::FormatTimestamp(*report.moment);
  return answer;
}

void PrintDrill(const audit::DrillReport& report, Console& console) {
  PrintFields(
      console,
      {{"drill of", audit::FormatTimestamp(report.started)},
       {"vault", report.vault},
       {"log", report.log},
       {"generation", report.generation},
       {"increments", report.generation.empty() ? "" : Grouped(report.increments)},
       {"as of", report.moment ? audit::FormatTimestamp(*report.moment) : ""},
       {"keys", report.keys_generation},
       {"data repository", report.data_repository},
       {"keys repository", report.keys_repository},
       {"entries", Grouped(report.log_size)},
       {"compared", ComparedWith(report)},
       {"repeated", Grouped(report.erasures_repeated) + " erasures, " +
                        Grouped(report.acts_repeated) + " other acts" +
                        (report.acts_not_repeated > 0
                             ? "; " + Grouped(report.acts_not_repeated) + " are for a person"
                             : "")},
       {"verified", Grouped(report.clients) + " clients, " + Grouped(report.records) +
                        " records, " + Grouped(report.versions) + " older versions"},
       {"took", Seconds(report.restore_ms) + " to restore, " + Seconds(report.open_ms) +
                    " to open, " + Seconds(report.verify_ms) + " to verify"}});
  for (const auto& finding : report.findings) console.out << "  " << Printable(finding) << '\n';
  if (report.outcome == audit::DrillOutcome::kPassed) {
    console.out << "PASSED: from these two repositories and this root key the vault can be opened, "
                   "and is what its log says.\nNot shown: that what was acknowledged later can be "
                   "restored, and that a server can be reached there.\n";
  } else {
    console.out << "FAILED: a restore from these repositories is not the vault, or not all of "
                   "it.\n";
  }
}

}  // namespace coffer::cli
