// The form under which an indexed value is found. What is stored and what somebody types are put
// into it, each by the rules of the field, and compared byte by byte.
//
//   kExact   NFC
//   kText    NFKC_Casefold (UAX 44): full-width digits, ligatures, accents in two characters and
//            capitals are what they stand for; white space trimmed, runs of it one space
//   kLoose   of names: as kText, and without accents on Latin and Greek letters, the dots of ё,
//            stress marks, vowel points of Arabic and Hebrew, and apostrophes; ø æ œ ł đ ħ ŧ ı are
//            o ae oe l d h t i; dashes are blanks. й, ї, ў and all marks of other scripts make
//            other letters, and stay
//   kEmail   email_address.h
//   kPhone   E.164, by the region (phone_number.h), with the extension; without one, for what is
//            national, the digits as they are typed, which equal no E.164
//
// Two values of one form are taken for one: a rule that no value of it can break is in the tests.
// The forms may change from release to release, and with ICU and libphonenumber; the index is built
// anew when they do. What must never change has crypto::Normalise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/blind_index.h"
#include "crypto/result.h"

namespace coffer::crypto {

// `region` is of kPhone. Whatever was stored under a rule of before has a form. Errors:
// kUnprocessable "value_not_normalisable" with an issue that says why, and holds no value: more
// than kMaxNormalisedBytes, invalid UTF-8, nothing to compare, what is no telephone number.
Result<std::string> SearchForm(Normalisation rule, std::string_view region, std::string_view value);

// What makes the forms: rules of ours, Unicode's version, libphonenumber's build. Never below 256.
std::uint32_t SearchRules();

}  // namespace coffer::crypto
