#include "audit/entries/entry_csv.h"

#include "audit/text/csv_cell.h"

namespace coffer::audit {
std::string_view CsvHeader() {
  return R"("seq","ts","actor","actor_kind","auth","address","action","client","record","class",)"
         R"("fields","version","purpose","decision","rule","outcome","detail","request")"
         "\n";
}

void AppendCsv(const Entry& entry, std::string& out) {
  std::string fields;
  for (const std::string& field : entry.fields) {
    if (!fields.empty()) fields.push_back(' ');
    fields.append(field);
  }
  const std::string seq = std::to_string(entry.seq);
  const std::string ts = FormatTimestamp(entry.ts);
  const std::string version = entry.version == 0 ? "" : std::to_string(entry.version);
  const std::string_view kind =
      entry.actor_kind == ActorKind::kUnknown ? std::string_view() : Name(entry.actor_kind);
  const std::string_view cells[] = {seq,           ts,
                                    entry.actor,   kind,
                                    entry.auth,    entry.address,
                                    entry.action,  entry.client,
                                    entry.record,  entry.class_name,
                                    fields,        version,
                                    entry.purpose, Name(entry.decision),
                                    entry.rule,    entry.outcome,
                                    entry.detail,  entry.request};
  std::string line;
  for (const std::string_view cell : cells) AppendCsvCell(cell, line);
  out.append(line).push_back('\n');
}

}  // namespace coffer::audit
