// What was shown of the backups, and when: the last drills, and which destination was last read
// back whole. The vault keeps it among its settings, which the log commits to.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/documents/drill_report.h"
#include "crypto/result.h"
#include "vault/access/operations.h"
#include "vault/backup/backup_options.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct KeptDrill {
  audit::DrillReport report;
  std::string note;         // signed
  bool log_agrees = false;  // the vault's log begins with the restored one
  bool good() const { return log_agrees && report.outcome == audit::DrillOutcome::kPassed; }
};

class BackupHistory {
 public:
  // At the opening. Errors: those of reading; kCorrupted "drill_report_malformed".
  Status Load(const Operations& operations, const BackupOptions& options);

  // In an operation; known to the others once it is committed (Publish).
  static Status PutDrill(Transaction& transaction, const KeptDrill& drill);
  static Status PutVerified(Transaction& transaction, const std::string& destination,
                            Timestamp time, bool whole);
  // Of a destination whose repository is another now: nothing is known of it.
  static Status PutUnknown(Transaction& transaction, const std::string& destination);
  // Whether it was ever read back, as it is stored.
  static Result<bool> IsKnown(Transaction& transaction, const std::string& destination);
  void Publish(KeptDrill drill);
  // What was read back since `standing` was asked for; dropped where the destination was forgotten
  // since.
  void Publish(const std::string& destination, std::uint64_t standing, Timestamp verified,
               bool whole);
  void Forget(const std::string& destination);
  // Which of the repositories that the destination had in this process it has now.
  std::uint64_t Standing(const std::string& destination) const;

  // Any thread. The last one, and the last good one where that is another.
  std::vector<KeptDrill> Drills() const;
  std::optional<Timestamp> Verified(const std::string& destination) const;
  // Since it was read back and found damaged; absent: the last time it was whole.
  std::optional<Timestamp> Damaged(const std::string& destination) const;

 private:
  mutable std::mutex mutex_;
  std::optional<KeptDrill> last_, good_;
  std::map<std::string, Timestamp, std::less<>> verified_, damaged_;
  std::map<std::string, std::uint64_t, std::less<>> forgotten_;  // how often
};

}  // namespace coffer::vault
