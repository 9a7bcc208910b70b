// How far a ledger of erasures goes, so that another one can be held against it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "crypto/hash.h"
#include "crypto/result.h"

namespace coffer::vault {

struct LedgerEnd {
  std::uint64_t lines = 0;
  crypto::Hash last{};  // SHA-256 of the last one, without its newline, which has all before it
  bool operator==(const LedgerEnd&) const = default;
};

// Of the first `most` whole lines; nothing is verified. Errors: kNotFound "file_missing",
// kUnavailable "file_not_read", kCorrupted "ledger_damaged" of a line that is too long.
Result<LedgerEnd> ReadLedgerEnd(const std::string& path,
                                std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace coffer::vault
