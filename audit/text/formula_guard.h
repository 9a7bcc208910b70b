// Cells that a spreadsheet would run: which they are, and the apostrophe in front that keeps them
// text. docs/formats.md, "Guards against formulas".
#pragma once

#include <string_view>

namespace coffer::audit {

// Begins, also behind spaces, with = + - @ |, their wide forms, TAB, CR or LF, and is neither a
// plain number ("-12.50") nor a telephone number ("+7 (495) 555-01-20"). One whose digits stand
// between signs alone ("+7-495-555") is computed, and counts as a formula.
bool StartsFormula(std::string_view text);

// Whether a table that is to be read again puts an apostrophe in front: of what starts a formula,
// of nothing, and of what has blanks at an end; with or without apostrophes of its own in front, so
// that taking one off again is never a guess.
bool NeedsGuard(std::string_view text);

// A cell that has such an apostrophe: taking it off gives what was written.
bool IsGuarded(std::string_view cell);

}  // namespace coffer::audit
