#include "audit/tlog/checkpoint.h"

#include <cstdlib>
#include <optional>

#include "audit/text/decimal.h"
#include "audit/text/hash_text.h"
#include "audit/text/lines.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kAnchorStart = "coffer-anchor-v1\ncounter ";

std::optional<Checkpoint> ParseCheckpointText(std::string_view text) {
  const auto origin = TakeLine(text);
  const auto size = origin ? TakeLine(text) : std::nullopt;
  const auto root = size ? TakeLine(text) : std::nullopt;
  if (!root || origin->empty()) return std::nullopt;
  Checkpoint checkpoint{std::string(*origin), 0, {}};
  const auto number = ParseDecimal(*size);
  if (!number || !ParseBase64(*root, checkpoint.root)) return std::nullopt;
  checkpoint.size = *number;
  while (!text.empty()) {
    const auto extension = TakeLine(text);
    if (!extension || extension->empty()) return std::nullopt;
  }
  return checkpoint;
}

}  // namespace

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

Result<CheckpointNote> ParseCheckpointNote(std::string_view note) {
  const auto parts = SplitNote(note);
  if (!parts) return Corrupted("checkpoint_malformed", "not a signed note");
  auto checkpoint = ParseCheckpointText(parts->text);
  if (!checkpoint) return Corrupted("checkpoint_malformed", "not a checkpoint's text");
  auto lines = ParseSignatureLines(parts->signatures);
  if (!lines) return Corrupted("checkpoint_malformed", "a signature line is malformed");
  return CheckpointNote{*std::move(checkpoint), parts->text, *std::move(lines)};
}

// What the unverified origin is stays out of the answer.
Status CheckOrigin(const CheckpointNote& note, std::string_view origin) {
  if (note.checkpoint.origin == origin) return {};
  return Corrupted("checkpoint_origin_wrong",
                   "the checkpoint is not of the log " + std::string(origin));
}

Status CheckSignedBy(const CheckpointNote& note, const VerifierKey& key) {
  switch (SignedBy(note.text, note.lines, key)) {
    case Signed::kNot:
      return Corrupted("checkpoint_signature_missing", "no signature by " + key.name);
    case Signed::kWrongly:
      return Corrupted("checkpoint_signature_wrong", "the signature of " + key.name + " is wrong");
    case Signed::kRightly:
      return {};
  }
  std::abort();
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
