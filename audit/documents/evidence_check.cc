#include "audit/documents/evidence_check.h"

#include <algorithm>
#include <cstdlib>

#include "audit/entries/entry.h"
#include "audit/entries/succession.h"
#include "audit/text/visible_text.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kMaxEvidenceFindings = 20;
constexpr std::size_t kMaxManifestText = 4096;
constexpr std::size_t kMaxOpenedNote = 16UZ * 1024;
constexpr std::size_t kMaxKeyName = 1024;  // an entry names its log in at most 256 bytes

std::string EntryNo(std::uint64_t seq) { return "entry " + std::to_string(seq); }

class EvidenceCheck {
 public:
  EvidenceCheck(const Evidence& evidence, const VerifierKey& trusted, EvidenceReport& report)
      : evidence_(evidence), trusted_(trusted), report_(report) {}

  void Run();

 private:
  void CheckFrame();
  void CheckOne(std::size_t at);
  void CheckMembers(const EvidenceEntry& item, const Entry& entry, std::size_t at);
  void CheckOrder(const EvidenceEntry& item, const Entry& entry);
  void CheckNote(const EvidenceEntry& item, const Entry& entry);
  bool Belongs(const Entry& entry, std::size_t at) const;
  void JudgeCompleteness();

  void Add(std::optional<std::uint64_t> seq, std::string check, std::string message) {
    sound_ = false;
    AddFinding(report_, seq, std::move(check), std::move(message));
  }

  const Evidence& evidence_;
  const VerifierKey& trusted_;
  EvidenceReport& report_;
  bool sound_ = true;  // nothing found here so far

  // The item before the one that is looked at; its time when its entry could be read.
  const EvidenceEntry* before_ = nullptr;
  std::optional<Timestamp> before_ts_;
};

void EvidenceCheck::Run() {
  CheckFrame();
  for (std::size_t at = 0; at < evidence_.entries.size(); ++at) CheckOne(at);
  JudgeCompleteness();
}

void EvidenceCheck::CheckFrame() {
  if (std::ranges::find(evidence_.keys, trusted_.key, &VerifierKey::key) == evidence_.keys.end()) {
    Add(std::nullopt, "key", "log.vkey does not have the trusted key");
  }
  if (evidence_.keys.size() > kMaxEvidenceKeys ||
      !std::ranges::all_of(evidence_.keys, [](const VerifierKey& key) {
        return key.name.size() <= kMaxKeyName && ParseVerifierKey(FormatVerifierKey(key));
      })) {
    Add(std::nullopt, "key", "too many keys, or one whose name no verifier key may have");
  }
  auto checkpoint = VerifyCheckpoint(evidence_.checkpoint, trusted_);
  if (checkpoint) {
    report_.checkpoint = *std::move(checkpoint);
  } else {
    Add(std::nullopt, "checkpoint",
        std::string(checkpoint.error().reason) + ": " + checkpoint.error().detail);
  }
  for (const std::string* text : {&evidence_.subject, &evidence_.requested_by, &evidence_.reason}) {
    if (text->size() > kMaxManifestText || !IsUtf8(*text)) {
      Add(std::nullopt, "manifest", "a text is too long or not UTF-8");
    }
  }
  if (evidence_.subject.empty() != (evidence_.kind == EvidenceKind::kRange)) {
    Add(std::nullopt, "manifest", "a subject is given for all but ranges");
  }
}

void EvidenceCheck::CheckOne(std::size_t at) {
  const EvidenceEntry& item = evidence_.entries[at];
  ++report_.entries;
  const auto entry = ParseEntry(item.bytes);
  if (entry) {
    CheckMembers(item, *entry, at);
    CheckNote(item, *entry);
  } else {
    Add(item.seq, "canonical", EntryNo(item.seq) + ": " + entry.error().detail);
  }
  if (report_.checkpoint) {
    const auto proven =
        VerifyInclusion(LeafHash(crypto::AsBytes(item.bytes)), item.seq, report_.checkpoint->size,
                        item.proof, report_.checkpoint->root);
    if (!proven) {
      Add(item.seq, "proof", EntryNo(item.seq) + " is not proven to be in the log");
    }
  }
  before_ = &item;
  before_ts_ = entry ? std::optional(entry->ts) : std::nullopt;
}

