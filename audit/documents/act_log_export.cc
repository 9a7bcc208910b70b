#include "audit/documents/act_log_export.h"

#include <cstdlib>

#include "audit/documents/act_json.h"
#include "audit/documents/messages.h"
#include "audit/documents/statement_words.h"
#include "audit/text/csv_cell.h"

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

// What the act states, as it is signed or in the words of another language.
class ExportWords {
 public:
  explicit ExportWords(PageLanguage language) : language_(language) {}

  std::string Reason(const ErasureReason& reason) const {
    std::string text =
        Word(std::string("act.reason.").append(Name(reason.kind)), std::string(Name(reason.kind))) +
        " " + reason.id;
    if (reason.version != 0) {
      text += signed_ ? " version " : ", " + Word("object.version", "") + " ";
      text += std::to_string(reason.version);
    }
    return text;
  }
  std::string Of(const std::string& stated) const {
    return signed_ ? stated : StatementWords(stated, language_, {});
  }

 private:
  std::string Word(std::string_view key, const std::string& as_signed) const {
    return signed_ ? as_signed : Say(MessagesIn(language_), key);
  }

  PageLanguage language_;
  bool signed_ = language_ == PageLanguage::kEnglish;
};

std::string ExportCsv(const ErasureAct& act, PageLanguage language) {
  const ExportWords words(language);
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
    cell(category == nullptr ? "" : words.Of(category->title));
    cell(category == nullptr ? "" : std::to_string(category->records));
    cell(category == nullptr ? "" : std::to_string(category->versions));
    cell(act.details.system);
    cell(words.Reason(act.reason));
    cell(words.Of(act.reason.legal_basis));
    out.push_back('\n');
  };
  for (const DestroyedCategory& category : act.categories) line(&category);
  if (act.categories.empty()) line(nullptr);
  return out;
}

}  // namespace

std::string ActLogExport(const ErasureAct& act, ActExportFormat format, PageLanguage language) {
  switch (format) {
    case ActExportFormat::kJson:
      return ExportJson(act);
    case ActExportFormat::kCsv:
      return ExportCsv(act, language);
  }
  std::abort();
}

}  // namespace coffer::audit
