// What a verifier outside the vault keeps from one verification to the next, so that a log that was
// cut or rewritten in between is found:
//
//   coffer-log-state-v1\n<verifier key>\n\n<note>
//
// The key and the newest checkpoint that held. Given to VerifyLog again (VerifyOptions::key,
// ::checkpoints), a rollback behind it is the finding "truncated", a fork "checkpoint".
#pragma once

#include <string>
#include <string_view>

#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"

namespace coffer::audit {

struct RememberedLog {
  VerifierKey key;
  std::string note;
};
inline constexpr std::size_t kMaxRememberedBytes = kMaxNoteBytes + 4096;
std::string FormatRemembered(const RememberedLog& remembered);
// Also refuses a note that is not of the key's log or not signed by the key: what was remembered
// had been verified. Errors: kCorrupted "state_malformed".
Result<RememberedLog> ParseRemembered(std::string_view text);

}  // namespace coffer::audit
