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

// What "retention.write" is about.
inline constexpr std::string_view kScheduleTarget = "schedule";
inline constexpr std::string_view kClassTarget = "class:";  // and its name

using audit::Timestamp;
enum class ApprovalEnd : std::uint8_t;

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
  std::optional<Timestamp> ended;  // before it was used
  std::optional<PrincipalId> ended_by;
  std::optional<ApprovalEnd> why;
};

class ApprovalStore {
 public:
  static Result<ApprovalStore> Open(Database& database);
  Result<std::optional<ApprovalRow>> Find(const ApprovalId& id);
  // Those that wait for a decision first, newest first, at most 1,000.
  Result<std::vector<ApprovalRow>> List();
  Status Insert(const ApprovalRow& row);
  // Those that could still be used, and that the principal asked for or approved.
  Result<std::vector<ApprovalRow>> ListOpenOf(const PrincipalId& principal, Timestamp now);
  // All but what was asked for, and by whom.
  Status Update(const ApprovalRow& row);
  // Undecided or approved, not executed, not ended, not expired.
  Result<std::uint64_t> CountOpen(Timestamp now);

 private:
  Statement find_, list_, list_open_of_, insert_, update_, count_open_;
};

}  // namespace coffer::vault
