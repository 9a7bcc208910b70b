#include "audit/verify/remembered.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzRemembered)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  const auto state = audit::ParseRemembered(text);
  if (!state) {
    Require(state.error().reason == "state_malformed", "a refused state is malformed");
    return 0;
  }
  Require(audit::FormatRemembered(*state) == text, "a state has one spelling");
  Require(audit::VerifyCheckpoint(state->note, state->key).has_value(), "a state is verified");
  return 0;
}
