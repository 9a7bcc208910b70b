#include "audit/tlog/checkpoint.h"

#include "audit/text/decimal.h"
#include "audit/text/lines.h"
#include "audit/tlog/note.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kAnchorStart = "coffer-anchor-v1\ncounter ";

}  // namespace

std::string FormatVerifierKey(const VerifierKey& key) { return FormatNoteKey(ToNoteKey(key)); }

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  COFFER_ASSIGN(auto key, ParseNoteKey(text, KeyType::kEd25519, "verifier_key_malformed"));
  return VerifierKey{std::move(key.name), key.key};
}

std::string CheckpointText(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         crypto::Base64Encode(checkpoint.root) + "\n";
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  const std::string text = CheckpointText(checkpoint);
  return text + "\n" +
         FormatSignatureLine({KeyType::kEd25519, checkpoint.origin, key.public_key()},
                             key.Sign(crypto::AsBytes(text))) +
         "\n";
}

Result<Checkpoint> VerifyCheckpoint(std::string_view note, const VerifierKey& key) {
  COFFER_ASSIGN(auto parsed, ParseCheckpointNote(note));
  // Before the signatures, because another log's checkpoint carries none by this key and the origin
  // says more.
  COFFER_TRY(CheckOrigin(parsed, key.name));
  COFFER_TRY(CheckSignedBy(parsed, key));
  return std::move(parsed.checkpoint);
}

std::string FormatAnchor(const Anchor& anchor) {
  return std::string(kAnchorStart) + std::to_string(anchor.counter) + "\n\n" + anchor.note;
}

Result<Anchor> ParseAnchor(std::string_view text) {
  if (!text.starts_with(kAnchorStart)) return Corrupted("anchor_malformed", "not an anchor");
  text.remove_prefix(kAnchorStart.size());
  const auto line = TakeLine(text);
  const auto counter = line ? ParseDecimal(*line) : std::nullopt;
  if (!counter) return Corrupted("anchor_malformed", "the counter is not a number");
  const auto blank = TakeLine(text);
  if (!blank || !blank->empty()) return Corrupted("anchor_malformed", "no blank line");
  if (!SplitNote(text)) return Corrupted("anchor_malformed", "not followed by a signed note");
  return Anchor{*counter, std::string(text)};
}

}  // namespace coffer::audit
