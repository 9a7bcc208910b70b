// The day from which retention counts, in a record that is stored.
#pragma once

#include <optional>
#include <string_view>

#include "vault/base/calendar.h"
#include "vault/catalog/class_schema.h"

namespace coffer::vault {

// The day in the document of a record that any version of its class may have been written with.
// nullopt: the class names no field, the record has none, or what stands in it is no date.
std::optional<Day> DayInStored(const ClassSchema& schema, std::string_view document);

}  // namespace coffer::vault
