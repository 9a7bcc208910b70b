// The result of a verification, for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "audit/verify/verify.h"

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

  // The notes that the log was compared with, in the order of log.compared: first those that were
  // given, then those of what was verified itself.
  struct Note {
    std::string from;  // a file, or in words
    std::string text;
    bool given = false;
  };
  std::vector<Note> notes = {};
  // The vault's own server: what it does not have is gone. Others have what they were given.
  bool is_origin = false;

  // Of --state: how many entries were remembered, before and now.
  struct State {
    std::string path;
    std::optional<std::uint64_t> before, now;
  };
  std::optional<State> state = {};

  // Whole, and the successor of a log of which something was seen that is lost.
  bool IsSucceeded() const;
  // Whole in itself, and shorter than something that was given.
  bool IsBehind() const;
};

// Prints it and returns kOk, kSucceeded, kBehind or kDamaged.
Exit PrintVerification(const VerificationResult& result, bool json, Console& console);

}  // namespace coffer::cli
