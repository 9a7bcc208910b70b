#include "vault/backup/copies.h"

#include <algorithm>
#include <set>

namespace coffer::vault {
namespace {

constexpr std::int64_t kCopyHourMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kOldWithoutCalendarHours = 8 * 24, kLeastCalendarHours = 24;

}  // namespace

std::int64_t CopyMayBeOldMs(const BackupOptions& options) {
  if (options.backup_every_hours == 0) return kOldWithoutCalendarHours * kCopyHourMs;
  return 2 * std::max<std::int64_t>(options.backup_every_hours, kLeastCalendarHours) * kCopyHourMs;
}

BackupRule JudgeCopies(const BackupOptions& options, audit::BackupKind kind,
                       std::span<const CopyState> states, Timestamp now) {
  BackupRule rule;
  std::set<std::string> media;
  if (!options.backup_medium.empty()) media.insert(options.backup_medium);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const BackupDestination& destination = options.backup_destinations[i];
    const CopyState& state = states[i];
    if (destination.kind != kind || !state.usable || !state.newest) continue;
    if (now.ms - state.newest->ms > CopyMayBeOldMs(options)) continue;
    ++rule.copies;
    if (!destination.medium.empty()) media.insert(destination.medium);
    if (destination.off_site) ++rule.off_site;
  }
  rule.media = media.size();
  return rule;
}

}  // namespace coffer::vault
