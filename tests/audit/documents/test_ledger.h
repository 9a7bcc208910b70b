// Erasures and the lines that a ledger has of them.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_ledger.h"
#include "tests/audit/documents/test_act.h"

namespace coffer::audit {

inline std::vector<VerifierKey> LedgerKeys() { return {LogVerifier()}; }

inline std::string NumberedId(std::string_view prefix, std::size_t number) {
  crypto::Id128 id{1, 2, 3};
  id[14] = static_cast<std::uint8_t>(number >> 8);
  id[15] = static_cast<std::uint8_t>(number);
  return std::string(prefix) + crypto::Base32Encode(id);
}

inline LedgerErasure ErasureNo(std::size_t number) {
  return {std::string(kTestVault),
          NumberedId("era_", number),
          NumberedId("cli_", number),
          {ScopeKind::kClient},
          {},
          100 + number,
          {1'767'323'045'000}};
}

inline LedgerErasure RecordsErasure(std::size_t records) {
  LedgerErasure erasure = ErasureNo(7);
  erasure.scope = {ScopeKind::kRecords};
  for (std::size_t i = 0; i < records; ++i) erasure.records.push_back(NumberedId("rec_", i));
  return erasure;
}

inline std::string Lines(const std::vector<LedgerErasure>& erasures,
                         const crypto::SigningKey& key = LogKey()) {
  LedgerHead head;
  std::string text;
  for (const LedgerErasure& erasure : erasures) {
    const auto lines = WriteLedgerLines(erasure, head, kOrigin, key);
    if (!lines) FAIL(lines.error().detail);
    text += *lines;
  }
  return text;
}

// A client, a class, and three records.
inline std::string ThreeLines() {
  LedgerErasure of_class = ErasureNo(1);
  of_class.scope = {ScopeKind::kClass, "contact"};
  return Lines({ErasureNo(0), of_class, RecordsErasure(3)});
}

struct LedgerReading {
  Status status;
  LedgerState state;
  std::vector<LedgerLine> lines;
  // "" or what is wrong.
  std::string problem() const { return status ? "" : status.error().detail; }
};

inline LedgerReading ReadLedger(std::string_view text, std::size_t piece = 1000,
                                std::vector<VerifierKey> keys = LedgerKeys(),
                                LedgerSignatures signatures = LedgerSignatures::kOfEachLine) {
  LedgerReading reading;
  LedgerReader reader(
      std::move(keys),
      [&](const LedgerLine& line) -> Status {
        reading.lines.push_back(line);
        return {};
      },
      signatures);
  while (!text.empty() && reading.status) {
    reading.status = reader.Feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  if (reading.status) reading.status = reader.Finish();
  reading.state = reader.state();
  return reading;
}

}  // namespace coffer::audit
