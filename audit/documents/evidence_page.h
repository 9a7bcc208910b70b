// An evidence bundle as one page for reading: HTML without scripts and without anything from
// elsewhere, in the languages of audit/messages/. Nothing of an entry is taken as markup; what does
// not show is shown by its code point.
#pragma once

#include <cstddef>
#include <string>

#include "audit/documents/evidence.h"
#include "audit/documents/page_language.h"

namespace coffer::audit {

// More entries than a browser shows well are left out, and the page says so.
inline constexpr std::size_t kMaxPageEntries = 10'000;

// Summary by who acted (of a principal: by client), then the entries. One that cannot be parsed is
// shown as it is.
std::string RenderEvidencePage(const Evidence& evidence, PageLanguage language);

}  // namespace coffer::audit
