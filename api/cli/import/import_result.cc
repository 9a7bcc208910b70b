#include "api/cli/import/import_result.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

namespace coffer::cli {
namespace {

constexpr std::size_t kLeftOutOnScreen = 20;
constexpr std::size_t kColumnsOnScreen = 50;

const char* ResultName(const ImportRunResult& result, bool dry_run) {
  const ImportTally& tally = result.tally;
  if (!result.outcome) return "incomplete";
  if (tally.refusals.size() > tally.erased) return "rows_refused";
  if (tally.erased > 0) return "rows_erased_before";
  if (tally.needing_record > 0) return "good_if_records_exist";
  if (!tally.left_out.empty()) return dry_run ? "good_without_fields" : "stored_without_fields";
  return dry_run ? "good" : "stored";
}

}  // namespace

std::string Describe(const Refusal& refusal) {
  std::string text = "line " + std::to_string(refusal.line);
  if (!refusal.column.empty()) text += ", column \"" + refusal.column + "\"";
  if (!refusal.field.empty()) text += ", field " + refusal.field;
  if (!refusal.shape.empty()) text += ", written " + refusal.shape;
  return text + ": " + refusal.message;
}

void TellLeftOut(const ImportPlan& plan, const ImportRunResult& result, bool reported,
                 Console& console) {
  const auto& left_out = result.tally.left_out;
  if (!plan.unmapped.empty()) {
    std::string names;
    for (std::size_t i = 0; i < std::min(plan.unmapped.size(), kColumnsOnScreen); ++i) {
      names += (names.empty() ? "\"" : ", \"") + plan.unmapped[i] + "\"";
    }
    if (plan.unmapped.size() > kColumnsOnScreen) {
      names += " and " + Grouped(plan.unmapped.size() - kColumnsOnScreen) + " more";
    }
    console.err << "Nothing was taken from these columns: " << Printable(names) << '\n';
  }
  if (!result.footer.empty()) {
    console.err << "Lines " << result.footer.front() << " to " << result.footer.back()
                << " are the file's footer, and no rows.\n";
  }
  if (left_out.empty()) return;
  console.err << Grouped(left_out.size()) << (left_out.size() == 1 ? " field was" : " fields were")
              << " left out of rows that are good without"
              << (reported ? "; the report lists them.\n" : ":\n");
  if (reported) return;
  for (std::size_t i = 0; i < std::min(left_out.size(), kLeftOutOnScreen); ++i) {
    console.err << Printable(Describe(left_out[i])) << '\n';
  }
  if (left_out.size() > kLeftOutOnScreen) {
    console.err << "... and " << Grouped(left_out.size() - kLeftOutOnScreen)
                << " more: --report FILE lists them all.\n";
  }
}

void AddResult(const ImportPlan& plan, const ImportRunResult& result, bool dry_run,
               nlohmann::json& summary) {
  auto left_out = nlohmann::json::array();
  for (const Refusal& one : result.tally.left_out) {
    left_out.push_back({{"line", one.line},
                        {"column", one.column},
                        {"field", one.field},
                        {"shape", one.shape},
                        {"message", one.message}});
  }
  summary["fields_left_out"] = left_out.size();
  summary["left_out"] = std::move(left_out);
  summary["unmapped_columns"] = plan.unmapped;
  summary["footer_lines"] = result.footer;
  summary["dry_run"] = dry_run;
  if (dry_run) {
    summary["good"] = result.tally.checked;
    summary["good_if_records_exist"] = result.tally.needing_record;
  }
  summary["result"] = ResultName(result, dry_run);
}

void TellDryRun(const ImportRunResult& result, Console& console) {
  console.err << "Nothing was sent. " << Grouped(result.tally.checked) << " of "
              << Grouped(result.rows) << " rows are good as far as the file and the class tell.\n";
  if (result.tally.needing_record > 0) {
    console.err
        << Grouped(result.tally.needing_record)
        << " more have not all that the class requires: they are good only for records that "
           "are there already.\n";
  }
  console.err << "Only the vault knows "
                 "which clients there are, which were erased before, and what you may write.\n";
}

Exit ExitOf(const ImportRunResult& result) {
  const ImportTally& tally = result.tally;
  if (tally.refusals.size() > tally.erased) return Exit::kRowsRefused;
  if (tally.erased > 0) return Exit::kRowsErased;
  return tally.left_out.empty() && tally.needing_record == 0 ? Exit::kOk : Exit::kFieldsLeftOut;
}

}  // namespace coffer::cli
