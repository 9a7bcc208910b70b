// The act of an erasure as canonical JSON.
#pragma once

#include <string>

#include "audit/documents/canonical_json.h"
#include "audit/documents/erasure_act.h"

namespace coffer::audit {

inline constexpr std::string_view kActFormat = "coffer-erasure-act-v1";

std::string FormatActJson(const ErasureAct& act);
// Reads an act at the front; false for what is none. What FormatActJson writes otherwise is left to
// the caller's comparison.
bool ReadActJson(CanonicalReader& in, ErasureAct& act);

// Items that the log export repeats, each with its name.
void WriteSubject(const ErasureAct& act, CanonicalWriter& out);
void WriteCategories(const ErasureAct& act, CanonicalWriter& out);
void WriteReason(const ErasureAct& act, CanonicalWriter& out);

// What is wrong with an act: ids, scope, sizes, numbers. Empty: nothing.
std::string ActProblem(const ErasureAct& act);

}  // namespace coffer::audit
