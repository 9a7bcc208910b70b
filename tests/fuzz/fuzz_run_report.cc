// Read as a delivered document and as a signed note.
#include "audit/documents/run_report.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/golden_key.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzRunReport)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  const audit::VerifierKey trusted[] = {coffer::fuzz::GoldenKey()};
  const auto check = audit::VerifyRunReport(text, trusted);
  Require(!check.ok() || (check.report && check.signed_by), "what verifies was read and signed");
  if (check.report) {
    const std::string page =
        audit::RunReportPage(*check.report, text, audit::PageLanguage::kChinese);
    Require(!page.contains("<script"), "texts are no markup");
  }
  const auto report = audit::ParseRunReport(text);
  if (!report) {
    Require(report.error().reason == "run_report_malformed", "a refused note is malformed");
    return 0;
  }
  const auto document = audit::AssembleRunReport(text);
  Require(document && audit::VerifyRunReport(*document, trusted).report == *report,
          "what was read can be delivered, and is the same");
  return 0;
}
