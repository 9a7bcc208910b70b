// A restore, tried: a backup goes into a scratch place, is opened there as a start opens it, and is
// verified to the last record; then the scratch is destroyed.
//
// What a drill writes is never the vault's. It serves nobody and signs nothing there: the entries
// of its opening have no checkpoint, the anchor stays as it was restored, and the ledger takes no
// line (OpenFor::kRehearsal). All of it lies in the scratch place. What is signed is the report.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/documents/drill_report.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/hash.h"
#include "crypto/result.h"
#include "vault/backup/restoration.h"

namespace coffer::vault {

struct DrillRequest {
  RestoreRequest restore;                        // but where to, which is in the scratch place
  std::string scratch;                           // a directory that is there, for nothing else
  std::optional<std::uint64_t> most_bytes = {};  // to use of it; absent: as there is room
  // What is known of the log as it is now: signed checkpoints, by keys of the copy's keyring or
  // these.
  std::vector<std::string> checkpoints = {};
  std::vector<audit::VerifierKey> log_keys = {};
  // That the log of `from` entries is the beginning of that of `to`. Empty: nobody can be asked.
  std::function<Result<std::vector<crypto::Hash>>(std::uint64_t from, std::uint64_t to)> prove = {};
  const audit::Clock* clock = nullptr;  // null: the system's
};

struct Drill {
  audit::DrillReport report;
  std::string note;  // the signed report
};

// A backup that cannot be restored, opened or verified is a report with findings. Errors are what
// says nothing of the backup: those of `open_root`, ScratchPlace and of RestoreVault other than for
// damage; kUnavailable "scratch_too_small", with what is needed; kInvalidArgument
// "checkpoint_unusable": no checkpoint that these keys signed; and damage that is met before a
// keyring.json was opened, as nothing can sign then. The scratch is destroyed in any case; where it
// cannot be, kUnavailable "file_not_removed" says so.
Result<Drill> RunDrill(const DrillRequest& request, const OpenRootKeyFor& open_root);

}  // namespace coffer::vault
