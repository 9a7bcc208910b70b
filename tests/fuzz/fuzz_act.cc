// Read as a delivered document and as a signed note.
#include "audit/documents/act_document.h"
#include "audit/documents/act_log_export.h"
#include "audit/documents/act_page.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/golden_key.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzAct)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  const audit::VerifierKey trusted[] = {coffer::fuzz::GoldenKey()};
  const auto report = audit::VerifyAct(text, trusted);
  Require(!report.ok() || (report.act && report.signed_by && report.checkpoint),
          "what verifies was read, signed and proven");
  Require(!audit::VerifyAct(text, {}).ok(), "nothing verifies without a key");
  if (report.act) {
    const std::string page = audit::ActPage(*report.act, text, audit::PageLanguage::kRussian);
    Require(!page.contains("<script"), "texts are no markup");
    const std::string csv = audit::ActLogExport(*report.act, audit::ActExportFormat::kCsv);
    Require(csv.find_first_of("\r\t\x1b") == std::string::npos,
            "a table has no control characters");
  }
  const auto act = audit::ParseAct(text);
  if (!act) {
    Require(act.error().reason == "act_malformed", "a refused note is malformed");
    return 0;
  }
  const auto document = audit::AssembleAct(text, "", "");
  Require(document.has_value(), "an act that was read can be delivered");
  const auto again = audit::VerifyAct(*document, trusted);
  Require(again.act == *act && !again.ok(), "it is the same act, and proves nothing");
  return 0;
}
