// Whose signature on a checkpoint counts: the rules of key_history.h.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "audit/entries/key_history.h"
#include "audit/tlog/checkpoint.h"

namespace coffer::audit {

// A checkpoint that a log is held against.
struct GivenCheckpoint {
  std::string_view note;
  CheckpointNote parsed;
  enum class Fit { kNotReached, kHolds, kDiffers };
  Fit fit = Fit::kNotReached;
  std::size_t place = 0;  // among those that were given

  std::uint64_t size() const { return parsed.checkpoint.size; }
};

struct Judgement {
  enum class Standing {
    kUnsigned,       // by no key that is known
    kWronglySigned,  // a line of a known key is wrong
    kUntrusted,      // by keys that nothing trusted leads to
    kUntimely,       // by trusted keys, none of which may sign this size
    kSound,
  };
  Standing standing = Standing::kUnsigned;
  std::vector<const VerifierKey*> signers;  // of a sound one: those that count, as they were named
};

// One judgement for each of `given`, whose `fit` is known. `trusted` is a first key where `history`
// does not know it. What is returned points into both.
std::vector<Judgement> JudgeSignatures(std::span<const GivenCheckpoint> given,
                                       const KeyHistory& history, const VerifierKey& trusted);

}  // namespace coffer::audit
