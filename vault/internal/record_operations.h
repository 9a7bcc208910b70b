// What the operations on records, and the import, share.
#pragma once

#include <memory>
#include <string_view>

#include "vault/internal/core.h"
#include "vault/internal/record_view.h"

namespace coffer::vault {

// Record, class and version into the entry; with `schema` also the fields the record has.
void Describe(audit::Entry& entry, const RecordRow& row, const ClassSchema* schema);

// Of a new record, or of one whose other fields stay. Errors: kPermissionDenied
// "field_not_writable" with an issue per field of `fields` that is not the caller's to write.
Status CheckWritable(Call& call, const ClassSchema& schema, const FieldViews& writable,
                     std::int64_t fields);

// Each stored record was checked against a class: without it the record cannot be told apart.
// Errors: kCorrupted "storage_corrupted".
Result<std::shared_ptr<const ClassSchema>> ClassOf(const Transaction& transaction,
                                                   std::string_view name, std::uint64_t version);

// Whether a document that was validated against `schema` is still to be stored under it. Errors:
// kConflict kClassChanged: validate again.
inline constexpr std::string_view kClassChanged = "class_changed";
Status ClassStands(const Transaction& transaction, const ClassSchema& schema);

}  // namespace coffer::vault
