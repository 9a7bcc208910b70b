// Evidence bundles: chosen entries of a log, signed, in one file that an outsider can check without
// Coffer. A zip archive of
//
//   MANIFEST.json         what this is, and SHA-256 and size of every other file
//   MANIFEST.sig          C2SP signed note over "coffer-evidence-v1\n<origin>\n<SHA-256 of
//                         MANIFEST.json in hex>\n", by the log's key
//   checkpoint            the signed tree head that the proofs lead to
//   log.vkey              verifier keys of the log, one a line; first the one that signed this
//   entries.ndjson        the exact entries in the log's order, one a line
//   proofs/<seq>.tlog-proof   c2sp.org/tlog-proof@v1 of each entry
//   reasons.ndjson        {"salt","seq","text"} of each reason opened; only when they are included
//   index.html, index.ru.html, index.zh.html, index.de.html   the same for reading
//   VERIFY.txt            how to check it with public tools
//
// docs/formats.md has them to the byte. A proof is a file of its own because it is then a standard
// document that other tools of transparency logs take as it is.
//
// What a bundle shows, and what not. Inclusion proofs show that each entry is of the log,
// unaltered. They say nothing of entries that are not in the bundle: that a selection (of a client,
// of a principal) is all there is, the manifest only claims, with the vault's signature under it. A
// range of the log proves it: numbers without a gap, each entry chained to the one before it, and
// beyond each end a neighbour outside the time span, or the log's own end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/page_names.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "audit/tlog/merkle.h"
#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/sign.h"

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

// The bundle's bytes. What would not pass VerifyEvidence is not written: its proofs, its checkpoint
// and its notes are checked with the public half of `key` first. Errors: kCorrupted
// "evidence_invalid" with the first finding, and an issue for each that is about an entry
// ("/entries/41"); kTooLarge "evidence_too_large".
Result<crypto::Bytes> WriteEvidence(const Evidence& evidence, const crypto::SigningKey& key);

// What a bundle holds. Strict in form, and every file must be the manifest's; no signature and no
// proof is checked. Errors: kCorrupted "evidence_invalid" with the first finding.
Result<Evidence> ReadEvidence(crypto::ByteView bundle);

// Checks all of it. `trusted` is the log's key as the verifier knows it from elsewhere: a key that
// comes with the bundle shows nothing.
EvidenceReport VerifyEvidence(crypto::ByteView bundle, const VerifierKey& trusted);

}  // namespace coffer::audit
