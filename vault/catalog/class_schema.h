// A class: which fields its records may have, and how each is to be treated.
//
//   {"name": "contact", "title": "…", "purposes": ["client-care"], "retention": {…},
//    "retention_date": "ended_on", "keep": "…",
//    "fields": {"email": {"type": "email", "required": true, "sensitivity": "personal",
//                         "mask": "email", "index": true, "title": "…"}, …}}
//
// docs/formats.md has the grammar. Unknown members are refused, so nothing is kept that no class
// asks for. Records name the class version they were validated against.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/blind_index.h"
#include "crypto/result.h"

namespace coffer::vault {

enum class FieldType {
  kString,   // one line, at most 1,000 characters unless max_length says less
  kText,     // lines, at most 65,536 characters
  kInteger,  // -2^53+1 .. 2^53-1 (RFC 7493)
  kDecimal,  // text: optional '-', digits, optionally '.' and digits; at most 38 digits
  kBoolean,
  kDate,      // text: YYYY-MM-DD, a day that exists
  kDateTime,  // text: RFC 3339
  kEmail,     // text that is one address, at most 254 characters
  kPhone,     // text that is one telephone number, at most 40 characters
  kChoice,    // one of "values"
  kList,      // of strings, at most 100
};
std::optional<FieldType> FieldTypeFromName(std::string_view name);
enum class Sensitivity { kInternal, kPersonal, kSpecial };
std::optional<Sensitivity> SensitivityFromName(std::string_view name);
enum class MaskRule { kNone, kEmail, kPhone, kLastFour, kYear, kInitials, kConstant, kHash };

struct Field {
  std::string name;  // [a-z][a-z0-9_]{0,63}
  FieldType type = FieldType::kString;
  bool required = false;
  Sensitivity sensitivity = Sensitivity::kPersonal;
  // Of an older version, where a later one says otherwise: see vault/catalog/class_versions.h.
  std::optional<Sensitivity> later_sensitivity = {};
  MaskRule mask = MaskRule::kConstant;
  // Of somebody else than the client: left out of what the client is handed (GDPR 15(4)).
  bool third_person = false;
  bool indexed = false;
  crypto::Normalisation normalisation = crypto::Normalisation::kText;
  std::string region = {};     // of kPhone, for national numbers: ISO 3166-1 alpha-2; empty: none
  std::size_t max_length = 0;  // characters; 0: the type's own
  std::vector<std::string> values;
};

inline constexpr std::size_t kMaxListItems = 100;
// Whole numbers to which every reader of JSON is true, of either sign.
inline constexpr std::int64_t kMaxExactInteger = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kMaxFields = 62;  // a record's present fields are one 64-bit mask
inline constexpr std::size_t kMaxDocumentBytes = 256 * 1024;

struct ClassSchema {
  std::string name;  // [a-z][a-z0-9-]{0,63}
  std::uint64_t version = 0;
  std::vector<Field> fields;          // sorted by name
  std::vector<std::string> purposes;  // sorted; never empty
  std::string retention_date;         // a field of kDate or kDateTime; empty: none
  std::string keep;                   // why its records are kept; empty: a schedule says how long
  std::string definition;             // canonical JSON of what was given

  const Field* Find(std::string_view field) const;
  bool AllowsPurpose(std::string_view purpose) const;
  // Names of the fields whose bits are set.
  std::vector<std::string> FieldNames(std::int64_t mask) const;
};

// Errors: those of ParseStrictJson; kUnprocessable "class_invalid" with issues.
Result<ClassSchema> ParseClass(std::string_view json);
// What is wrong with the words of a class that is to be; a stored one may have them. `at`: the
// definition's own pointer.
std::vector<Issue> FaultsOfClassWords(std::string_view json, const std::string& at = {});

// What is wrong with a text value of the field, or with one text of a list; nothing when it is
// good. Repeats nothing of the value. For those who want to know before they send a document.
std::string FaultOfFieldText(const Field& field, const std::string& text);

// A record's document as it is sealed: canonical JSON, the fields it has, and the values to index.
struct Document {
  std::string json;
  std::int64_t fields = 0;
  struct Indexed {
    std::string field;
    std::string normalised;
  };
  std::vector<Indexed> indexed;
};

// `root` was parsed strictly (ParseStrictJson). Errors: kTooLarge "document_too_large";
// kUnprocessable "document_invalid" with an issue per field that is unknown, missing or of the
// wrong type. What is as in `stored` may be what older rules took.
Result<Document> ParseDocument(const ClassSchema& schema, const nlohmann::json& root,
                               const nlohmann::json* stored = nullptr);

// The field's rule of before search forms (crypto/search_form.h): of the tokens of old indexes, and
// of the hashes that masks show, which never change.
crypto::Normalisation LastingRule(const Field& field);

// The values of its indexed fields in a document that may be of another version of the class: what
// cannot be indexed by this one is left out.
std::vector<Document::Indexed> IndexedValues(const ClassSchema& schema,
                                             const nlohmann::json& document);

// The day, in days since 1970-01-01, in the field that the class calls its retention_date. Of a
// date-time it is the day that its own offset shows, so that it does not hang on the time zone of a
// schedule that may change. nullopt: the class has no such field, or the document leaves it out.
std::optional<std::int32_t> RetentionDay(const ClassSchema& schema, const nlohmann::json& document);

}  // namespace coffer::vault
