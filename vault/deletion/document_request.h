// How a signed document is wanted.
#pragma once

#include <cstdint>

#include "audit/documents/page_language.h"

namespace coffer::vault {

// How a signed document is wanted.
enum class DocumentForm : std::uint8_t { kDocument, kPage, kLogJson, kLogCsv };

struct DocumentRequest {
  DocumentForm form = DocumentForm::kDocument;
  // Of a page, and of the words in a log export as CSV.
  audit::PageLanguage language = audit::PageLanguage::kEnglish;
};

}  // namespace coffer::vault
