// Times for reading, in the language's form and with their zone. Whatever is shown is UTC.
#pragma once

#include <string>

#include "audit/documents/page_language.h"
#include "audit/text/clock.h"

namespace coffer::audit {

// "2. Januar 2026, 03:04:05 UTC"
std::string LongTimeText(Timestamp ts, PageLanguage language);
// "02.01.2026 03:04:05,000 UTC", for tables.
std::string ShortTimeText(Timestamp ts, PageLanguage language);

}  // namespace coffer::audit
