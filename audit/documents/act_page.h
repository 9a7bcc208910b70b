// The act of an erasure as one page for reading and printing, in the languages of audit/messages/:
// the items of order 179 in its order and, in Russian, in its words, then what else the act says.
// As evidence pages it runs and loads nothing, and nothing of the act is taken as markup.
#pragma once

#include <string>
#include <string_view>

#include "audit/documents/erasure_act.h"
#include "audit/documents/page_language.h"
#include "audit/documents/page_names.h"

namespace coffer::audit {

// `note` is the act's signed note. The page shows its signature lines; nothing is verified. What
// the vault itself states in the act is said in the language; what people wrote stays as it is.
std::string ActPage(const ErasureAct& act, std::string_view note, PageLanguage language,
                    const PageNames& names = {});

}  // namespace coffer::audit
