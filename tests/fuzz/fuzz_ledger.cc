// A ledger in one piece, and again byte by byte.
#include "audit/documents/erasure_ledger.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/golden_key.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzLedger)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  std::uint64_t lines = 0;
  audit::LedgerReader whole({coffer::fuzz::GoldenKey()}, [&](const audit::LedgerLine& line) {
    Require(line.at.n == lines++, "lines are numbered without a gap");
    return coffer::Status();
  });
  audit::LedgerReader pieces({coffer::fuzz::GoldenKey()});
  const coffer::Status fed = whole.Feed(text);
  coffer::Status fed_in_pieces;
  for (std::size_t i = 0; i < size && fed_in_pieces; ++i) {
    fed_in_pieces = pieces.Feed(text.substr(i, 1));
  }
  Require(whole.state().head == pieces.state().head, "pieces make no difference");
  Require(fed.has_value() == fed_in_pieces.has_value(), "pieces make no difference to damage");
  Require(fed || fed.error().reason == "ledger_damaged", "what is refused is damaged");
  Require(whole.state().head.n == lines, "each line was told");
  const audit::LedgerState state = whole.state();
  Require(!fed || state.whole_bytes + state.torn_bytes == size, "each byte was read");
  if (const auto line = audit::ParseLedgerLine(text.substr(0, text.find('\n')))) {
    Require(line->erasure.records.size() <= audit::kMaxLedgerRecords, "a line has a bound");
  }
  return 0;
}
