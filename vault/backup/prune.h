// What a repository keeps, and what no longer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "crypto/result.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct Pruned {
  std::uint64_t removed = 0;   // generations that went
  std::uint64_t retained = 0;  // generations that should have gone: the destination retains them
  bool retains = false;        // these, or anything else, or an earlier version of what went
  std::optional<Timestamp> retained_until = std::nullopt;  // the longest of these, where it is told
};

// Removes generations from before `since`, but never the newest one, and the increments of all but
// the newest two. Where one went, or `sweep` says that there may be some, every object that nothing
// of what stays needs goes too. What the destination retains (object lock) stays with all that it
// needs, and goes when it can.
// `pruned` is what was done, also after an error. Errors: those of Repository and `go_on`;
// kCorrupted "manifest_malformed" and "increment_malformed" where one cannot be read: what is old
// went all the same, and no object, as what that one needs is not known.
Status PruneRepository(const Repository& repository, std::optional<Timestamp> since, bool sweep,
                       const std::function<Status()>& go_on, Pruned& pruned);

}  // namespace coffer::vault
