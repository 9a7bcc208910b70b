// Passwords of people, kept as Argon2id hashes (RFC 9106) in the PHC string form:
//
//   $argon2id$v=19$m=<KiB>,t=<passes>,p=1$<salt>$<hash>      at most 127 characters
//
// with a random salt of 16 bytes and a hash of 32, in base64 without padding. What is hashed is the
// password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1 asks for one normalisation): done here,
// so that no caller can forget it at one of the two ends. Which passwords people may choose is in
// vault/access/password_rules.h.
//
// Each hash takes tens of milliseconds and its memory for that time: callers limit how many run at
// once. For an account that does not exist, verify against a hash of the same cost all the same, or
// the time of the answer tells that there is none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

inline constexpr std::size_t kMaxPasswordBytes = 256;

struct PasswordCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
};

// Errors: kUnprocessable "password_malformed" for one that is empty, longer than kMaxPasswordBytes,
// no valid UTF-8, or with U+0000; kInvalidArgument "password_cost_invalid" outside passes 1..16 and
// memory 8 KiB..1 GiB; kUnavailable "memory_exhausted".
Result<std::string> HashPassword(const SecretBytes& password, const PasswordCost& cost = {});

// False for a wrong password; for one that HashPassword refuses; for text that is not in the form
// above, or of a cost outside its limits, so that nobody who can write a hash can take all memory;
// and when there is no memory. The hash's own cost is what counts.
[[nodiscard]] bool VerifyPassword(std::string_view hash, const SecretBytes& password);

// Whether `hash` is of another cost than `cost`, or in no form that VerifyPassword takes. To be
// asked after a login that succeeded, which is when the password is at hand.
bool NeedsRehash(std::string_view hash, const PasswordCost& cost = {});

}  // namespace coffer::crypto
