#include "vault/internal/record_operations.h"

#include "vault/strict_json.h"

namespace coffer::vault {

void Describe(audit::Entry& entry, const RecordRow& row, const ClassSchema* schema) {
  entry.record = row.id.Text();
  entry.class_name = row.class_name;
  entry.version = row.version;
  if (schema != nullptr) entry.fields = schema->FieldNames(row.fields);
}

Status CheckWritable(Call& call, const ClassSchema& schema, const FieldViews& writable,
                     std::int64_t fields) {
  Error error{Code::kPermissionDenied, "field_not_writable", {}, {}};
  for (std::size_t i = 0; writable && i < schema.fields.size(); ++i) {
    if ((fields >> i & 1) != 0 && (*writable)[i] != View::kPlain) {
      error.issues.push_back({PointerTo("", schema.fields[i].name), "is not yours to write"});
    }
  }
  if (error.issues.empty()) return {};
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = "check:fields";
  return std::unexpected(std::move(error));
}

Result<std::shared_ptr<const ClassSchema>> ClassOf(const Transaction& transaction,
                                                   std::string_view name, std::uint64_t version) {
  auto schema = transaction.catalog().Version(name, version);
  if (schema) return schema;
  return Fail(Code::kCorrupted, "storage_corrupted", "a record names no stored class");
}

Status ClassStands(const Transaction& transaction, const ClassSchema& schema) {
  const auto newest = transaction.catalog().Newest(schema.name);
  if (newest && newest->version == schema.version) return {};
  return Fail(Code::kConflict, kClassChanged);
}

}  // namespace coffer::vault
