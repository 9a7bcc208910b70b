#include "vault/catalog/class_schema.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "audit/text/clock.h"
#include "crypto/email_address.h"
#include "crypto/phone_number.h"
#include "crypto/search_form.h"
#include "vault/base/calendar.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

// std::ranges::contains of C++23, which gcc 12 does not have yet.
template <class Range, class T>
bool Contains(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

template <class E>
struct Named {
  std::string_view name;
  E value;
};

constexpr Named<FieldType> kTypes[] = {
    {"string", FieldType::kString},     {"text", FieldType::kText},
    {"integer", FieldType::kInteger},   {"decimal", FieldType::kDecimal},
    {"boolean", FieldType::kBoolean},   {"date", FieldType::kDate},
    {"datetime", FieldType::kDateTime}, {"email", FieldType::kEmail},
    {"phone", FieldType::kPhone},       {"choice", FieldType::kChoice},
    {"list", FieldType::kList}};
constexpr Named<Sensitivity> kSensitivities[] = {{"internal", Sensitivity::kInternal},
                                                 {"personal", Sensitivity::kPersonal},
                                                 {"special", Sensitivity::kSpecial}};
constexpr Named<MaskRule> kMasks[] = {
    {"none", MaskRule::kNone},         {"email", MaskRule::kEmail},
    {"phone", MaskRule::kPhone},       {"last-four", MaskRule::kLastFour},
    {"year", MaskRule::kYear},         {"initials", MaskRule::kInitials},
    {"constant", MaskRule::kConstant}, {"hash", MaskRule::kHash}};

template <class E, std::size_t N>
std::optional<E> FromName(const Named<E> (&table)[N], std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return row.value;
  }
  return std::nullopt;
}

std::size_t CharacterCount(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::size_t LengthLimit(const Field& field) {
  if (field.max_length != 0) return field.max_length;
  switch (field.type) {
    case FieldType::kText:
      return 65'536;
    case FieldType::kEmail:
      return 254;
    case FieldType::kPhone:
      return 40;
    case FieldType::kString:
    case FieldType::kList:
    case FieldType::kInteger:
    case FieldType::kDecimal:
    case FieldType::kBoolean:
    case FieldType::kDate:
    case FieldType::kDateTime:
    case FieldType::kChoice:
      return 1'000;
  }
  return 0;
}

bool IsDecimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto part = dot == text.npos ? std::string_view("0") : text.substr(dot + 1);
  auto digits = [](std::string_view s) {
    return !s.empty() && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
  };
  const std::size_t count = whole.size() + (dot == text.npos ? 0 : part.size());
  return digits(whole) && digits(part) && count <= 38 && (whole.size() == 1 || whole[0] != '0');
}

// As what there is may have been taken before: EmailFault and PhoneFault say more.
bool WasEmail(std::string_view text) {
  const auto at = text.find('@');
  return at != text.npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         text.find_first_of(" \t\r\n<>,;\"") == text.npos;
}

bool IsOneLine(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Telephones write these around a number. They change no number's reading: those that would are a
// fault of it.
std::string WithoutDirections(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view mark = text.substr(at, 3);
    if (mark == "\u202a" || mark == "\u202c" || mark == "\u202d" || mark == "\u2066" ||
        mark == "\u2068" || mark == "\u2069") {
      at += mark.size();
    } else {
      plain += text[at++];
    }
  }
  return plain;
}

// What somebody reads of it would not be what it is.
std::string_view WordsFault(const Field& field, const json& value) {
  const auto plain = [](const json& text, TextForm form) {
    return !text.is_string() || audit::IsPlainText(text.get_ref<const std::string&>(), form);
  };
  switch (field.type) {
    case FieldType::kString:
    case FieldType::kEmail:
      return plain(value, TextForm::kOneLine) ? "" : "must be one line without control characters";
    case FieldType::kPhone:
      return audit::IsPlainText(WithoutDirections(value.get_ref<const std::string&>()),
                                TextForm::kOneLine)
                 ? ""
                 : "must be one line without control characters";
    case FieldType::kList:
      return std::all_of(value.begin(), value.end(),
                         [&](const json& item) { return plain(item, TextForm::kOneLine); })
                 ? ""
                 : "must be one line without control characters";
    case FieldType::kText:
      return plain(value, TextForm::kLines) ? "" : "must not contain control characters";
    case FieldType::kDecimal:
    case FieldType::kDate:
    case FieldType::kDateTime:
    case FieldType::kChoice:
    case FieldType::kInteger:
    case FieldType::kBoolean:
      return "";
  }
  return "";
}

