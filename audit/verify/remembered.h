// What a verifier outside the vault keeps from one verification to the next, so that a log that was
// cut or rewritten in between is found:
//
//   coffer-log-state-v1\n<verifier key>\n\n<note>
//   coffer-log-state-v2\n<verifier key>\n\n<note>\n<note>…   with older notes behind it
//
// The key and the newest checkpoint that held. Given to VerifyLog again (VerifyOptions::key,
// ::checkpoints), a rollback behind it is the finding "truncated", a fork "checkpoint".
//
// Whoever trusts an older key of the log is led to the present one by a checkpoint from their
// overlap alone, which nothing serves any more: so that of each older key stays. They are worth
// what their signatures are; that they stand in the file makes no key trusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"

namespace coffer::audit {

struct RememberedLog {
  VerifierKey key;
  std::string note;
  std::vector<std::string> older_notes = {};
};
inline constexpr std::size_t kMaxRememberedBytes = 4 * kMaxNoteBytes + 4096;
// Of the older notes those that fit.
std::string FormatRemembered(const RememberedLog& remembered);
// Also refuses a note that is not of the key's log or not signed by the key: what was remembered
// had been verified. Of the older ones only the form is looked at. Errors: kCorrupted
// "state_malformed".
Result<RememberedLog> ParseRemembered(std::string_view text);

}  // namespace coffer::audit
