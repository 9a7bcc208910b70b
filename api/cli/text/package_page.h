// The page of an access package that its client reads: one file, without scripts, in which nothing
// that records say is markup or turns the text around it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "api/cli/text/failure.h"
#include "audit/documents/page_language.h"

namespace coffer::cli {

// `package`: as JoinParts gives it. `contact`: who keeps the data; empty: it is not said. All of
// its sentences are "package." in audit/messages/.
Outcome<std::string> PackagePage(const nlohmann::json& package, audit::PageLanguage language,
                                 std::string_view contact);

}  // namespace coffer::cli
