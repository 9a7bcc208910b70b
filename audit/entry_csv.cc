#include "audit/entry_csv.h"

#include "audit/internal/visible_text.h"

namespace coffer::audit {
namespace {

// What spreadsheets take for a formula, also behind white space; the last four are the wide forms
// of the first four, which some of them treat alike.
bool StartsFormula(std::string_view text) {
  const auto start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  for (const std::string_view sign :
       {"=", "+", "-", "@", "\t", "\r", "\n", "|", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    if (text.starts_with(sign)) return true;
  }
  return false;
}

void AppendCell(std::string_view text, std::string& out) {
  if (out.ends_with('"')) out.push_back(',');
  out.push_back('"');
  if (StartsFormula(text)) out.push_back('\'');
  for (const char c : VisibleText(text)) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

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
  for (const std::string_view cell : cells) AppendCell(cell, line);
  out.append(line).push_back('\n');
}

}  // namespace coffer::audit