// Without a region the digits of a national number are a value of their own, as they are typed.
std::string PhoneFaultOf(const Field& field, const std::string& text, bool kept,
                         std::string& form) {
  const auto number = crypto::ToE164(text, field.region);
  if (number) {
    form = number->Text();
    return "";
  }
  crypto::PhoneFault fault = number.error();
  if (fault.kind == crypto::PhoneFault::Kind::kNational) {
    auto digits = crypto::PhoneDigits(text);
    if (digits) {
      form = *std::move(digits);
      return "";
    }
    fault = digits.error();
  }
  if (kept) {
    auto lasting = crypto::SearchForm(crypto::Normalisation::kPhone, field.region, text);
    if (lasting) {
      form = *std::move(lasting);
      return "";
    }
  }
  return "must be one telephone number: " + fault.message;
}

std::string EmailFaultOf(const std::string& text, bool kept) {
  if (!IsOneLine(text)) return "must be one line without control characters";
  const auto fault = crypto::EmailFault(text);
  if (!fault || (kept && WasEmail(text))) return "";
  return "must be one e-mail address: " + *fault;
}

// What is wrong with a text value, or nothing. Messages never repeat the value. `kept`: it is
// stored already; `form`: its search form, where it was made on the way.
std::string TextFault(const Field& field, const std::string& text, bool kept, std::string& form) {
  if (!IsCleanUtf8(text)) return "must not contain U+0000";
  if (CharacterCount(text) > LengthLimit(field)) return "is too long";
  switch (field.type) {
    case FieldType::kString:
    case FieldType::kList:
      return IsOneLine(text) ? "" : "must be one line without control characters";
    case FieldType::kText:
      return std::ranges::all_of(text,
                                 [](char c) {
                                   return static_cast<unsigned char>(c) >= 0x20 || c == '\n' ||
                                          c == '\t' || c == '\r';
                                 })
                 ? ""
                 : "must not contain control characters";
    case FieldType::kDecimal:
      return IsDecimal(text) ? "" : "must be a decimal number as text";
    case FieldType::kDate:
      return ParseDay(text) ? "" : "must be a date as YYYY-MM-DD";
    case FieldType::kDateTime:
      return audit::ParseTimestamp(text, true) ? "" : "must be an RFC 3339 date-time";
    case FieldType::kEmail:
      return EmailFaultOf(text, kept);
    case FieldType::kPhone:
      return PhoneFaultOf(field, text, kept, form);
    case FieldType::kChoice:
      return Contains(field.values, text) ? "" : "must be one of the class's values";
    case FieldType::kInteger:
    case FieldType::kBoolean:
      return "must not be text";
  }
  return "";
}

std::string ValueFault(const Field& field, const json& value, bool kept, std::string& form) {
  switch (field.type) {
    case FieldType::kBoolean:
      return value.is_boolean() ? "" : "must be true or false";
    case FieldType::kInteger:
      if (!value.is_number_integer()) return "must be an integer";
      if (value.is_number_unsigned()
              ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxExactInteger)
              : value.get<std::int64_t>() < -kMaxExactInteger) {
        return "is out of range";
      }
      return "";
    case FieldType::kList:
      if (!value.is_array() || value.size() > kMaxListItems)
        return "must be a list of at most 100 texts";
      for (const auto& item : value) {
        if (!item.is_string()) return "must be a list of texts";
        if (auto fault = TextFault(field, item.get_ref<const std::string&>(), kept, form);
            !fault.empty()) {
          return fault;
        }
      }
      return "";
    case FieldType::kString:
    case FieldType::kText:
    case FieldType::kDecimal:
    case FieldType::kDate:
    case FieldType::kDateTime:
    case FieldType::kEmail:
    case FieldType::kPhone:
    case FieldType::kChoice:
      return value.is_string() ? TextFault(field, value.get_ref<const std::string&>(), kept, form)
                               : "must be text";
  }
  return "";
}

// Reads a class definition, collecting every fault instead of stopping at the first.
class ClassReader {
 public:
  ClassSchema Read(const json& root) {
    ClassSchema schema;
    if (!root.is_object()) {
      Fault("", "must be an object");
      return schema;
    }
    OnlyMembers(root, "",
                {"name", "title", "purposes", "retention", "retention_date", "keep", "fields"});
    schema.name = Text(root, "", "name", true);
    if (!schema.name.empty() && !IsName(schema.name, '-')) {
      Fault("/name", "must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter");
    }
    Text(root, "", "title", false);
    ReadPurposes(root, schema);
    if (root.contains("retention") && !root["retention"].is_object()) {
      Fault("/retention", "must be an object");
    }
    ReadFields(root, schema);
    ReadRetention(root, schema);
    schema.definition = root.dump();
    return schema;
  }
  std::vector<Issue> TakeIssues() { return std::move(issues_); }

