// Which passwords people may choose (NIST SP 800-63B-4 section 3.1.1): long ones that are not the
// first to be guessed. Nothing is asked of their composition, and nothing expires.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/password_hash.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::vault {

enum class SecondFactor { kNone, kRequired };

// Code points in NFC, as the standard counts them.
inline constexpr std::size_t kLeastPasswordCharacters = 15;
inline constexpr std::size_t kLeastPasswordCharactersWithSecondFactor = 8;

// Everything that is wrong with `password`, for the account named `account`; nothing when it may be
// chosen. Issues point at "/password" and repeat nothing of it. Refused are passwords
//   - that are no valid UTF-8, have a U+0000, or are longer than crypto::kMaxPasswordBytes;
//   - that are too short;
//   - that are of the commonest (common_passwords.txt), also with digits and punctuation around
//     them or several times over; are a walk over a keyboard or a sequence ("abcdefgh…",
//     "8765…"), likewise; or repeat up to seven characters;
//   - that contain the account's name, its part in front of an '@', or the product's name. Names
//     of less than three characters do not count: nearly every text has them.
// Letters are the same in either case.
//
// To be asked when a password is set, before crypto::HashPassword, and not at logins: what was
// allowed once stays valid.
std::vector<Issue> PasswordIssues(const crypto::SecretBytes& password, std::string_view account,
                                  SecondFactor second_factor);

}  // namespace coffer::vault
