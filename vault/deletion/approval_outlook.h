// What who looks at an approval is told besides: with which words it was asked for, and what it
// would do now.
#pragma once

#include <string>

#include "vault/deletion/approval_preview.h"
#include "vault/access/operations.h"

namespace coffer::vault {

class ApprovalOutlook {
 public:
  explicit ApprovalOutlook(Vault::Core& core) : core_(core) {}

  // In the operation that shows the approval to the call's principal: what of it discloses more
  // than the approval leaves entries of its own.
  Status Look(Transaction& transaction, Call& call, const ApprovalRow& row, ApprovalState state);
  // After the commit: opens and compares what Look found. Errors: kCorrupted.
  Status Complete(const Call& call, Approval& approval);

 private:
  Result<bool> MayDecide(Transaction& transaction, const Call& call, const ApprovalRow& row) const;
  Result<bool> May(Transaction& transaction, const Call& call, Action action,
                   const std::optional<ClientId>& client = std::nullopt) const;
  Status LookAtQuestion(Transaction& transaction, Call& call, const ApprovalRow& row, bool full);
  Status LookAtErasure(Transaction& transaction, Call& call, const ApprovalRow& row);
  Status LookAtReference(Transaction& transaction, Call& call, const ClientRow& client);
  Status LookAtRecords(Transaction& transaction, const ClientRow& client,
                       const ErasureRequest& request, ErasurePreview& preview) const;
  Status LookAtHold(Transaction& transaction, Call& call, const ApprovalRow& row);
  Status LookAtExport(Transaction& transaction, const ApprovalRow& row);
  Status LookAtReplacement(Transaction& transaction, const Call& call, const ApprovalRow& row,
                           bool full);
  Status OpenWords(Transaction& transaction, Hold& hold) const;

  // Walks the table: on a connection of its own, beside the engine.
  Result<std::uint64_t> CountClients() const;

  Vault::Core& core_;
  ApprovalQuestion question_;
  std::optional<ApprovalPreview> preview_;
  bool all_clients_ = false;    // are to be counted after the commit
  std::string before_, after_;  // of a replacement
  struct SealedReason {
    Bytes sealed;
    audit::Entry asked;
    std::optional<PinnedKeys> key;
  };
  std::optional<SealedReason> reason_;
};

}  // namespace coffer::vault
