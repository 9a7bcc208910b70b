#include "audit/verify/verify.h"

#include <algorithm>
#include <cstdlib>
#include <ranges>
#include <utility>

#include "audit/entries/entry_parser.h"
#include "audit/entries/key_history.h"
#include "audit/entries/succession.h"
#include "audit/tlog/leaf_prefix.h"
#include "audit/tlog/tile_levels.h"
#include "audit/verify/trust.h"
#include "crypto/hash_batch.h"

namespace coffer::audit {
namespace {

// Entries read in one call. Tiles are read between calls, never from inside one, so that a source
// need not serve two reads at once.
constexpr std::uint64_t kBatch = 4096;

// Entries that are hashed together, and their bytes at most before the last of them.
constexpr std::size_t kGathered = 256;
constexpr std::size_t kGatheredBytes = 256 * 1024;

constexpr std::size_t kMaxFindings = 20;
// Kept free for the findings about checkpoints: a flood of bad entries must not hide a rollback.
constexpr std::size_t kKeptForCheckpoints = 10;

using Finding = VerifyReport::Finding;
using CheckpointFit = GivenCheckpoint::Fit;
using Standing = Judgement::Standing;
using Outcome = VerifyReport::Compared::Result;

std::string EntryName(std::uint64_t seq) { return "entry " + std::to_string(seq); }

// "entry 7 is missing", "entries 7 to 9 are missing".
std::string Missing(std::uint64_t from, std::uint64_t to) {
  if (to - from == 1) return EntryName(from) + " is missing";
  return "entries " + std::to_string(from) + " to " + std::to_string(to - 1) + " are missing";
}

class Verification {
 public:
  Verification(LogSource& source, const VerifyOptions& options)
      : source_(source),
        options_(options),
        keys_(options.key.name),
        names_(std::string(FirstLogName(options.key.name))) {}

  Result<VerifyReport> Run();

 private:
  void OpenCheckpoints();
  // An entry as it was read, and its hashes as an entry and as a leaf of the tree.
  struct ReadEntry {
    std::uint64_t seq;
    std::size_t begin, size;  // in `bytes_`, behind the leaf's prefix
    Hash hash, leaf;
  };
  void Gather(std::uint64_t seq, std::string_view bytes);
  void CheckGathered();
  void CheckEntry(const ReadEntry& read, std::string_view bytes);
  void GrowTree(const Hash& leaf);
  bool CheckMembers(std::uint64_t seq, const Entry& entry);
  void CompareCheckpointsAtThisSize();
  Status CheckTiles();
  void CompareTile(const FullTile& computed, const Result<crypto::Bytes>& stored);
  void CheckKeys();
  // What a signed checkpoint is held against: the log as it is, or what became of the closed one
  // that it is of.
  enum class Against {
    kLog,
    kNewerLog,
    kOtherLog,
    kTooSmall,
    kLost,
    kUnprovenLoss,
    kClosedLonger,
    kClosedDiffers
  };
  Against FindClosed(const GivenCheckpoint& given) const;
  bool SuccessionIsSigned(const std::vector<Judgement>& judgements) const;
  bool CheckClosed(const GivenCheckpoint& given, Against against);
  void CheckCheckpoints();
  void KeepOlderNotes(const std::vector<std::size_t>& held,
                      const std::vector<Judgement>& judgements);
  void FindParting(const std::vector<Judgement>& judgements);
  std::string PartingText() const;
  void ReportTruncated(const GivenCheckpoint& largest);
  bool CheckSignature(const GivenCheckpoint& given, Standing standing);
  VerifyReport Finish();

  void Report(std::uint64_t seq, std::string check, std::string message) {
    if (findings_.size() < kMaxFindings) {
      findings_.push_back({seq, std::move(check), std::move(message)});
    }
  }
  void ReportCheckpoint(std::optional<std::uint64_t> seq, std::string check, std::string message,
                        std::optional<std::size_t> place = {}) {
    if (checkpoint_findings_.size() < kMaxFindings) {
      checkpoint_findings_.push_back({seq, std::move(check), std::move(message), place});
    }
  }

