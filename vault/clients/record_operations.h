// What the operations on records, and the import, share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/clients/record.h"
#include "vault/clients/record_store.h"
#include "vault/clients/record_view.h"

namespace coffer::vault {

// Record, class and version into the entry; with `schema` also the fields the record has.
void Describe(audit::Entry& entry, const RecordRow& row, const ClassSchema* schema);

// Of a new record, or of one whose other fields stay; of one that goes or is replaced as a whole
// with kEveryField, since a refusal that depended on the fields it has would tell of hidden ones.
// Errors: kPermissionDenied "field_not_writable" with an issue per field of `fields` that is not
// the caller's to write.
inline constexpr std::int64_t kEveryField = -1;
Status CheckWritable(Call& call, const ClassSchema& schema, const FieldViews& writable,
                     std::int64_t fields);

// Each stored record was checked against a class: without it the record cannot be told apart.
// Errors: kCorrupted "storage_corrupted".
Result<std::shared_ptr<const ClassSchema>> ClassOf(const Transaction& transaction,
                                                   std::string_view name, std::uint64_t version);

// Whether a document that was validated against `schema` is still to be stored under it. Errors:
// kConflict kClassChanged: validate again.
inline constexpr std::string_view kClassChanged = "class_changed";
inline constexpr int kClassRetries = 5;
Status ClassStands(const Transaction& transaction, const ClassSchema& schema);

// Fills in `row.terms`. Errors: kCorrupted.
Status OpenTermsOf(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                   RecordRow& row);
// The same of a client's reference.
Status OpenReferenceOf(const crypto::Keyring& keyring, const ClientKeys& keys, ClientRow& row);
// Something goes that older copies of the index have: after a while its key is exchanged.
Status NoteDeletion(Transaction& transaction);

RecordInfo InfoOf(const RecordRow& row, const ClientId& client);

// What of the document the views show, into `info`.
void Show(RecordInfo& info, const ClassSchema& schema, const FieldViews& views, const Bytes& plain,
          const crypto::Keyring& keyring);

// A record that was logged as disclosed, to be opened after the commit.
struct SealedRecord {
  RecordRow row;
  std::shared_ptr<const ClassSchema> schema;
  FieldViews views;
};
// Errors: kCorrupted when the payload is not what was sealed.
Result<RecordInfo> OpenRecord(const Operations& operations, const ClientId& client,
                              const ClientKeys& keys, const SealedRecord& sealed);

// Several records that one call discloses: an entry for each, and at the end the reveals of all.
class RecordDisclosure {
 public:
  // Without `with_data` only that the records are there is disclosed.
  RecordDisclosure(const Operations& operations, Transaction& transaction, Call& call,
                   bool with_data)
      : operations_(operations), transaction_(transaction), call_(call), with_data_(with_data) {}

  // Nothing when the record is not there for the caller: the purpose may not touch its class, or no
  // grant shows anything of it. `decision`: on its client. Errors: kExhausted "budget_exhausted".
  Result<std::optional<SealedRecord>> Disclose(const ClientId& client,
                                               const AccessDecision& decision, RecordRow row);
  // Call it once, after the last one, and with nothing after it that may fail.
  Status CountReveals() { return operations_.CountReveals(transaction_, call_); }

 private:
  const Operations& operations_;
  Transaction& transaction_;
  Call& call_;
  const bool with_data_;
};

}  // namespace coffer::vault
