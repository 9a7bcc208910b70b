#include "vault/clients/record_update.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace coffer::vault {
namespace {

bool IsPlain(const ClassSchema& schema, const FieldViews& views, const Field* field) {
  if (field == nullptr || !views) return true;
  return (*views)[static_cast<std::size_t>(field - schema.fields.data())] == View::kPlain;
}

// Whatever the older field may hold, the newer one may hold, and none of it is missed there.
bool GoesOver(const Field& written, const Field& newest) {
  if (written.type != newest.type || (newest.required && !written.required)) return false;
  if (newest.max_length != 0 &&
      (written.max_length == 0 || written.max_length > newest.max_length)) {
    return false;
  }
  return std::ranges::all_of(written.values, [&](const std::string& value) {
    return std::ranges::find(newest.values, value) != newest.values.end();
  });
}

}  // namespace

UpdateTerms UpdateTermsOf(const ClassSchema& written, const FieldViews& written_views,
                          const ClassSchema& newest, const FieldViews& newest_views) {
  const auto is_callers = [&](std::string_view name) {
    return IsPlain(written, written_views, written.Find(name)) &&
           IsPlain(newest, newest_views, newest.Find(name));
  };
  const auto fits = [&](const Field& field) {
    const Field* const old = written.Find(field.name);
    return is_callers(field.name) || (old == nullptr ? !field.required : GoesOver(*old, field));
  };
  UpdateTerms terms;
  terms.newest = std::ranges::all_of(newest.fields, fits) &&
                 std::ranges::all_of(written.fields, [&](const Field& field) {
                   return is_callers(field.name) || newest.Find(field.name) != nullptr;
                 });
  std::vector<View> views;
  bool all = true;
  for (const Field& field : (terms.newest ? newest : written).fields) {
    views.push_back(is_callers(field.name) ? View::kPlain : View::kNone);
    all = all && views.back() == View::kPlain;
  }
  if (!all) terms.writable = std::move(views);
  return terms;
}

std::vector<std::string> ChangedFields(const nlohmann::json& before, const nlohmann::json& after) {
  std::vector<std::string> names;
  for (const auto& [name, value] : after.items()) {
    const auto old = before.find(name);
    if (old == before.end() || *old != value) names.push_back(name);
  }
  for (const auto& [name, value] : before.items()) {
    if (!after.contains(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace coffer::vault
