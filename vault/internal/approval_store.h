// What two people decide together: one asks, another approves, the first does it once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/clock.h"
#include "crypto/hash.h"
#include "vault/ids.h"
#include "vault/internal/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

struct ApprovalRow {
  ApprovalId id;
  std::string action, target, content;
  crypto::Hash hash{};  // of what will be done
  PrincipalId requester;
  Timestamp created, expires;
  std::optional<PrincipalId> decider;
  std::optional<Timestamp> decided;
  bool approved = false;
  std::optional<Timestamp> executed;
};

class ApprovalStore {
 public:
  static Result<ApprovalStore> Open(Database& database);
  Result<std::optional<ApprovalRow>> Find(const ApprovalId& id);
  // Undecided ones first, newest first, at most 1,000.
  Result<std::vector<ApprovalRow>> List();
  Status Insert(const ApprovalRow& row);
  Status Update(const ApprovalRow& row);  // decider, decided, approved, executed
  // Undecided or approved, not executed, not expired.
  Result<std::uint64_t> CountOpen(Timestamp now);

 private:
  Statement find_, list_, insert_, update_, count_open_;
};

}  // namespace coffer::vault
