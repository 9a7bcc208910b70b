#include "audit/tlog/checkpoint.h"
#include "tests/fuzz/fuzz.h"

COFFER_FUZZ(FuzzAnchor)(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = coffer::fuzz::Text(data, size);
  const auto anchor = coffer::audit::ParseAnchor(text);
  if (!anchor) return 0;
  coffer::fuzz::Require(coffer::audit::FormatAnchor(*anchor) == text, "an anchor has one spelling");
  return 0;
}
