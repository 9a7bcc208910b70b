#include "vault/catalog/stored_day.h"

#include <nlohmann/json.hpp>

#include "audit/text/clock.h"

namespace coffer::vault {

std::optional<Day> DayInStored(const ClassSchema& schema, std::string_view document) {
  const auto root = nlohmann::json::parse(document, nullptr, false);
  if (schema.retention_date.empty() || !root.is_object()) return std::nullopt;
  const auto value = root.find(schema.retention_date);
  if (value == root.end() || !value->is_string()) return std::nullopt;
  // The field may have been of another type when this was written.
  const auto& text = value->get_ref<const std::string&>();
  if (!ParseDay(text) && !audit::ParseTimestamp(text, true)) return std::nullopt;
  return RetentionDay(schema, root);
}

}  // namespace coffer::vault
