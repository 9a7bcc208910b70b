// What an evidence bundle holds, and what a check of one found. evidence_bundle.h has its files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/page_names.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "audit/tlog/merkle.h"

namespace coffer::audit {

inline constexpr std::size_t kMaxEvidenceEntries = 200'000;
inline constexpr std::uint64_t kMaxEvidenceBytes = 512ULL * 1024 * 1024;  // unpacked

enum class EvidenceKind {
  kClient,     // entries whose client is the subject
  kPrincipal,  // entries whose actor is the subject
  kRange,      // all entries of a span
};
std::string_view Name(EvidenceKind kind);  // "client", "principal", "range"

// The text and salt that open an entry's note_hash.
struct OpenedNote {
  Hash salt{};
  std::string text;
  bool operator==(const OpenedNote&) const = default;
};

struct EvidenceEntry {
  std::uint64_t seq = 0;
  std::string bytes;        // exact; without a newline, because canonical JSON escapes it
  std::vector<Hash> proof;  // of inclusion under the bundle's checkpoint
  std::optional<OpenedNote> note;
  bool operator==(const EvidenceEntry&) const = default;
};

struct Evidence {
  EvidenceKind kind = EvidenceKind::kRange;
  std::string subject;                // id; empty for a range
  std::optional<Timestamp> from, to;  // [from, to)
  std::string checkpoint;             // signed note
  std::vector<VerifierKey> keys;      // the one that signs among them
  // By sequence number. Of a range, the first may be the last one before `from` and the last may be
  // the first one not before `to`: the neighbours that prove its ends.
  std::vector<EvidenceEntry> entries;
  Timestamp created;
  std::string requested_by;       // id
  std::string reason;             // why the bundle was made
  bool complete = false;          // that no entry of the subject (or span) is left out
  bool reasons_included = false;  // whether notes that could be opened are
  PageNames names;                // for the pages alone
};

struct EvidenceReport {
  // As the manifest says.
  EvidenceKind kind = EvidenceKind::kRange;
  std::string log;
  std::string subject;
  std::optional<Timestamp> from, to;
  Timestamp created;
  std::string requested_by;
  std::string reason;

  std::optional<Checkpoint> checkpoint;  // when its signature holds
  std::uint64_t entries = 0;
  std::uint64_t allowed = 0;
  std::uint64_t denied = 0;
  std::uint64_t reasons = 0;  // opened
  std::optional<Timestamp> first, last;

  enum class Completeness {
    kNotClaimed,
    kClaimed,  // by the vault's signature alone
    kProven,   // by the chain, up to the checkpoint
  };
  Completeness completeness = Completeness::kNotClaimed;

  // What is wrong; empty means nothing. At most 20 are kept.
  struct Finding {
    std::optional<std::uint64_t> seq;
    // "archive", "manifest", "signature", "file" (changed, missing, not a proper one), "key",
    // "checkpoint", "canonical", "sequence", "chain", "time", "origin", "proof", "subject", "note",
    // "completeness"
    std::string check;
    std::string message;
  };
  std::vector<Finding> findings;
  bool ok() const { return findings.empty(); }
};

}  // namespace coffer::audit
