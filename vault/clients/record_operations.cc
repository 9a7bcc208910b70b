#include "vault/clients/record_operations.h"

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {

void Describe(audit::Entry& entry, const RecordRow& row, const ClassSchema* schema) {
  entry.record = row.id.Text();
  entry.class_name = row.class_name;
  entry.version = row.version;
  if (schema != nullptr) entry.fields = schema->FieldNames(row.fields);
}

Status CheckWritable(Call& call, const ClassSchema& schema, const FieldViews& writable,
                     std::int64_t fields) {
  if (WritesNothing(writable)) {
    return Deny(call, "fields", Code::kPermissionDenied, "field_not_writable");
  }
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
  auto schema = transaction.Of<CatalogState>().current().Version(name, version);
  if (schema) return schema;
  return Fail(Code::kCorrupted, "storage_corrupted", "a record names no stored class");
}

Status ClassStands(const Transaction& transaction, const ClassSchema& schema) {
  const auto newest = transaction.Of<CatalogState>().current().Newest(schema.name);
  if (newest && newest->version == schema.version) return {};
  return Fail(Code::kConflict, kClassChanged);
}

Status OpenTermsOf(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                   RecordRow& row) {
  if (!IsSealed(row.tokens)) {
    row.terms = {row.class_version, 1, row.import_token, row.tokens};
    return {};
  }
  COFFER_ASSIGN(row.terms, OpenTerms(keyring, keys, client, row.id.value, row.tokens));
  return {};
}

Status OpenReferenceOf(const crypto::Keyring& keyring, const ClientKeys& keys, ClientRow& row) {
  row.reference.reset();
  if (row.ref.empty()) return {};
  COFFER_ASSIGN(row.reference, OpenReference(keyring, keys, row.id, row.ref));
  return {};
}

Status NoteDeletion(Transaction& transaction) {
  COFFER_ASSIGN(const bool first,
                transaction.Of<ClientsState>().stores.index.MarkUncovered(transaction.now()));
  if (first) IndexChanged(transaction);
  return {};
}

RecordInfo InfoOf(const RecordRow& row, const ClientId& client) {
  RecordInfo info;
  info.id = row.id;
  info.client = client;
  info.class_name = row.class_name;
  info.class_version = row.class_version;
  info.version = row.version;
  info.created = row.created;
  info.updated = row.updated;
  return info;
}

void Show(RecordInfo& info, const ClassSchema& schema, const FieldViews& views, const Bytes& plain,
          const crypto::Keyring& keyring) {
  auto viewed =
      ApplyViews(schema, views, std::string(crypto::AsText(plain)), keyring.blind_index_key());
  info.data = std::move(viewed.json);
  info.masked = std::move(viewed.masked);
  info.present = std::move(viewed.present);
}

Result<RecordInfo> OpenRecord(const Operations& operations, const ClientId& client,
                              const ClientKeys& keys, const SealedRecord& sealed) {
  const RecordRow& row = sealed.row;
  COFFER_ASSIGN(const Bytes plain, keys.Open(RecordContext(operations.keyring(), client, row.id,
                                                           row.class_name, row.version),
                                             row.payload));
  RecordInfo info = InfoOf(row, client);
  Show(info, *sealed.schema, sealed.views, plain, operations.keyring());
  return info;
}

Result<std::optional<SealedRecord>> RecordDisclosure::Disclose(const ClientId& client,
                                                               const AccessDecision& decision,
                                                               RecordRow row) {
  COFFER_ASSIGN(auto schema, ClassOf(transaction_, row.class_name, row.class_version));
  const std::string& purpose = call_.caller.purpose;
  const auto registered = transaction_.Of<CatalogState>().current().purposes.find(purpose);
  if (registered == transaction_.Of<CatalogState>().current().purposes.end() ||
      !schema->AllowsPurpose(purpose) || !registered->second.MayTouch(schema->name)) {
    return std::nullopt;
  }
  if (operations_.StopOf(transaction_, call_, call_.action, client, schema.get()) !=
      Operations::Stop::kNone) {
    return std::nullopt;
  }
  AccessDecision own = decision;
  if (call_.role->budgeted) {
    COFFER_ASSIGN(own,
                  operations_.DecideFor(transaction_, call_, call_.action, client, schema.get()));
  }
  if (!own.allowed && own.error.code == Code::kExhausted) {
    return Deny(call_, "budget", own.error.code, own.error.reason);
  }
  if (!own.allowed) return std::nullopt;
  auto views = FieldViewsOf(own, *schema);
  if (ShowsNothing(views)) return std::nullopt;
  COFFER_TRY(operations_.CheckWhole(row.id.value));
  audit::Entry entry;
  entry.action = Name(call_.action);
  entry.client = client.Text();
  Describe(entry, row, nullptr);
  if (with_data_) {
    entry.fields = ShownFields(*schema, views, row.fields);
    entry.detail = DescribeViews(*schema, views, row.fields);
    if (call_.role->budgeted && SpendsBudget(own, *schema, views, row.fields)) ++call_.reveals;
  }
  transaction_.Also(std::move(entry));
  return SealedRecord{std::move(row), std::move(schema), std::move(views)};
}

}  // namespace coffer::vault
