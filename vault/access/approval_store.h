// What two people decide together: one asks, another approves, the first does it once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/hash.h"
#include "vault/access/approval.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/storage/sqlite.h"

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
  // Of the role, class or schedule that is to be replaced, when this was asked for; 0: there was
  // none. Nothing: this replaces none of these.
  std::optional<std::uint64_t> target_version = {};
  // Of the log's entry that asked for it. Nothing: it was asked for before this was kept.
  std::optional<std::uint64_t> asked_seq = {};
};

// One that was not used, without its content.
struct UnusedApproval {
  ApprovalId id;
  std::size_t bytes = 0;  // of the content
  Timestamp expires;
  std::optional<Timestamp> refused, ended;

  // Nothing: it is open.
  std::optional<Timestamp> EndedBy(Timestamp now) const {
    if (ended) return ended;
    if (refused) return refused;
    return expires <= now ? std::optional(expires) : std::nullopt;
  }
};

class ApprovalStore {
 public:
  static Result<ApprovalStore> Open(Database& database);
  Result<std::optional<ApprovalRow>> Find(const ApprovalId& id);
  // Those that wait for a decision first, newest first: at most `limit` of those behind `after`,
  // and no more once their contents have more than `bytes`.
  struct Place {
    bool closed = false;
    std::int64_t row = 0;  // of the id
  };
  Result<std::vector<ApprovalRow>> List(const Place& after, std::size_t limit, std::size_t bytes);
  static Place PlaceOf(const ApprovalRow& row);
  // Of one requester, newest first.
  Result<std::vector<UnusedApproval>> ListUnused(const PrincipalId& requester);
  Status Delete(const ApprovalId& id);
  Status PurgeExecuted(Timestamp before);
  Status Insert(const ApprovalRow& row);
  // Those that could still be used, and that the principal asked for or approved.
  Result<std::vector<ApprovalRow>> ListOpenOf(const PrincipalId& principal, Timestamp now);
  // All but what was asked for, and by whom.
  Status Update(const ApprovalRow& row);
  // Undecided or approved, not executed, not ended, not expired.
  Result<std::uint64_t> CountOpen(Timestamp now);

 private:
  Statement find_, list_, list_open_of_, insert_, update_, count_open_, list_unused_, delete_,
      purge_executed_;
};

}  // namespace coffer::vault
