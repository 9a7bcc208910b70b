// The verifier key of what lies in tests/golden/ and in the corpora: that of RFC 8032's test 1.
#pragma once

#include "audit/tlog/checkpoint.h"
#include "tests/fuzz/fuzz.h"

namespace coffer::fuzz {

inline const audit::VerifierKey& GoldenKey() {
  static const auto key = audit::ParseVerifierKey(
      "vault.example/audit+6c5bbaef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  Require(key.has_value(), "the golden key can be read");
  return *key;
}

}  // namespace coffer::fuzz
