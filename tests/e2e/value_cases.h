// Files by what stands in their cells: telephones, e-mails, dates, numbers, lists, profiles.
#pragma once

#include "tests/e2e/import_case.h"

namespace coffer::testing {

inline std::vector<ImportCase> ValueCases() { return {}; }

}  // namespace coffer::testing
