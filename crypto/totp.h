// Time-based one-time passwords as authenticator apps make them: RFC 6238 with HMAC-SHA-1, six
// digits and steps of 30 s from the Unix epoch, the one set of parameters that all apps know.
//
// Three codes in a million are right at any time: callers limit how often one account may guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

inline constexpr std::int64_t kTotpStepSeconds = 30;
inline constexpr std::size_t kTotpSecretBytes = 20;  // RFC 4226 section 4, R6

SecretBytes NewTotpSecret();

// The step (Unix time / 30) whose code `code` is, among that of `now_s` and one to each side for
// clocks that differ and people who are slow (RFC 6238 section 5.2); nullopt when it is none.
//
// Each code is taken once: the caller stores the step that is returned, in one transaction with
// what the code allowed, and gives it as `last_used_step` from then on (0 before the first). Codes
// of it and of steps before are refused. Where two steps happen to have one code, the later is
// returned, so that it cannot be used again for that one.
//
// `code` is six ASCII digits and nothing else. Negative times, and secrets of less than 16 bytes,
// match nothing. The time taken does not depend on which digits are right.
std::optional<std::uint64_t> MatchTotp(const SecretBytes& secret, std::string_view code,
                                       std::int64_t now_s, std::uint64_t last_used_step);

// "otpauth://totp/Coffer:jane%40example.com?secret=…&issuer=Coffer&algorithm=SHA1&digits=6&
// period=30": what an app reads from a QR code. A ':' inside a name, which stands between the two,
// is written as '-'. It holds the secret: show it once, to its owner, and wipe it.
std::string TotpUri(std::string_view issuer, std::string_view account, const SecretBytes& secret);

}  // namespace coffer::crypto
