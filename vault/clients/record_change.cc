#include "vault/clients/record_change.h"

#include <algorithm>
#include <iterator>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/catalog/stored_day.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/record.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

Result<FieldViews> WritableBy(const Operations& operations, Transaction& transaction,
                              const Call& call, const AccessDecision& writing,
                              const ClientId& client, const ClassSchema& schema) {
  COFFER_ASSIGN(const auto reading,
                operations.DecideFor(transaction, call, Action::kRecordRead, client, &schema));
  return WritableFields(FieldViewsOf(writing, schema), FieldViewsOf(reading, schema));
}

std::vector<std::string> MissingIn(const json& after, const json& before) {
  std::vector<std::string> names;
  for (const auto& [name, value] : before.items()) {
    if (!after.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace

Result<UpdateTerms> TermsFor(const Operations& operations, Transaction& transaction,
                             const Call& call, const AccessDecision& writing,
                             const ClientId& client, const ClassSchema& written,
                             const ClassSchema& newest) {
  COFFER_ASSIGN(const auto of_newest,
                WritableBy(operations, transaction, call, writing, client, newest));
  if (written.version == newest.version) {
    return UpdateTermsOf(newest, of_newest, newest, of_newest);
  }
  COFFER_ASSIGN(const auto of_written,
                WritableBy(operations, transaction, call, writing, client, written));
  return UpdateTermsOf(written, of_written, newest, of_newest);
}

Result<ChangedDocument> ChangeDocument(const ClassSchema& schema, const FieldViews& writable,
                                       ChangeForm form, const json& sent, std::string_view stored) {
  const json before = stored.empty() ? json::object() : json::parse(stored);
  ChangedDocument change;
  COFFER_ASSIGN(change.whole, form == ChangeForm::kMergePatch
                                  ? MergePatch(schema, writable, sent, before)
                                  : MergeWritable(schema, writable, sent, before));
  COFFER_ASSIGN(change.document, ParseDocument(schema, change.whole, &before));
  change.changed = ChangedFields(before, change.whole);
  change.removed = MissingIn(change.whole, before);
  return change;
}

json WithoutNulls(const ClassSchema& schema, const json& patch) {
  if (!patch.is_object()) return patch;  // its form is checked afterwards
  json document = json::object();
  for (const auto& [name, value] : patch.items()) {
    if (!value.is_null() || schema.Find(name) == nullptr) document[name] = value;
  }
  return document;
}

void TakeDocument(RecordRow& row, const Operations& operations, const UpdateTerms& terms,
                  const ClassSchema& written, const ClassSchema& newest,
                  const ChangedDocument& change) {
  row.class_version = terms.newest ? newest.version : written.version;
  row.fields = change.document.fields;
  if (terms.newest) {
    row.terms = TermsOf(operations.keyring(), newest, change.document.indexed);
    row.retention_day = RetentionDay(newest, change.whole);
  } else {
    row.terms = TermsOf(operations.keyring(), newest, IndexedValues(newest, change.whole));
    row.retention_day = DayInStored(newest, change.document.json);
  }
}

}  // namespace coffer::vault
