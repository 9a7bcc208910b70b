#include "vault/catalog/page_names.h"

#include <nlohmann/json.hpp>

namespace coffer::vault {
namespace {

using nlohmann::json;

std::string TitleOf(const json& definition) {
  const auto title = definition.find("title");
  return title != definition.end() && title->is_string() ? title->get<std::string>()
                                                         : std::string();
}

void AddFields(const json& definition, audit::PageNames::Titles& titles) {
  const auto fields = definition.find("fields");
  if (fields == definition.end() || !fields->is_object()) return;
  for (auto field = fields->begin(); field != fields->end(); ++field) {
    if (!field->is_object()) continue;
    if (std::string title = TitleOf(*field); !title.empty()) titles[field.key()] = std::move(title);
  }
}

}  // namespace

std::string ClassTitle(const Catalog& catalog, std::string_view class_name) {
  const auto schema = catalog.Newest(class_name);
  if (schema == nullptr) return {};
  const json definition = json::parse(schema->definition, nullptr, false);
  return definition.is_object() ? TitleOf(definition) : std::string();
}

audit::PageNames PageNamesOf(const Catalog& catalog) {
  audit::PageNames names;
  for (const auto& [name, versions] : catalog.classes) {
    // Newer titles win; a field of an older version alone keeps the one that it had.
    for (const auto& version : versions) {
      const json definition = json::parse(version->definition, nullptr, false);
      if (!definition.is_object()) continue;
      if (std::string title = TitleOf(definition); !title.empty()) {
        names.classes[name] = std::move(title);
      }
      AddFields(definition, names.fields[name]);
    }
  }
  for (const auto& [code, purpose] : catalog.purposes) names.purposes[code] = purpose.title;
  return names;
}

}  // namespace coffer::vault
