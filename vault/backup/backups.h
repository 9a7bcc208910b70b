// Copies of the vault, made while it serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/backup/backup_history.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/backup_runner.h"
#include "vault/backup/backup_writer.h"
#include "vault/backup/repository_report.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What a destination has, as it says itself: its objects are not read.
struct DestinationState {
  std::string name;
  BackupKind kind = BackupKind::kData;
  std::string directory;
  std::string problem;  // why it cannot be used; empty: it can
  std::uint64_t generations = 0;
  std::optional<std::string> newest;
  std::optional<Timestamp> newest_created;
  // All that was committed until then is there, in increments behind the newest; absent: it was not
  // written to since the vault was opened, or increments are off.
  std::optional<Timestamp> until;
  std::optional<Timestamp> verified;  // when it was last read back, and whole
  std::string medium;                 // as it is declared
  bool off_site = false;
};

struct DestinationVerification {
  std::string name;
  RepositoryReport report;
  std::optional<Timestamp> verified;  // when it was found whole; nothing: it is not
};

class Backups {
 public:
  Backups(const Operations& operations, const BackupOptions& options, BackupRunner& runner)
      : operations_(operations),
        options_(options),
        runner_(runner),
        looks_(options.backup_destinations.size()) {}

  // Makes the repository of a destination: a place that merely is not mounted is never taken for
  // one. Errors: kNotFound "not_found"; those of Repository::Create.
  Result<DestinationState> InitializeDestination(const Caller& caller, const std::string& name);
  // A generation now. Errors: kConflict "backup_not_configured", "backup_running"; those of
  // BackupWriter. A destination's own are in the result.
  Result<BackupRun> RunBackup(const Caller& caller);
  Result<std::vector<DestinationState>> ListDestinations(const Caller& caller);
  // Reads all of a destination back; what is wrong is in the result. Whose the newest generation
  // is, is checked by the log's keys of now. Errors: kNotFound "not_found"; kConflict
  // "repository_replaced" where the destination has another one by then, of which nothing is told;
  // those of VerifyRepository.
  Result<DestinationVerification> VerifyDestination(const Caller& caller, const std::string& name);
  // What a destination does not keep any longer goes now, or is told (`dry`); of all, where `name`
  // is empty. Errors: kNotFound "not_found"; kConflict "backup_not_configured",
  // "clock_unconfirmed".
  Result<std::vector<DestinationPrune>> PruneBackups(const Caller& caller, const std::string& name,
                                                     bool dry);
  // Keeps the signed report of a drill, by a key that the log has now. Of another log, or of one
  // that parts from this vault's, it is kept as well: that is what has to be known. Errors:
  // kUnprocessable "request_invalid": no report of this vault, signed by none of its keys, or of a
  // time to come; kConflict "drill_report_older": there is a later one.
  Result<KeptDrill> RecordDrill(const Caller& caller, const std::string& note);
  // The last one, and the last that passed where that is another.
  Result<std::vector<KeptDrill>> ListDrills(const Caller& caller);

  // A run that is under way ends soon, without a generation.
  void Stop() { runner_.Interrupt(); }

 private:
  DestinationState StateOf(std::size_t number) const;
  // The destination that the call is about, which its entry says. Errors: kNotFound "not_found".
  Result<const BackupDestination*> Begin(Call& call, std::string_view what,
                                         const std::string& name) const;
  Result<KeptDrill> CheckDrill(Transaction& transaction, const std::string& note) const;

  const Operations& operations_;
  const BackupOptions& options_;
  BackupRunner& runner_;
  mutable std::deque<std::timed_mutex> looks_;  // by destination
};

}  // namespace coffer::vault
