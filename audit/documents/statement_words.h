// What a signed document states, in the reader's language (stated_text.h).
#pragma once

#include <string>
#include <string_view>

#include "audit/documents/page_language.h"
#include "audit/documents/page_names.h"

namespace coffer::audit {

// A sentence of the vault's own in the language; anything else as it is.
std::string StatementWords(std::string_view stated, PageLanguage language, const PageNames& names);

}  // namespace coffer::audit
