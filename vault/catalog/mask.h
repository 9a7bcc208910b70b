// How a field's value is shown to who may know that it is there, but not what it is.
//
// A mask is for the eye of who handles a record ("the card that ends in 4242"), not anonymous data:
// it shows part of the value, and a value of which it would show all is shown as "***" instead.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "crypto/secret_bytes.h"
#include "vault/catalog/class_schema.h"

namespace coffer::vault {

// What a caller sees of one field. Ordered: a grant that shows more wins over one that shows less.
enum class View : std::uint8_t {
  kNone,      // not that the field exists in the record
  kPresence,  // that it has a value
  kMasked,    // the value under the field's mask rule
  kPlain,
};

// `value` under the mask rule of `field`. A character is what a reader takes for one (an extended
// grapheme cluster of Unicode Standard Annex 29), so that no mark is shown without its letter.
//
//   none        as it is: the class says that there is nothing to hide
//   email       the first letter or digit, and the domain: "j***@example.com"; the domain alone
//   when
//               there is only that one in front of the @
//   phone       the last two digits, of a number with 7 to 15: "***20"
//   last-four   the last four characters, of eight at least: "****4242"; white space and what is
//               invisible does not count and is not shown
//   year        of a date or date-time, as it is written: "1984"
//   initials    the first letter or digit of each word: "J. M."; a word that has no more than that
//               is "*."
//   constant    "***"
//   hash        16 characters of base64url that are the same for the same value of the same field
//               of the same class in the vault that `hash_key` (32 bytes) belongs to, and tell
//               nothing else to who does not have the key. Spellings that crypto::Normalise takes
//               for one value are one, by a rule that never changes, other than the index's; a list
//               is one value, in its order.
//
// A value that a rule does not fit is shown as "***": one of another type than text (for hash:
// null, objects, numbers with a fraction, lists of anything but text), and text that is no clean
// UTF-8. What is returned is text, but for the rule none. There are no errors: a mask is always
// possible.
nlohmann::json MaskValue(std::string_view class_name, const Field& field,
                         const nlohmann::json& value, const crypto::SecretBytes& hash_key);

}  // namespace coffer::vault
