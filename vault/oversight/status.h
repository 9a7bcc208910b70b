// How the vault is, for people and for monitoring.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vault/access/disclosure.h"
#include "vault/access/expiring_tokens.h"
#include "vault/base/timestamp.h"
#include "vault/clients/index_status.h"
#include "vault/engine/statistics.h"
#include "vault/oversight/scrub_state.h"
#include "vault/rights/notice.h"
#include "vault/rights/request_store.h"

namespace coffer::vault {

struct Health {
  bool ready = false;
  std::string_view reason;  // why not
};

// Three copies, on two media, one of them off site: of one kind, with the vault itself, and only of
// destinations that have a generation which is not too old.
struct BackupRule {
  std::uint64_t copies = 1, media = 0, off_site = 0;
  bool met() const { return copies >= 3 && media >= 2 && off_site >= 1; }
  bool operator==(const BackupRule&) const = default;
};

struct BackupStanding {
  std::uint64_t destinations = 0;
  std::uint64_t with_problem = 0;       // of these, where the last try failed
  std::optional<Timestamp> until;       // all that was committed until then is in each
  std::optional<Timestamp> generation;  // the oldest of their newest ones
  // When the last drill ended that passed; whether the last one of all did not.
  std::optional<Timestamp> drilled;
  bool drill_failed = false;
  bool drill_overdue = false;  // as the configuration asks for it
  std::optional<Timestamp>
      verified;  // since then each destination was read back whole; none: never
  BackupRule data, keys;
};

struct VaultStatus {
  std::string vault_id;
  std::string log_origin;
  std::string log_key;  // verifier key
  std::uint64_t log_size = 0;
  std::string checkpoint;  // the last published note
  std::uint64_t clients = 0, records = 0, erasures = 0;
  std::uint64_t classes = 0, purposes = 0, active_tokens = 0;
  std::uint64_t users = 0, services = 0, open_approvals = 0;
  std::uint64_t unreviewed_emergencies = 0, overdue_emergencies = 0;
  std::uint64_t holds = 0, overdue_holds = 0, restrictions = 0;
  RequestCounts requests;
  NoticeCounts notices;
  TellingCounts tellings;
  std::uint64_t retention_schedule = 0;  // version; 0: none
  std::uint64_t classes_without_policy = 0;
  bool waiting_for_clock = false;  // deletion waits until the clock is confirmed
  // The schedule's, where this machine does not know it: deletion is paused. Else empty.
  std::string unknown_time_zone;
  bool two_person = true;  // false: switched off when the vault was made
  bool memory_locked = false;
  bool keys_rewrite_pending = false;    // as EngineStatistics::keys_rewrite_pending
  bool wal_truncation_pending = false;  // as EngineStatistics::wal_truncation_pending
  BackupStanding backups;
  IndexStatus index;
  Timestamp started, now;
  ScrubState scrub;
  TokenExpiry tokens;
};

struct VaultStatistics : EngineStatistics {
  std::uint64_t open_approvals = 0, unreviewed_emergencies = 0, overdue_emergencies = 0;
  std::uint64_t holds = 0, overdue_holds = 0, restrictions = 0;
  RequestCounts requests;
  NoticeCounts notices;
  TellingCounts tellings;
  std::uint64_t retention_erased = 0;  // records, since the start
  bool retention_running = false, waiting_for_clock = false;
  bool time_zone_unknown = false;    // the retention schedule's: deletion is paused
  std::uint64_t log_index_size = 0;  // entries that the log's index has
  BackupStanding backups;
  IndexStatus index;
  ScrubState scrub;
  TokenExpiry tokens;
};

}  // namespace coffer::vault
