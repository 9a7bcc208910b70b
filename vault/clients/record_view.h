// What of a record's document passes the caller's view, field by field; and what of a document that
// the caller sends may replace the one that is stored.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crypto/secret_bytes.h"
#include "vault/access/access_policy.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/mask.h"

namespace coffer::vault {

// Views by the place of the field in a class; nothing: every field, plainly.
using FieldViews = std::optional<std::vector<View>>;

FieldViews FieldViewsOf(const AccessDecision& decision, const ClassSchema& schema);
bool ShowsNothing(const FieldViews& views);
// Whether a field among a record's present ones is shown plainly by grants with budgets alone.
bool SpendsBudget(const AccessDecision& decision, const ClassSchema& schema,
                  const FieldViews& views, std::int64_t fields);

// Names of the fields that `fields` (a record's present ones) has and the views show in some way.
std::vector<std::string> ShownFields(const ClassSchema& schema, const FieldViews& views,
                                     std::int64_t fields);
// For the log: "masked a b; present c", or nothing.
std::string DescribeViews(const ClassSchema& schema, const FieldViews& views, std::int64_t fields);

struct ViewedDocument {
  std::string json;
  std::vector<std::string> masked, present;
};
// Precondition: `json` is a document of `schema`.
ViewedDocument ApplyViews(const ClassSchema& schema, const FieldViews& views, std::string json,
                          const crypto::SecretBytes& hash_key);

// Where the caller writes plainly and reads plainly: nobody overwrites what they do not see.
FieldViews WritableFields(const FieldViews& write, const FieldViews& read);

// Whether there is no field that may be written; of a class without fields there is nothing to ask.
bool WritesNothing(const FieldViews& writable);

// `sent` with what the caller may not write taken from `stored`. Errors: kPermissionDenied
// "field_not_writable" with an issue per field that was sent nevertheless.
Result<nlohmann::json> MergeWritable(const ClassSchema& schema, const FieldViews& writable,
                                     const nlohmann::json& sent, const nlohmann::json& stored);

// `stored` with the fields that `patch` names put in or, where it says null, taken away (RFC 7396).
// No field's value is an object, so the first level is all there is: a list is replaced as a whole.
// Errors: kPermissionDenied "field_not_writable" with an issue per field that is not the caller's.
Result<nlohmann::json> MergePatch(const ClassSchema& schema, const FieldViews& writable,
                                  const nlohmann::json& patch, const nlohmann::json& stored);

}  // namespace coffer::vault
