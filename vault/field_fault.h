// The rule of one field for one text, as the vault applies it to a document: for those who want to
// know before they send it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vault/class_schema.h"

namespace coffer::vault {

std::optional<FieldType> FieldTypeFromName(std::string_view name);

// What is wrong with a text value, or with one text of a list; nothing when it is good. Repeats
// nothing of the value.
std::string FaultOfFieldText(const Field& field, const std::string& text);

}  // namespace coffer::vault
