#include "audit/verify/remembered.h"

#include "audit/text/lines.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kStateStart = "coffer-log-state-v1\n";

}  // namespace

std::string FormatRemembered(const RememberedLog& remembered) {
  return std::string(kStateStart) + FormatVerifierKey(remembered.key) + "\n\n" + remembered.note;
}

Result<RememberedLog> ParseRemembered(std::string_view text) {
  const auto malformed = [](std::string detail) {
    return Fail(Code::kCorrupted, "state_malformed", std::move(detail));
  };
  if (!text.starts_with(kStateStart)) return malformed("not a log's remembered state");
  text.remove_prefix(kStateStart.size());
  const auto line = TakeLine(text);
  const auto blank = line ? TakeLine(text) : std::nullopt;
  if (!blank || !blank->empty()) return malformed("no blank line behind the key");
  auto key = ParseVerifierKey(*line);
  if (!key) return malformed(key.error().detail);
  if (const auto checkpoint = VerifyCheckpoint(text, *key); !checkpoint) {
    return malformed(checkpoint.error().detail);
  }
  return RememberedLog{*std::move(key), std::string(text)};
}

}  // namespace coffer::audit
