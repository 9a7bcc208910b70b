// What a vault is opened with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "audit/text/clock.h"
#include "crypto/password_hash.h"
#include "vault/access/session_options.h"
#include "vault/backup/backup_options.h"
#include "vault/base/operator_log.h"
#include "vault/clients/index_options.h"
#include "vault/clients/key_options.h"
#include "vault/deletion/deletion_options.h"

namespace coffer::vault {

struct VaultOptions : SessionOptions, IndexOptions, KeyOptions, DeletionOptions, BackupOptions {
  std::string directory;
  std::string anchor_path;  // empty: <directory>/anchor
  std::string ledger_path;  // of erasures; empty: <directory>/erasures.ledger
  std::size_t queue_limit = 4096;
  std::size_t key_cache_entries = 131072;
  int page_cache_mib = 160;
  bool require_locked_memory = true;
  std::uint32_t checkpoint_interval_ms = 1000;
  std::uint32_t heartbeat_interval_s = 3600;
  OperatorLog log;
  const audit::Clock* clock = nullptr;  // null: the system's
  crypto::PasswordCost password_cost;
  std::uint32_t scrub_entries_per_s = 250;  // 0: stored data is not compared with the log
  // Opens a vault whose people, tokens, roles, holds or settings are not what the log last
  // recorded, and records them as they are, with an alarm.
  bool take_over_state = false;
  // Opens also what coffer restore made and nobody made the vault yet (recovery.h).
  bool open_restored_copy = false;
};

}  // namespace coffer::vault
