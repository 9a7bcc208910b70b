// The rule of one field for one text, as the vault applies it to a document: for those who want to
// know before they send it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vault/catalog/class_schema.h"

namespace coffer::vault {

inline constexpr std::size_t kMaxListItems = 100;
// Whole numbers to which every reader of JSON is true, of either sign.
inline constexpr std::int64_t kMaxExactInteger = (std::int64_t{1} << 53) - 1;

std::optional<FieldType> FieldTypeFromName(std::string_view name);

// What is wrong with a text value, or with one text of a list; nothing when it is good. Repeats
// nothing of the value.
std::string FaultOfFieldText(const Field& field, const std::string& text);

}  // namespace coffer::vault
