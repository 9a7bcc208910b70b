// The rule of 3-2-1, as the operator declared the destinations and as they were last written to.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "vault/backup/backup_options.h"
#include "vault/base/timestamp.h"
#include "vault/oversight/status.h"

namespace coffer::vault {

struct CopyState {
  bool usable = false;              // at the last try
  std::optional<Timestamp> newest;  // until when it has everything, or its newest generation
};

// How old what a destination has may be, to count as a copy: twice as old as the calendar leaves
// it, two days at least, and eight days where there is no calendar.
std::int64_t CopyMayBeOldMs(const BackupOptions& options);

// `states` are those of options.backup_destinations, in their order. The vault itself is a copy,
// and a medium where one is declared; who says nothing of a destination's medium has none.
BackupRule JudgeCopies(const BackupOptions& options, audit::BackupKind kind,
                       std::span<const CopyState> states, Timestamp now);

}  // namespace coffer::vault
