// The actions that two people decide, as they are proposed: what each is about, and what it would
// do.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/access/proposal_rules.h"
#include "vault/base/timestamp.h"
#include "vault/engine/snapshot_reader.h"

namespace coffer::vault {

class ProposedActions : public ProposalRules {
 public:
  ProposedActions(const Operations& operations, SnapshotReaders& snapshots)
      : operations_(operations), snapshots_(snapshots) {}
  std::string CanonicalContent(const Proposal& proposal, const Catalog& catalog,
                               std::string_view purpose, Timestamp now,
                               std::vector<Issue>& issues) const override;
  Status NameSubject(Transaction& transaction, Call& call, std::string_view action,
                     std::string_view target) const override;
  std::unique_ptr<ApprovalOutlook> Outlook() const override;

 private:
  const Operations& operations_;
  SnapshotReaders& snapshots_;
};

}  // namespace coffer::vault
