// Log entries as comma-separated values (RFC 4180, lines end in LF), for spreadsheets.
//
// Every cell stands in quotes. A cell whose first visible character could start a formula gets an
// apostrophe in front, and characters that do not show are written as <U+XXXX>: the table is for
// reading, and the exact entries are the evidence.
#pragma once

#include <string>
#include <string_view>

#include "audit/entries/entry.h"

namespace coffer::audit {

// seq, ts, actor, actor_kind, auth, address, action, client, record, class, fields (separated by
// spaces), version, purpose, decision, rule, outcome, detail, request; with its LF.
std::string_view CsvHeader();

void AppendCsv(const Entry& entry, std::string& out);  // one line, with its LF

}  // namespace coffer::audit