 private:
  void Fault(std::string pointer, std::string_view message) {
    if (issues_.size() < 50) issues_.push_back({std::move(pointer), std::string(message)});
  }
  void OnlyMembers(const json& object, const std::string& at,
                   std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : object.items()) {
      if (!Contains(known, std::string_view(name))) {
        Fault(PointerTo(at, name), "is not a known member");
      }
    }
  }
  std::string Text(const json& object, const std::string& at, const char* name, bool required) {
    const auto found = object.find(name);
    if (found == object.end()) {
      if (required) Fault(PointerTo(at, name), "is required");
      return {};
    }
    if (!found->is_string() || found->get_ref<const std::string&>().size() > 500) {
      Fault(PointerTo(at, name), "must be text of at most 500 bytes");
      return {};
    }
    return found->get<std::string>();
  }
  bool Flag(const json& object, const std::string& at, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return false;
    if (!found->is_boolean()) {
      Fault(PointerTo(at, name), "must be true or false");
      return false;
    }
    return found->get<bool>();
  }
  template <class E, std::size_t N>
  E OneOf(const Named<E> (&table)[N], const json& object, const std::string& at, const char* name,
          std::optional<E> otherwise) {
    const std::string text = Text(object, at, name, !otherwise);
    if (text.empty()) return otherwise.value_or(table[0].value);
    if (auto value = FromName(table, text)) return *value;
    std::string message = "must be one of";
    for (const auto& row : table) message += " " + std::string(row.name);
    Fault(PointerTo(at, name), message);
    return table[0].value;
  }
  void ReadPurposes(const json& root, ClassSchema& schema) {
    const auto found = root.find("purposes");
    if (found == root.end() || !found->is_array() || found->empty() || found->size() > 100) {
      Fault("/purposes", "must be a list of 1 to 100 purpose codes");
      return;
    }
    for (const auto& item : *found) {
      if (!item.is_string() || !IsName(item.get_ref<const std::string&>(), '-')) {
        Fault("/purposes", "must hold purpose codes");
        return;
      }
      schema.purposes.push_back(item.get<std::string>());
    }
    std::ranges::sort(schema.purposes);
    if (std::ranges::adjacent_find(schema.purposes) != schema.purposes.end()) {
      Fault("/purposes", "names a purpose twice");
    }
  }
  void ReadFields(const json& root, ClassSchema& schema) {
    const auto found = root.find("fields");
    if (found == root.end() || !found->is_object() || found->empty() ||
        found->size() > kMaxFields) {
      Fault("/fields", "must be an object with 1 to 62 members");
      return;
    }
    for (const auto& [name, value] : found->items()) {
      schema.fields.push_back(ReadField(name, value, PointerTo("/fields", name)));
    }
  }
  void ReadRetention(const json& root, ClassSchema& schema) {
    const auto faults = issues_.size();
    schema.keep = Text(root, "", "keep", false);
    schema.retention_date = Text(root, "", "retention_date", false);
    if (issues_.size() != faults) return;
    if (root.contains("keep") && (schema.keep.empty() || !IsOneLine(schema.keep))) {
      Fault("/keep", "must be one line that says why");
    }
    if (!root.contains("retention_date")) return;
    const Field* const field = schema.Find(schema.retention_date);
    if (field == nullptr ||
        (field->type != FieldType::kDate && field->type != FieldType::kDateTime)) {
      Fault("/retention_date", "must be the name of a field of the type date or datetime");
    }
  }
  Field ReadField(const std::string& name, const json& value, const std::string& at) {
    Field field;
    field.name = name;
    if (!IsName(name, '_')) {
      Fault(at, "must be named by 1 to 64 of a-z, 0-9 and '_', beginning with a letter");
    }
    if (!value.is_object()) {
      Fault(at, "must be an object");
      return field;
    }
    OnlyMembers(value, at,
                {"type", "required", "sensitivity", "mask", "index", "region", "title",
                 "max_length", "values", "third_person"});
    Text(value, at, "title", false);
    field.type = OneOf(kTypes, value, at, "type", std::optional<FieldType>());
    field.required = Flag(value, at, "required");
    field.third_person = Flag(value, at, "third_person");
    field.sensitivity =
        OneOf(kSensitivities, value, at, "sensitivity", std::optional(Sensitivity::kPersonal));
    field.mask = OneOf(kMasks, value, at, "mask", std::optional(MaskRule::kConstant));
    const auto index = value.find("index");
    const bool loose = index != value.end() && *index == "loose";
    field.indexed = loose || Flag(value, at, "index");
    ReadIndexing(field, at);
    if (loose && field.type != FieldType::kString) {
      Fault(PointerTo(at, "index"), "can be \"loose\" for the type string only");
    } else if (loose) {
      field.normalisation = crypto::Normalisation::kLoose;
    }
    ReadRegion(value, at, field);
    ReadLimits(value, at, field);
    return field;
  }
  void ReadIndexing(Field& field, const std::string& at) {
    switch (field.type) {
      case FieldType::kEmail:
        field.normalisation = crypto::Normalisation::kEmail;
        break;
      case FieldType::kPhone:
        field.normalisation = crypto::Normalisation::kPhone;
        break;
      case FieldType::kString:
        field.normalisation = crypto::Normalisation::kText;
        break;
      // Nothing but ASCII: full-width digits and blanks around are the typist's.
      case FieldType::kDate:
      case FieldType::kDecimal:
      case FieldType::kDateTime:
        field.normalisation = crypto::Normalisation::kText;
        break;
      case FieldType::kChoice:
        field.normalisation = crypto::Normalisation::kExact;
        break;
      case FieldType::kText:
      case FieldType::kList:
      case FieldType::kInteger:
      case FieldType::kBoolean:
        if (field.indexed) Fault(PointerTo(at, "index"), "is not available for this type");
        break;
    }
  }
  void ReadRegion(const json& value, const std::string& at, Field& field) {
    const auto region = value.find("region");
    if (region == value.end()) return;
    if (field.type != FieldType::kPhone) {
      Fault(PointerTo(at, "region"), "belongs to the type phone");
    } else if (!region->is_string() ||
               !crypto::IsPhoneRegion(region->get_ref<const std::string&>())) {
      Fault(PointerTo(at, "region"),
            "must be two capital letters that ISO 3166-1 has for a country");
    } else {
      field.region = region->get<std::string>();
    }
  }
  void ReadLimits(const json& value, const std::string& at, Field& field) {
    if (const auto limit = value.find("max_length"); limit != value.end()) {
      if (!limit->is_number_unsigned() || limit->get<std::uint64_t>() == 0 ||
          limit->get<std::uint64_t>() > LengthLimit(field)) {
        Fault(PointerTo(at, "max_length"), "must be between 1 and the type's own limit");
      } else {
        field.max_length = limit->get<std::size_t>();
      }
    }
    const auto values = value.find("values");
    if ((field.type == FieldType::kChoice) != (values != value.end())) {
      Fault(PointerTo(at, "values"), "belongs to the type choice, and is required there");
      return;
    }
    if (values == value.end()) return;
    if (!values->is_array() || values->empty() || values->size() > 200) {
      Fault(PointerTo(at, "values"), "must be a list of 1 to 200 texts");
      return;
    }
    for (const auto& item : *values) {
      if (!item.is_string() || item.get_ref<const std::string&>().size() > 200) {
        Fault(PointerTo(at, "values"), "must hold texts of at most 200 bytes");
        return;
      }
      field.values.push_back(item.get<std::string>());
    }
  }

  std::vector<Issue> issues_;
};

}  // namespace

