// The result of a verification, for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/cli/console.h"
#include "api/cli/failure.h"
#include "audit/verify.h"

namespace coffer::cli {

struct VerificationResult {
  std::string origin;
  bool key_is_pinned = false;  // given by the verifier, not taken from what is verified
  audit::VerifyReport log;

  // Of a deep verification: the stored state against the log.
  struct Deep {
    std::uint64_t clients = 0, records = 0;
  };
  std::optional<Deep> deep;
};

// Prints it and returns kOk or kDamaged.
Exit PrintVerification(const VerificationResult& result, bool json, Console& console);

}  // namespace coffer::cli
