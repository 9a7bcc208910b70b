// The register of processing for people and for spreadsheets: the same facts in the order in which
// an authority asks for them, in the words of audit/messages/.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "audit/documents/page_language.h"

namespace coffer::cli {

inline constexpr std::string_view kProcessingOrders[] = {"gdpr", "ru-152fz", "pipl"};

struct RegisterSection {
  std::string name;     // "purposes": the same in each language
  std::string heading;  // in words
  std::string article;  // that asks for it; empty: none of this order
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // none: nothing is said
};
struct RegisterView {
  std::string title, order;  // in words
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<RegisterSection> sections;
  bool complete = false;
};

// `answer`: of GET /v1/processing, or of GET /v1/processing/versions/{version}. What is absent of
// it, or of another type, reads as nothing.
RegisterView ViewOfProcessing(const nlohmann::json& answer, std::string_view order,
                              audit::PageLanguage language);

void PrintProcessing(const RegisterView& view, audit::PageLanguage language, Console& console);
// Columns section, row, column, value: a line for each cell that has something.
std::string ProcessingCsv(const RegisterView& view);
// A page on its own, without scripts.
Outcome<std::string> ProcessingPage(const RegisterView& view, audit::PageLanguage language);

}  // namespace coffer::cli
