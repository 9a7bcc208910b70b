// What a repository keeps, and what no longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct KeepRule {
  std::optional<Timestamp> since;  // what was made from then on stays
  KeepCounts counts;               // and what these keep; without both all stays
  // Generations that one of these signed take the places of the calendar before all others: who may
  // only add files makes none of them go. Older ones may be signed by keys that are gone.
  std::vector<audit::VerifierKey> ours = {};
  // Moments from then on stay, whatever generations were made since.
  std::optional<Timestamp> moments_since = {};
};
// What a destination is configured to keep.
KeepRule RuleOf(const BackupDestination& destination, Timestamp now,
                std::vector<audit::VerifierKey> ours);

// What no clock tells the age of: every generation, and every moment.
KeepRule KeepAllOf(std::vector<audit::VerifierKey> ours);

// Which of generations that were made then stay by a rule: the first always does. They take the
// places of the calendar in this order.
std::vector<bool> ChooseKept(std::span<const Timestamp> created, const KeepRule& rule);

struct PrunePlan {
  std::vector<std::string> kept, old;   // generations, newest first
  std::vector<std::string> unreadable;  // which stay
};
// Changes nothing. Errors: those of Repository.
Result<PrunePlan> PlanPrune(const Repository& repository, const KeepRule& rule);

// What is said of one of these: kCorrupted "manifest_malformed".
Status UnreadableGeneration(const Repository& repository, const std::string& generation);

struct Pruned {
  std::uint64_t removed = 0;   // generations that went
  std::uint64_t retained = 0;  // generations that should have gone: the destination retains them
  bool retains = false;        // these, or anything else, or an earlier version of what went
  std::optional<Timestamp> retained_until = std::nullopt;  // the longest of these, where it is told
};

// Removes the generations that the rule does not keep, and the increments of all but the newest two
// that stay and those that reach to `moments_since`. Where one went, or `sweep` says that there may
// be some, every object that nothing of what stays needs goes too. What the destination retains
// (object lock) stays with all that it needs, and goes when it can. `pruned` is what was done, also
// after an error. Errors: those of Repository and `go_on`; kCorrupted "manifest_malformed" and
// "increment_malformed" where one cannot be read: what is old went all the same, and no object, as
// what that one needs is not known.
Status PruneRepository(const Repository& repository, const KeepRule& rule, bool sweep,
                       const std::function<Status()>& go_on, Pruned& pruned);

}  // namespace coffer::vault
