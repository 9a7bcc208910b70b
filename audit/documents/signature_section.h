// The part of a signed document's page that tells of its signature.
#pragma once

#include <string>
#include <string_view>

namespace coffer::audit {

// CSS behind the common one: documents are printed upright.
inline constexpr std::string_view kDocumentStyle =
    "dl{grid-template-columns:minmax(9rem,22rem) 1fr}\n"
    "@media print{@page{size:A4 portrait}body{font-size:11px}}\n";

// Signature lines of a signed note, each as <div><code>; nothing where there is none.
std::string SignatureLinesHtml(std::string_view note);
// SHA-256 of the note as <code>.
std::string NoteHashHtml(std::string_view note);

}  // namespace coffer::audit
