// The export of the event log that order 179 asks for beside the act: the same subject, categories,
// information system, reason and date, in a form for other programs.
#pragma once

#include <string>

#include "audit/documents/erasure_act.h"
#include "audit/documents/page_language.h"

namespace coffer::audit {

enum class ActExportFormat { kJson, kCsv };

// kJson: canonical JSON
// {"categories","date","erasure","format":"coffer-erasure-log-export-v1","log",
// "log_seq","reason","subject","system"}, each as the act has it; no newline at its end.
// kCsv: as entry_csv.h has it, a header and a line for each category (one without, where there is
// none): erasure, log_seq, date, client, reference, class, title, records, versions, system,
// reason, legal_basis. The reason is "policy NAME version N" or "request ID". In another language
// than English the cells title, reason and legal_basis are in its words; the columns' names and all
// of kJson are not.
std::string ActLogExport(const ErasureAct& act, ActExportFormat format,
                         PageLanguage language = PageLanguage::kEnglish);

}  // namespace coffer::audit