  LogSource& source_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::vector<Finding> findings_;
  std::vector<Finding> checkpoint_findings_;

  std::vector<GivenCheckpoint> checkpoints_;  // by size
  std::size_t next_checkpoint_ = 0;
  std::uint64_t held_ = 0;  // entries that are those of a signed checkpoint
  KeyHistory keys_;
  LogNames names_;

  std::vector<ReadEntry> gathered_;
  std::string bytes_;
  crypto::HashBatch hashes_;
  Entry entry_;  // the one that is looked at

  std::uint64_t next_ = 0;           // the entry expected next
  std::uint64_t number_offset_ = 0;  // by how much the last entry's own number was wrong (mod 2^64)
  std::optional<Hash> prev_ = Hash{};  // unknown behind a missing entry
  std::optional<Timestamp> last_ts_;
  bool complete_ = true;  // no entry was missing so far: the tree is that of the log
  Frontier tree_;
  std::vector<std::vector<Hash>> tile_levels_;
  std::vector<FullTile> full_tiles_;
};

Result<VerifyReport> Verification::Run() {
  COFFER_ASSIGN(report_.size, source_.Size());
  OpenCheckpoints();
  CompareCheckpointsAtThisSize();
  for (std::uint64_t from = 0; from < report_.size; from += kBatch) {
    const std::uint64_t to = from + std::min(kBatch, report_.size - from);
    const Status read =
        source_.ReadEntries(from, to, [&](std::uint64_t seq, std::string_view bytes) {
          Gather(seq, bytes);
          return Status{};
        });
    CheckGathered();
    // Whoever says how many entries there are may say any number.
    const bool ended = !read && read.error().code == Code::kNotFound;
    if (!ended) COFFER_TRY(read);
    COFFER_TRY(CheckTiles());
    if (ended) break;
  }
  if (next_ < report_.size) {
    complete_ = false;
    Report(next_, "sequence", Missing(next_, report_.size));
  }
  CheckKeys();
  CheckCheckpoints();
  return Finish();
}

// Which keys may have signed them is known at the log's end.
void Verification::OpenCheckpoints() {
  const auto open = [&](std::string_view note) -> Result<GivenCheckpoint> {
    COFFER_ASSIGN(auto parsed, ParseCheckpointNote(note));
    // Which of the log's names it has to have is known at the log's end as well.
    if (!IsSameLog(parsed.checkpoint.origin, options_.key.name)) {
      COFFER_TRY(CheckOrigin(parsed, options_.key.name));
    }
    return GivenCheckpoint{note, std::move(parsed), CheckpointFit::kNotReached, 0};
  };
  report_.compared.resize(options_.checkpoints.size());
  for (std::size_t place = 0; place < options_.checkpoints.size(); ++place) {
    auto checkpoint = open(options_.checkpoints[place]);
    if (checkpoint) {
      report_.compared[place].size = checkpoint->size();
      checkpoint->place = place;
      checkpoints_.push_back(*std::move(checkpoint));
      continue;
    }
    if (checkpoint.error().reason == "checkpoint_origin_wrong") {
      report_.compared[place].result = Outcome::kOtherLog;
    }
    ReportCheckpoint(std::nullopt, "checkpoint",
                     std::string(checkpoint.error().reason) + ": " + checkpoint.error().detail,
                     place);
  }
  std::ranges::stable_sort(checkpoints_, {}, &GivenCheckpoint::size);
}

void Verification::Gather(std::uint64_t seq, std::string_view bytes) {
  bytes_.push_back(static_cast<char>(kLeafPrefix));
  gathered_.push_back({seq, bytes_.size(), bytes.size(), {}, {}});
  bytes_.append(bytes);
  if (gathered_.size() == kGathered || bytes_.size() >= kGatheredBytes) CheckGathered();
}

void Verification::CheckGathered() {
  const crypto::ByteView all = crypto::AsBytes(bytes_);
  for (ReadEntry& read : gathered_) {
    hashes_.Add(all.subspan(read.begin, read.size), read.hash);
    hashes_.Add(all.subspan(read.begin - 1, read.size + 1), read.leaf);
  }
  hashes_.Finish();
  for (const ReadEntry& read : gathered_) {
    CheckEntry(read, std::string_view(bytes_).substr(read.begin, read.size));
  }
  gathered_.clear();
  bytes_.clear();
}

void Verification::CheckEntry(const ReadEntry& read, std::string_view bytes) {
  const std::uint64_t seq = read.seq;
  if (seq < next_) {
    Report(seq, "sequence", EntryName(seq) + " is stored again behind later entries");
    return;
  }
  if (seq > next_) {
    complete_ = false;
    Report(next_, "sequence", Missing(next_, seq));
    prev_.reset();
    next_ = seq;
  }
  if (complete_) GrowTree(read.leaf);

  const Status parsed = ParseEntryInto(bytes, entry_);
  bool passed = false;
  if (parsed) {
    ++(entry_.decision == Decision::kAllow ? report_.allowed : report_.denied);
    passed = CheckMembers(seq, entry_);
    last_ts_ = entry_.ts;
    if (const Status status = keys_.Take(seq, entry_); !status) {
      passed = false;
      Report(seq, "epoch", EntryName(seq) + " " + status.error().detail);
    }
  } else {
    Report(seq, "canonical", EntryName(seq) + ": " + parsed.error().detail);
  }
  if (passed && options_.on_entry) {
    if (const Status status = options_.on_entry(entry_, bytes); !status) {
      Report(seq, "state", std::string(status.error().reason) + ": " + status.error().detail);
    }
  }
  prev_ = read.hash;
  ++next_;
}

void Verification::GrowTree(const Hash& leaf) {
  if (options_.check_tiles) AddLeafToTiles(tree_, leaf, tile_levels_, full_tiles_);
  tree_.Append(leaf);
  CompareCheckpointsAtThisSize();
}

bool Verification::CheckMembers(std::uint64_t seq, const Entry& entry) {
  bool passed = true;
  const auto report = [&](std::uint64_t bad, std::string check, std::string message) {
    passed = false;
    Report(bad, std::move(check), std::move(message));
  };

  // One removed entry shifts all that follow: what is reported is where the numbering changes.
  const std::uint64_t offset = entry.seq - seq;
  if (offset != 0) passed = false;
  if (offset != 0 && offset != number_offset_) {
    report(seq, "sequence", EntryName(seq) + " says it is entry " + std::to_string(entry.seq));
  }
  const bool renumbered = offset != number_offset_;
  number_offset_ = offset;

  if (prev_ && entry.prev != *prev_) {
    // Altering an entry leaves its own link whole and breaks the one behind it. Where the numbering
    // jumps as well, it is this entry that does not belong here.
    if (seq == 0) {
      report(seq, "chain", "entry 0 does not start a chain");
    } else if (renumbered) {
      report(seq, "chain", EntryName(seq) + " does not follow " + EntryName(seq - 1));
    } else {
      report(seq - 1, "chain",
             EntryName(seq - 1) + " is not the one that " + EntryName(seq) + " was chained to");
    }
  }
  if (last_ts_ && entry.ts < *last_ts_) {
    report(seq, "time", EntryName(seq) + " is earlier than the entry before it");
  }
  if (const Status named = names_.Take(seq, entry); !named) {
    report(seq, "origin", EntryName(seq) + " " + named.error().detail);
  }
  return passed;
}

void Verification::CompareCheckpointsAtThisSize() {
  while (next_checkpoint_ < checkpoints_.size() &&
         checkpoints_[next_checkpoint_].size() == tree_.size()) {
    GivenCheckpoint& given = checkpoints_[next_checkpoint_++];
    given.fit = tree_.Root() == given.parsed.checkpoint.root ? CheckpointFit::kHolds
                                                             : CheckpointFit::kDiffers;
  }
}

Status Verification::CheckTiles() {
  for (const FullTile& computed : full_tiles_) {
    const auto stored = source_.ReadTile(computed.level, computed.n);
    if (!stored && stored.error().code != Code::kNotFound) return std::unexpected(stored.error());
    CompareTile(computed, stored);
  }
  full_tiles_.clear();
  return {};
}

void Verification::CompareTile(const FullTile& computed, const Result<crypto::Bytes>& stored) {
  const std::string name =
      "tile " + std::to_string(computed.level) + "/" + std::to_string(computed.n);
  const auto first_leaf = [&](std::uint64_t hash) {
    std::uint64_t leaf = computed.n * kTileWidth + hash;
    for (unsigned level = 0; level < computed.level; ++level) leaf *= kTileWidth;
    return leaf;
  };
  if (!stored) {
    Report(first_leaf(0), "tile", name + " is missing");
  } else if (stored->size() != computed.hashes.size()) {
    Report(first_leaf(0), "tile", name + " has a wrong length");
  } else if (*stored != computed.hashes) {
    const auto byte = std::ranges::mismatch(*stored, computed.hashes).in1 - stored->begin();
    const std::uint64_t leaf = first_leaf(static_cast<std::uint64_t>(byte) / sizeof(Hash));
    Report(leaf, "tile", name + " does not hold the hash of the log from " + EntryName(leaf));
  }
}

void Verification::CheckKeys() {
  if (!IsOrSucceeds(names_.name(), options_.key.name)) {
    ReportCheckpoint(
        std::nullopt, "truncated",
        "this is " + names_.name() + ", which " + options_.key.name + " has taken the place of");
  }
  if (keys_.first_named() && keys_.Find(options_.key) == nullptr) {
    ReportCheckpoint(std::nullopt, "epoch", "the trusted key is none of those that the log names");
  }
}

// True when a trusted key signed it, whatever the size.
bool Verification::CheckSignature(const GivenCheckpoint& given, Standing standing) {
  const auto report = [&](Outcome result, std::string check, std::string_view message) {
    report_.compared[given.place].result = result;
    ReportCheckpoint(std::nullopt, std::move(check), std::string(message), given.place);
    return false;
  };
  switch (standing) {
    case Standing::kUnsigned:
      return report(Outcome::kUnsigned, "checkpoint",
                    "checkpoint_signature_missing: no signature by a key of " + options_.key.name);
    case Standing::kWronglySigned:
      return report(
          Outcome::kWronglySigned, "checkpoint",
          "checkpoint_signature_wrong: a signature of " + options_.key.name + " is wrong");
    case Standing::kUntrusted:
      return report(Outcome::kUntrusted, "epoch",
                    "the checkpoint of size " + std::to_string(given.size()) +
                        " is signed by a key that no checkpoint of a trusted one covers");
    case Standing::kUntimely:
    case Standing::kSound:
      return true;
  }
  std::abort();
}

// Of those that differ the smallest says before which entry the logs part, of those below it that
// hold the largest says until where they are the same.
void Verification::FindParting(const std::vector<Judgement>& judgements) {
  std::optional<std::uint64_t> before;
  const auto each = [&](CheckpointFit fit, const auto& use) {
    for (std::size_t i = 0; i < checkpoints_.size(); ++i) {
      const Standing standing = judgements[i].standing;
      const bool counts = standing == Standing::kSound || standing == Standing::kUntimely;
      if (counts && checkpoints_[i].fit == fit) use(checkpoints_[i].size());
    }
  };
  each(CheckpointFit::kDiffers,
       [&](std::uint64_t size) { before = std::min(before.value_or(size), size); });
  each(CheckpointFit::kHolds, [&](std::uint64_t size) {
    if (!before || size < *before) held_ = std::max(held_, size);
  });
  if (before) report_.parting = {held_, *before};
}

std::string Verification::PartingText() const {
  const auto [from, before] = *report_.parting;
  if (before == 0) return "a log without entries has another root";
  if (from + 1 == before) return "they part at " + EntryName(from);
  return "they part somewhere in entries " + std::to_string(from) + " to " +
         std::to_string(before - 1);
}

Verification::Against Verification::FindClosed(const GivenCheckpoint& given) const {
  const Checkpoint& checkpoint = given.parsed.checkpoint;
  const auto& all = names_.successions();
  if (checkpoint.origin == names_.name()) {
    return all.empty() || checkpoint.size > all.back().from ? Against::kLog : Against::kTooSmall;
  }
  const auto closing = std::ranges::find_if(all, [&](const Succession& succession) {
    return succession.successor != checkpoint.origin &&
           IsOrSucceeds(succession.successor, checkpoint.origin);
  });
  if (closing == all.end()) {
    return IsOrSucceeds(checkpoint.origin, names_.name()) ? Against::kNewerLog : Against::kOtherLog;
  }
  if (checkpoint.origin == closing->before && checkpoint.size <= closing->from) {
    return Against::kLog;
  }
  if (checkpoint.origin == closing->closed.origin && closing->end_is_known()) {
    if (checkpoint.size > closing->closed.size) return Against::kClosedLonger;
    if (checkpoint.size == closing->closed.size && checkpoint.root != closing->closed.root) {
      return Against::kClosedDiffers;
    }
  }
  // Of a log that this one did not go through, it may be of the entries that both have.
  return given.fit == CheckpointFit::kHolds ? Against::kLog : Against::kLost;
}

// Whether it is to be compared with the entries.
bool Verification::CheckClosed(const GivenCheckpoint& given, Against against) {
  const Checkpoint& checkpoint = given.parsed.checkpoint;
  const std::string what =
      "the checkpoint of " + checkpoint.origin + ", size " + std::to_string(checkpoint.size) + ", ";
  const auto report = [&](Outcome result, std::string check, std::string message) {
    report_.compared[given.place].result = result;
    ReportCheckpoint(std::nullopt, std::move(check), std::move(message), given.place);
    return false;
  };
  switch (against) {
    case Against::kLog:
      return true;
    case Against::kLost:
      report_.compared[given.place].result = Outcome::kLost;
      return false;
    case Against::kUnprovenLoss:
      return report(Outcome::kBeyond, "truncated",
                    what +
                        "covers entries that are missing, and no checkpoint of a successor is "
                        "signed that says so");
    case Against::kNewerLog:
      return report(Outcome::kBeyond, "truncated",
                    what + "is of the log that took the place of this one, which is older");
    case Against::kOtherLog:
      return report(Outcome::kOtherLog, "checkpoint",
                    what + "is of a name that this log does not have: it is " + names_.name());
    case Against::kTooSmall:
      return report(Outcome::kUntrusted, "epoch",
                    what + "is of entries that had another name: a successor signs none of them");
    case Against::kClosedLonger:
      return report(Outcome::kBeyond, "succession",
                    what + "covers more than the successor says that there was");
    case Against::kClosedDiffers:
      return report(Outcome::kDiffers, "succession",
                    what + "is not the one that the successor says it follows");
  }
  std::abort();
}

// Anybody can append an entry that says so.
bool Verification::SuccessionIsSigned(const std::vector<Judgement>& judgements) const {
  for (std::size_t i = 0; i < checkpoints_.size(); ++i) {
    const Checkpoint& checkpoint = checkpoints_[i].parsed.checkpoint;
    if (judgements[i].standing == Standing::kSound &&
        checkpoints_[i].fit == CheckpointFit::kHolds && checkpoint.origin == names_.name() &&
        checkpoint.size > names_.successions().back().from) {
      return true;
    }
  }
  return false;
}

void Verification::CheckCheckpoints() {
  const GivenCheckpoint* largest = nullptr;
  std::vector<std::size_t> held;
  std::vector<Against> against;
  for (GivenCheckpoint& given : checkpoints_) {
    against.push_back(FindClosed(given));
    // Entries of the successor stand where it had others.
    if (against.back() != Against::kLog) given.fit = CheckpointFit::kNotReached;
  }
  const auto judgements = JudgeSignatures(checkpoints_, keys_, options_.key);
  FindParting(judgements);
  if (std::ranges::find(against, Against::kLost) != against.end() &&
      !SuccessionIsSigned(judgements)) {
    std::ranges::replace(against, Against::kLost, Against::kUnprovenLoss);
  }
  for (std::size_t i = 0; i < checkpoints_.size(); ++i) {
    const GivenCheckpoint& given = checkpoints_[i];
    const Standing standing = judgements[i].standing;
    if (!CheckSignature(given, standing) || !CheckClosed(given, against[i])) continue;
    if (largest == nullptr || given.size() > largest->size()) largest = &given;
    Outcome& result = report_.compared[given.place].result;
    const std::string size = std::to_string(given.size());
    if (given.size() > report_.size) {
      result = Outcome::kBeyond;
    } else if (given.fit == CheckpointFit::kNotReached) {
      result = Outcome::kUnreached;
      ReportCheckpoint(std::nullopt, "checkpoint",
                       "the checkpoint of size " + size + " covers entries that are missing",
                       given.place);
    } else if (given.fit == CheckpointFit::kDiffers) {
      result = Outcome::kDiffers;
      ReportCheckpoint(std::nullopt, "checkpoint",
                       "the first " + size +
                           " entries are not those of the signed checkpoint: the log was forked or "
                           "its history rewritten; " +
                           PartingText(),
                       given.place);
    } else if (standing == Standing::kUntimely) {
      result = Outcome::kUntrusted;
      ReportCheckpoint(
          std::nullopt, "epoch",
          "the checkpoint of size " + size + " is signed only by a key that may not sign this size",
          given.place);
    } else {
      result = Outcome::kHolds;
      report_.newest_checkpoint = given.parsed.checkpoint;
      report_.newest_note = given.note;
      report_.newest_key = {given.parsed.checkpoint.origin, judgements[i].signers.back()->key};
      held.push_back(i);
    }
  }
  KeepOlderNotes(held, judgements);
  if (largest != nullptr && largest->size() > report_.size) ReportTruncated(*largest);
}

// Whichever of the log's keys is trusted the next time, it vouches by the largest checkpoint that
// it signed for all that it ever can.
void Verification::KeepOlderNotes(const std::vector<std::size_t>& held,
                                  const std::vector<Judgement>& judgements) {
  std::vector<const VerifierKey*> known;
  for (const std::size_t i : std::views::reverse(held)) {
    bool more = false;
    for (const VerifierKey* key : judgements[i].signers) {
      if (std::ranges::find(known, key) != known.end()) continue;
      known.push_back(key);
      more = true;
    }
    if (more && i != held.back()) report_.older_notes.emplace_back(checkpoints_[i].note);
  }
}

// What lies before the end may be another log's as well: that it is the same is known as far as a
// checkpoint holds.
void Verification::ReportTruncated(const GivenCheckpoint& largest) {
  const std::uint64_t from = report_.parting ? report_.parting->from : report_.size;
  std::string message = Missing(from, largest.size()) + ": a checkpoint of size " +
                        std::to_string(largest.size()) + " was signed";
  if (!report_.parting && held_ < report_.size) {
    message += held_ == 0 ? "; no checkpoint tells that those before them are the same"
                          : "; that those before them are the same is told of the first " +
                                std::to_string(held_) + " only";
  }
  ReportCheckpoint(from, "truncated", std::move(message), largest.place);
}

VerifyReport Verification::Finish() {
  // Tiles are compared after the entries they cover, so findings are put in the log's order. Of
  // what is known of one entry the order of the checks stays.
  std::ranges::stable_sort(findings_, {}, [](const Finding& finding) { return *finding.seq; });
  const auto kept = kMaxFindings - std::min(checkpoint_findings_.size(), kKeptForCheckpoints);
  if (findings_.size() > kept) findings_.resize(kept);
  report_.findings = std::move(findings_);
  for (Finding& finding : checkpoint_findings_) {
    if (report_.findings.size() == kMaxFindings) break;
    report_.findings.push_back(std::move(finding));
  }
  if (complete_) report_.root = tree_.Root();
  report_.name = names_.name();
  report_.successions = names_.successions();
  return std::move(report_);
}

}  // namespace

Result<VerifyReport> VerifyLog(LogSource& source, const VerifyOptions& options) {
  return Verification(source, options).Run();
}

}  // namespace coffer::audit
