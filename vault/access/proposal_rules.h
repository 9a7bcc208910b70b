// What approvals have to know of the actions that they are for. The actions are those of the rooms
// above, which say it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/approval.h"
#include "vault/access/approval_store.h"
#include "vault/access/call.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/catalog_store.h"

namespace coffer::vault {

// What who looks at an approval is told besides: with which words it was asked for, and what it
// would do now.
class ApprovalOutlook {
 public:
  virtual ~ApprovalOutlook() = default;
  // In the operation that shows the approval to the call's principal: what of it discloses more
  // than the approval leaves entries of its own.
  virtual Status Look(Transaction& transaction, Call& call, const ApprovalRow& row,
                      ApprovalState state) = 0;
  // After the commit: opens and compares what Look found. Errors: kCorrupted.
  virtual Status Complete(const Call& call, Approval& approval) = 0;
};

class ProposalRules {
 public:
  virtual ~ProposalRules() = default;
  // The content as it will be hashed when the thing is done; issues when it could not be done.
  virtual std::string CanonicalContent(const Proposal& proposal, const Catalog& catalog,
                                       std::string_view purpose, Timestamp now,
                                       std::vector<Issue>& issues) const = 0;
  // The client that is proposed about, into the entry.
  virtual Status NameSubject(Transaction& transaction, Call& call, std::string_view action,
                             std::string_view target) const = 0;
  virtual std::unique_ptr<ApprovalOutlook> Outlook() const = 0;
};

}  // namespace coffer::vault
