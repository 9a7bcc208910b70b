// One row on its way through an import: all that can be made of it beforehand, then its operation.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/catalog/class_schema.h"
#include "vault/clients/client_store.h"
#include "vault/clients/import.h"
#include "vault/clients/record_store.h"

namespace coffer::vault {

// Rows that are done one after the other, once or again. Where the class has got another version
// since they were prepared, none of those that follow is done before that one is: lines of a client
// stay in their order.
struct RowGroup {
  bool last_time = false;
  bool class_changed = false;  // engine thread, until all of it is done
};

class RowImport {
 public:
  // The caller, the row and the group must outlive it.
  RowImport(const Operations& operations, const Caller& caller, const ImportRow& row,
            RowGroup& group);
  RowImport(const RowImport&) = delete;
  RowImport& operator=(const RowImport&) = delete;

  // Any thread: checks the row, and seals it for the usual case, that its client is new. What is
  // wrong with it is refused by its operation. Errors: kExhausted "key_cache_full".
  Status Prepare();
  // Precondition: prepared.
  Call& call() { return *call_; }
  Status operator()(Transaction& transaction);
  // With what became of the operation, once.
  Result<ImportResult> Finish(const Status& performed);

 private:
  struct Target;  // what a row changes: a client, and a record of it

  void Refuse(Error error);
  Status Again(Transaction& transaction);
  Status SealClient();
  BlindToken ImportTokenOf(const ClientId& owner) const;
  void SealRecord(const ClientId& owner, const ClientKeys& keys);
  Status CheckNew(const AccessDecision& decision);
  Status MakeClient(Transaction& transaction);
  Result<std::optional<RecordRow>> FindRecord(Transaction& transaction, const ClientRow& owner);
  Status ChangeRecord(Transaction& transaction, const ClientRow& owner, Target& target);

  const Operations& operations_;
  const Caller& caller_;
  const ImportRow& row_;
  RowGroup& group_;
  const bool merged_;
  std::optional<Call> call_;
  std::optional<Error> refused_;  // before its operation
  std::shared_ptr<const ClassSchema> schema_;
  std::optional<Result<Document>> document_;  // as of a record that is new
  ClientRow client_;                          // that is new
  Bytes wrapped_key_;
  RecordRow record_;
  std::string sealed_json_;  // of it
  ImportResult result_;
  bool client_made_ = false;
};

}  // namespace coffer::vault
