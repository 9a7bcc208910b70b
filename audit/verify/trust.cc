#include "audit/verify/trust.h"

#include <algorithm>

namespace coffer::audit {
namespace {

using Standing = Judgement::Standing;

struct Candidate {
  const VerifierKey* key = nullptr;
  const KeyHistory::Epoch* epoch = nullptr;  // none: a first key that the log does not name
  bool trusted = false;

  bool MaySign(std::uint64_t size) const { return epoch == nullptr || epoch->MaySign(size); }
};

struct Signers {
  std::vector<std::size_t> candidates;  // as they were named
  bool wrong = false;
};

// A key signs under the name that the log has at that size.
Signers SignersOf(const CheckpointNote& note, const std::vector<Candidate>& candidates) {
  Signers signers;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    switch (SignedBy(note.text, note.lines, {note.checkpoint.origin, candidates[i].key->key})) {
      case Signed::kNot:
        break;
      case Signed::kWrongly:
        signers.wrong = true;
        break;
      case Signed::kRightly:
        signers.candidates.push_back(i);
        break;
    }
  }
  return signers;
}

Judgement Judge(const Signers& signers, std::uint64_t size,
                const std::vector<Candidate>& candidates) {
  if (signers.wrong) return {Standing::kWronglySigned, {}};
  if (signers.candidates.empty()) return {Standing::kUnsigned, {}};
  Judgement judgement{Standing::kUntrusted, {}};
  for (const std::size_t i : signers.candidates) {
    if (!candidates[i].trusted) continue;
    if (candidates[i].MaySign(size)) {
      judgement.standing = Standing::kSound;
      judgement.signers.push_back(candidates[i].key);
    } else if (judgement.standing == Standing::kUntrusted) {
      judgement.standing = Standing::kUntimely;
    }
  }
  return judgement;
}

}  // namespace

std::vector<Judgement> JudgeSignatures(std::span<const GivenCheckpoint> given,
                                       const KeyHistory& history, const VerifierKey& trusted) {
  std::vector<Candidate> candidates;
  const KeyHistory::Epoch* const own = history.Find(trusted);
  if (own == nullptr) candidates.push_back({&trusted, nullptr, true});
  for (const auto& epoch : history.epochs()) {
    candidates.push_back({&epoch.key, &epoch, &epoch == own});
  }
  std::vector<Signers> signers;
  for (const auto& checkpoint : given) signers.push_back(SignersOf(checkpoint.parsed, candidates));

  std::vector<Judgement> judgements(given.size());
  // Each round but the last trusts one key more at least.
  for (bool more = true; more;) {
    more = false;
    std::uint64_t covered = 0;  // by the largest sound checkpoint
    for (std::size_t i = 0; i < given.size(); ++i) {
      judgements[i] = Judge(signers[i], given[i].size(), candidates);
      if (judgements[i].standing == Standing::kSound &&
          given[i].fit == GivenCheckpoint::Fit::kHolds) {
        covered = std::max(covered, given[i].size());
      }
    }
    for (Candidate& candidate : candidates) {
      if (candidate.trusted || candidate.epoch->named_by >= covered) continue;
      candidate.trusted = true;
      more = true;
    }
  }
  return judgements;
}

}  // namespace coffer::audit
