// Telephone numbers as people and programs write them, and the one form of each (E.164).
//
// Understood: blanks of any kind, dashes of any kind, full stops and middle dots, parentheses and
// slashes between the digits; digits of any script; invisible marks; "tel:" and a spreadsheet's
// apostrophe in front; "(0)" behind a country code. An extension behind the number: "ext.", "extn",
// "extension", "x", "#", "int.", "anexo", "poste", "Durchwahl", "DW", "доб.", "добавочный", "вн.",
// "внутр.", "分机", "内线", "转" or ";ext=", then 1 to 10 digits. What a region writes without
// "+" is read as that region dials it (libphonenumber); without a region only "00" is "+".
//
// Nothing is guessed: whatever else stands in the text is said, and where. All of it is pure
// functions that any thread may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace coffer::crypto {

struct PhoneNumber {
  std::string e164;       // "+" and digits
  std::string extension;  // digits, or empty
  // With the extension as RFC 3966 writes it: "+12025550120;ext=5". ToE164 understands it, and an
  // extension is part of the value.
  std::string Text() const;
  bool operator==(const PhoneNumber&) const = default;
};

struct PhoneFault {
  enum class Kind : std::uint8_t {
    kNoDigits,
    kNotText,         // not UTF-8
    kCharacter,       // one that does not belong there
    kWord,            // letters that do not belong there
    kDecimal,         // "74955550163.0": a spreadsheet made a number of it
    kScientific,      // "7.49556E+10": the same, and digits are lost
    kSecondNumber,    // two numbers in one text
    kExtension,       // an extension's mark without 1 to 10 digits behind it
    kNational,        // no country code, and no region to read it by
    kUnknownCountry,  // no country has this code
    kTooShort,
    kTooLong,
    kImpossible,  // a count of digits that no number there has
  };
  Kind kind = Kind::kNoDigits;
  // What is in the way: the first character's place, from 1, and how many; 0: all of it.
  std::size_t character = 0, characters = 0;
  std::size_t byte = 0, bytes = 0;  // the same of the text as it was given, from 0
  // One line that says what is in the way and where, and holds neither digits nor words of the
  // value: "letters at characters 17 to 26 are no part of a telephone number".
  std::string message = {};
};

// `region`: ISO 3166-1 alpha-2, for what has no country code; empty or unknown: there is none.
std::expected<PhoneNumber, PhoneFault> ToE164(std::string_view typed, std::string_view region);

// For what has no E.164 form: the digits as they were typed, with "+" where there was one, and the
// extension: "84955550120". Errors: those of the text; fewer digits than `least`, or more than
// `most`.
std::expected<std::string, PhoneFault> PhoneDigits(std::string_view typed, std::size_t least = 7,
                                                   std::size_t most = 15);

// Whether numbers of it can be read: two capital letters that libphonenumber has the rules of.
bool IsPhoneRegion(std::string_view region);

}  // namespace coffer::crypto
