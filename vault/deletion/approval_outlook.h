// What who looks at an approval is told besides: with which words it was asked for, and what it
// would do now.
#pragma once

#include <string>

#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/client_row.h"
#include "vault/access/operations.h"
#include "vault/access/proposal_rules.h"
#include "vault/deletion/approval_preview.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/hold.h"
#include "vault/engine/snapshot_reader.h"

namespace coffer::vault {

class ActionOutlook : public ApprovalOutlook {
 public:
  ActionOutlook(const Operations& operations, SnapshotReaders& snapshots)
      : operations_(operations), snapshots_(snapshots) {}

  Status Look(Transaction& transaction, Call& call, const ApprovalRow& row,
              ApprovalState state) override;
  Status Complete(const Call& call, Approval& approval) override;

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

  const Operations& operations_;
  SnapshotReaders& snapshots_;
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
