#include "audit/act_log_export.h"

#include <cstdlib>

#include "audit/csv_cell.h"
#include "audit/internal/act_json.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kExportFormat = "coffer-erasure-log-export-v1";

std::string ExportJson(const ErasureAct& act) {
  CanonicalWriter out;
  out.Open();
  WriteCategories(act, out);
  out.Time("date", act.date).Text("erasure", act.erasure).Text("format", kExportFormat);
  out.Text("log", act.log).Number("log_seq", act.log_seq);
  WriteReason(act, out);
  WriteSubject(act, out);
  out.Text("system", act.details.system).Close();
  return out.Take();
}

std::string ReasonCell(const ErasureReason& reason) {
  std::string text = std::string(Name(reason.kind)) + " " + reason.id;
  if (reason.version != 0) text += " version " + std::to_string(reason.version);
  return text;
}

std::string ExportCsv(const ErasureAct& act) {
  std::string out =
      R"("erasure","log_seq","date","client","reference","class","title","records","versions",)"
      R"("system","reason","legal_basis")"
      "\n";
  const auto line = [&](const DestroyedCategory* category) {
    const auto cell = [&](std::string_view text) { AppendCsvCell(text, out); };
    cell(act.erasure);
    cell(std::to_string(act.log_seq));
    cell(FormatTimestamp(act.date));
    cell(act.client);
    cell(act.reference);
    cell(category == nullptr ? "" : category->class_name);
    cell(category == nullptr ? "" : category->title);
    cell(category == nullptr ? "" : std::to_string(category->records));
    cell(category == nullptr ? "" : std::to_string(category->versions));
    cell(act.details.system);
    cell(ReasonCell(act.reason));
    cell(act.reason.legal_basis);
    out.push_back('\n');
  };
  for (const DestroyedCategory& category : act.categories) line(&category);
  if (act.categories.empty()) line(nullptr);
  return out;
}

}  // namespace

std::string ActLogExport(const ErasureAct& act, ActExportFormat format) {
  switch (format) {
    case ActExportFormat::kJson:
      return ExportJson(act);
    case ActExportFormat::kCsv:
      return ExportCsv(act);
  }
  std::abort();
}

}  // namespace coffer::audit
