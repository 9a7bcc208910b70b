// The titles that classes, their fields and purposes have now, for pages that outsiders read.
#pragma once

#include "audit/documents/page_names.h"
#include "vault/catalog/catalog_store.h"

namespace coffer::vault {

audit::PageNames PageNamesOf(const Catalog& catalog);
// Empty where there is none.
std::string ClassTitle(const Catalog& catalog, std::string_view class_name);

}  // namespace coffer::vault
