// Keyed, truncated hashes of normalised values: equality search without storing the value.
// Normalise is the rule that never changes, of what lasts (hashes that masks show, words that a
// password is held against) and of indexes from before search_form.h, whose rules may change.
//
// Token = first 16 bytes of keyed BLAKE2b(index key; domain, normalised value). Equal values of one
// domain give equal tokens: whoever holds the database sees equality, never the value.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

enum class Normalisation {
  kExact,  // Unicode NFC
  kText,   // NFC, full case folding, white space trimmed and runs of it made one space
  kEmail,  // as kText, without inner white space; the whole address is folded
  kPhone,  // digits in E.164 form: "+" and 7 to 15 digits; separators " -.()/" dropped, a leading
           // "00" is "+"; a number without country code keeps its digits without "+"
  kLoose,  // as kText
};

// Of what is searched for; the longest that a field with an index takes has 4,000.
inline constexpr std::size_t kMaxNormalisedBytes = 4096;

// Errors: kUnprocessable "value_not_normalisable" for more than kMaxNormalisedBytes, invalid UTF-8,
// an empty result, a phone with letters or a wrong count of digits. Never repeats the value in
// `detail`.
Result<std::string> Normalise(Normalisation rule, std::string_view value);

using BlindToken = std::array<std::uint8_t, 16>;

// `domain` names where the value belongs ("class/field"); tokens of different domains never match.
BlindToken ComputeBlindToken(const SecretBytes& index_key, std::string_view domain,
                             std::string_view normalised);

}  // namespace coffer::crypto