const Field* ClassSchema::Find(std::string_view field) const {
  const auto found = std::ranges::lower_bound(fields, field, {}, &Field::name);
  return found != fields.end() && found->name == field ? &*found : nullptr;
}

bool ClassSchema::AllowsPurpose(std::string_view purpose) const {
  return std::ranges::binary_search(purposes, purpose);
}

std::vector<std::string> ClassSchema::FieldNames(std::int64_t mask) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if ((mask >> i & 1) != 0) names.push_back(fields[i].name);
  }
  return names;
}

std::optional<Sensitivity> SensitivityFromName(std::string_view name) {
  return FromName(kSensitivities, name);
}

std::optional<FieldType> FieldTypeFromName(std::string_view name) { return FromName(kTypes, name); }

std::string FaultOfFieldText(const Field& field, const std::string& text) {
  std::string form;
  if (auto fault = TextFault(field, text, false, form); !fault.empty()) return fault;
  const bool words = field.type == FieldType::kString || field.type == FieldType::kEmail ||
                     field.type == FieldType::kPhone || field.type == FieldType::kList;
  const std::string plain = field.type == FieldType::kPhone ? WithoutDirections(text) : text;
  if (words && !audit::IsPlainText(plain, TextForm::kOneLine)) {
    return "must be one line without control characters";
  }
  if (field.type == FieldType::kText && !audit::IsPlainText(text, TextForm::kLines)) {
    return "must not contain control characters";
  }
  return {};
}

