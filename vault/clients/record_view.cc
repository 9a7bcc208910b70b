#include "vault/clients/record_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/base/strict_json.h"
#include "vault/catalog/role.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

View ViewOf(const FieldViews& views, std::size_t i) { return views ? (*views)[i] : View::kPlain; }

bool IsPresent(std::int64_t fields, std::size_t i) { return (fields >> i & 1) != 0; }

std::string JoinNames(std::string_view word, const std::vector<std::string>& names) {
  std::string text(names.empty() ? "" : word);
  for (const auto& name : names) text += " " + name;
  return text;
}

}  // namespace

FieldViews FieldViewsOf(const AccessDecision& decision, const ClassSchema& schema) {
  if (ShowsEverything(decision)) return std::nullopt;
  auto views = ViewsOf(decision, schema);
  const bool all = std::ranges::all_of(views, [](View view) { return view == View::kPlain; });
  return all ? FieldViews() : FieldViews(std::move(views));
}

bool ShowsNothing(const FieldViews& views) {
  return views && std::ranges::all_of(*views, [](View view) { return view == View::kNone; });
}

bool SpendsBudget(const AccessDecision& decision, const ClassSchema& schema,
                  const FieldViews& views, std::int64_t fields) {
  const auto is_limited = [](const Grant* grant) {
    return grant->conditions.budget.limited() && grant->view == View::kPlain;
  };
  if (std::ranges::none_of(decision.grants, is_limited)) return false;
  const FieldViews free = FieldViewsOf(WithoutBudgets(decision), schema);
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (IsPresent(fields, i) && ViewOf(views, i) == View::kPlain && ViewOf(free, i) != View::kPlain)
      return true;
  }
  return false;
}

std::vector<std::string> ShownFields(const ClassSchema& schema, const FieldViews& views,
                                     std::int64_t fields) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (IsPresent(fields, i) && ViewOf(views, i) != View::kNone) {
      names.push_back(schema.fields[i].name);
    }
  }
  return names;
}

std::string DescribeViews(const ClassSchema& schema, const FieldViews& views, std::int64_t fields) {
  std::vector<std::string> masked, present;
  for (std::size_t i = 0; views && i < schema.fields.size(); ++i) {
    if (!IsPresent(fields, i)) continue;
    if ((*views)[i] == View::kMasked) masked.push_back(schema.fields[i].name);
    if ((*views)[i] == View::kPresence) present.push_back(schema.fields[i].name);
  }
  std::string text = JoinNames("masked", masked);
  if (!masked.empty() && !present.empty()) text += "; ";
  return text + JoinNames("present", present);
}

ViewedDocument ApplyViews(const ClassSchema& schema, const FieldViews& views, std::string text,
                          const crypto::SecretBytes& hash_key) {
  ViewedDocument viewed;
  if (!views) {
    viewed.json = std::move(text);
    return viewed;
  }
  const json document = json::parse(text);
  json shown = json::object();
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const Field& field = schema.fields[i];
    const auto value = document.find(field.name);
    if (value == document.end()) continue;
    switch ((*views)[i]) {
      case View::kPlain:
        shown[field.name] = *value;
        break;
      case View::kMasked:
        shown[field.name] = MaskValue(schema.name, field, *value, hash_key);
        if (field.mask != MaskRule::kNone) viewed.masked.push_back(field.name);
        break;
      case View::kPresence:
        viewed.present.push_back(field.name);
        break;
      case View::kNone:
        break;
    }
  }
  viewed.json = shown.dump();
  return viewed;
}

FieldViews WritableFields(const FieldViews& write, const FieldViews& read) {
  if (!write) return read;
  FieldViews both = write;
  for (std::size_t i = 0; read && i < both->size(); ++i) {
    (*both)[i] = std::min((*both)[i], (*read)[i]);
  }
  return both;
}

bool WritesNothing(const FieldViews& writable) {
  return writable && std::ranges::find(*writable, View::kPlain) == writable->end();
}

Result<json> MergeWritable(const ClassSchema& schema, const FieldViews& writable, const json& sent,
                           const json& stored) {
  if (!writable || !sent.is_object()) return sent;  // its form is checked afterwards
  std::vector<Issue> issues;
  json merged = sent;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const std::string& name = schema.fields[i].name;
    if ((*writable)[i] == View::kPlain) continue;
    if (sent.contains(name)) {
      issues.push_back({PointerTo("", name), "is not yours to write"});
    } else if (stored.contains(name)) {
      merged[name] = stored.at(name);
    }
  }
  if (!issues.empty()) {
    return std::unexpected(
        Error{Code::kPermissionDenied, "field_not_writable", {}, std::move(issues)});
  }
  return merged;
}

Result<json> MergePatch(const ClassSchema& schema, const FieldViews& writable, const json& patch,
                        const json& stored) {
  if (!patch.is_object()) return patch;  // its form is checked afterwards
  std::vector<Issue> issues;
  json merged = stored;
  for (const auto& [name, value] : patch.items()) {
    const Field* const field = schema.Find(name);
    if (field != nullptr && writable &&
        (*writable)[static_cast<std::size_t>(field - schema.fields.data())] != View::kPlain) {
      issues.push_back({PointerTo("", name), "is not yours to write"});
    } else if (!value.is_null()) {
      merged[name] = value;
    } else if (merged.erase(name) == 0 && field == nullptr) {
      merged[name] = nullptr;  // of no field, which is told with what else is wrong
    }
  }
  if (!issues.empty()) {
    return std::unexpected(
        Error{Code::kPermissionDenied, "field_not_writable", {}, std::move(issues)});
  }
  return merged;
}

}  // namespace coffer::vault