void EvidenceCheck::CheckMembers(const EvidenceEntry& item, const Entry& entry, std::size_t at) {
  ++(entry.decision == Decision::kAllow ? report_.allowed : report_.denied);
  if (!report_.first) report_.first = entry.ts;
  report_.last = entry.ts;
  if (entry.seq != item.seq) {
    Add(item.seq, "sequence", EntryNo(item.seq) + " says it is entry " + std::to_string(entry.seq));
  }
  if (!IsOrSucceeds(trusted_.name, entry.log)) {
    Add(item.seq, "origin", EntryNo(item.seq) + " is not of the log " + trusted_.name);
  }
  if (!Belongs(entry, at)) {
    Add(item.seq, "subject", EntryNo(item.seq) + " is not about the subject, or outside the time");
  }
  CheckOrder(item, entry);
}

void EvidenceCheck::CheckOrder(const EvidenceEntry& item, const Entry& entry) {
  if (item.seq == 0 && entry.prev != Hash{}) {
    Add(0, "chain", "entry 0 does not start a chain");
  }
  if (before_ == nullptr) return;
  if (item.seq <= before_->seq) {
    Add(item.seq, "sequence", EntryNo(item.seq) + " stands behind " + EntryNo(before_->seq));
    return;
  }
  if (before_ts_ && entry.ts < *before_ts_) {
    Add(item.seq, "time", EntryNo(item.seq) + " is earlier than the entry before it");
  }
  if (item.seq > before_->seq + 1) {
    if (evidence_.kind == EvidenceKind::kRange) {
      Add(before_->seq + 1, "sequence",
          std::to_string(item.seq - before_->seq - 1) + " entries are missing from " +
              EntryNo(before_->seq + 1));
    }
    return;
  }
  if (entry.prev != crypto::Sha256(crypto::AsBytes(before_->bytes))) {
    Add(item.seq, "chain", EntryNo(item.seq) + " was not chained to this entry before it");
  }
}

void EvidenceCheck::CheckNote(const EvidenceEntry& item, const Entry& entry) {
  if (!item.note) return;
  ++report_.reasons;
  if (!evidence_.reasons_included) {
    Add(item.seq, "note", EntryNo(item.seq) + " has a reason, and reasons are not included");
  } else if (!entry.note_hash || item.note->text.size() > kMaxOpenedNote ||
             !IsUtf8(item.note->text) ||
             NoteCommitment(item.note->salt, item.note->text) != *entry.note_hash) {
    Add(item.seq, "note", "the reason is not the one that " + EntryNo(item.seq) + " commits to");
  }
}

bool EvidenceCheck::Belongs(const Entry& entry, std::size_t at) const {
  const bool too_early = evidence_.from && entry.ts < *evidence_.from;
  const bool too_late = evidence_.to && entry.ts >= *evidence_.to;
  switch (evidence_.kind) {
    case EvidenceKind::kClient:
      return entry.client == evidence_.subject && !too_early && !too_late;
    case EvidenceKind::kPrincipal:
      return entry.actor == evidence_.subject && !too_early && !too_late;
    case EvidenceKind::kRange:
      return (!too_early || at == 0) && (!too_late || at + 1 == evidence_.entries.size());
  }
  std::abort();
}

void EvidenceCheck::JudgeCompleteness() {
  using enum EvidenceReport::Completeness;
  report_.completeness = evidence_.complete ? kClaimed : kNotClaimed;
  if (evidence_.kind != EvidenceKind::kRange || !sound_) return;
  bool closed = report_.checkpoint->size == 0;
  if (!evidence_.entries.empty()) {
    const bool start =
        evidence_.entries.front().seq == 0 || (evidence_.from && *report_.first < *evidence_.from);
    const bool end = evidence_.entries.back().seq + 1 == report_.checkpoint->size ||
                     (evidence_.to && *report_.last >= *evidence_.to);
    closed = start && end;
  }
  if (closed) {
    report_.completeness = kProven;
  } else if (evidence_.complete) {
    Add(std::nullopt, "completeness",
        "the range is said to be complete, and has no neighbour beyond one of its ends");
  }
}

}  // namespace

void AddFinding(EvidenceReport& report, std::optional<std::uint64_t> seq, std::string check,
                std::string message) {
  if (report.findings.size() < kMaxEvidenceFindings) {
    report.findings.push_back({seq, std::move(check), std::move(message)});
  }
}

void CheckEvidence(const Evidence& evidence, const VerifierKey& trusted, EvidenceReport& report) {
  EvidenceCheck(evidence, trusted, report).Run();
}

}  // namespace coffer::audit