Result<ClassSchema> ParseClass(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) return Fail(Code::kTooLarge, "document_too_large");
  COFFER_ASSIGN(const json root, ParseStrictJson(text));
  ClassReader reader;
  ClassSchema schema = reader.Read(root);
  if (auto issues = reader.TakeIssues(); !issues.empty()) {
    return std::unexpected(Error{Code::kUnprocessable, "class_invalid", {}, std::move(issues)});
  }
  return schema;
}

std::vector<Issue> FaultsOfClassWords(std::string_view text, const std::string& at) {
  auto issues = FaultsOfTexts(text, at);
  const auto root = ParseStrictJson(text);
  if (!root || !root->is_object() || !issues.empty()) return issues;
  const auto keep = root->find("keep");
  if (keep != root->end() && keep->is_string() &&
      audit::IsBlank(keep->get_ref<const std::string&>())) {
    issues.push_back({at + "/keep", "must be one line that says why"});
  }
  return issues;
}

Result<Document> ParseDocument(const ClassSchema& schema, const json& root, const json* stored) {
  std::vector<Issue> issues;
  Document document;
  if (!root.is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [name, value] : root.items()) {
      if (schema.Find(name) == nullptr) {
        issues.push_back({PointerTo("", name), "is not a field of this class"});
      }
    }
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      const auto value = root.find(field.name);
      if (value == root.end()) {
        if (field.required) issues.push_back({PointerTo("", field.name), "is required"});
        continue;
      }
      const bool kept =
          stored != nullptr && stored->contains(field.name) && stored->at(field.name) == *value;
      std::string form;
      if (auto fault = ValueFault(field, *value, kept, form); !fault.empty()) {
        issues.push_back({PointerTo("", field.name), std::move(fault)});
        continue;
      }
      if (const auto fault = kept ? std::string_view() : WordsFault(field, *value);
          !fault.empty()) {
        issues.push_back({PointerTo("", field.name), std::string(fault)});
        continue;
      }
      document.fields |= std::int64_t{1} << i;
      // An empty text is kept and not indexed: it is no value to search for.
      const std::string* const text =
          field.indexed ? &value->get_ref<const std::string&>() : nullptr;
      if (text == nullptr || text->empty()) continue;
      if (form.empty()) {
        form = crypto::SearchForm(field.normalisation, field.region, *text).value_or("");
      }
      if (!form.empty()) document.indexed.push_back({field.name, std::move(form)});
    }
  }
  if (!issues.empty()) {
    if (issues.size() > 50) issues.resize(50);
    return std::unexpected(Error{Code::kUnprocessable, "document_invalid", {}, std::move(issues)});
  }
  document.json = root.dump();
  if (document.json.size() > kMaxDocumentBytes) return Fail(Code::kTooLarge, "document_too_large");
  return document;
}

crypto::Normalisation LastingRule(const Field& field) {
  const bool is_exact = field.type == FieldType::kDate || field.type == FieldType::kDateTime ||
                        field.type == FieldType::kDecimal;
  return is_exact ? crypto::Normalisation::kExact : field.normalisation;
}

std::vector<Document::Indexed> IndexedValues(const ClassSchema& schema, const json& document) {
  std::vector<Document::Indexed> indexed;
  if (!document.is_object()) return indexed;
  for (const Field& field : schema.fields) {
    const auto value = document.find(field.name);
    if (!field.indexed || value == document.end() || !value->is_string()) continue;
    const auto& text = value->get_ref<const std::string&>();
    if (text.empty()) continue;
    auto form = crypto::SearchForm(field.normalisation, field.region, text);
    if (form) indexed.push_back({field.name, *std::move(form)});
  }
  return indexed;
}

std::optional<std::int32_t> RetentionDay(const ClassSchema& schema, const json& document) {
  if (schema.retention_date.empty() || !document.is_object()) return std::nullopt;
  const auto value = document.find(schema.retention_date);
  if (value == document.end() || !value->is_string()) return std::nullopt;
  return ParseDay(std::string_view(value->get_ref<const std::string&>()).substr(0, 10));
}

}  // namespace coffer::vault
