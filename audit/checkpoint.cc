#include "audit/checkpoint.h"

#include <algorithm>
#include <array>
#include <optional>

#include "audit/internal/decimal.h"
#include "audit/internal/hash_text.h"
#include "audit/internal/lines.h"
#include "audit/internal/utf8.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kMaxNoteBytes = 64 * 1024;
constexpr std::string_view kSignatureStart = "\u2014 ";
constexpr std::uint8_t kEd25519[] = {0x01};
constexpr std::string_view kAnchorStart = "coffer-anchor-v1\ncounter ";

using KeyId = std::array<std::uint8_t, 4>;

std::unexpected<Error> Malformed(std::string_view reason, std::string detail) {
  return Fail(Code::kCorrupted, reason, std::move(detail));
}

KeyId KeyIdOf(std::string_view name, const crypto::PublicKey& key) {
  const Hash hash = crypto::Sha256({crypto::AsBytes(name), crypto::AsBytes("\n"), kEd25519, key});
  KeyId id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

// Unicode's White_Space property.
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsKeyName(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const Utf8Sequence next = NextUtf8(name);
    if (!next.valid || next.code_point < 0x20 || next.code_point == '+' ||
        IsSpace(next.code_point)) {
      return false;
    }
    name.remove_prefix(next.length);
  }
  return true;
}

// Valid UTF-8 without control characters but newline, as signed notes have to be.
bool IsNoteText(std::string_view text) {
  while (!text.empty()) {
    const Utf8Sequence next = NextUtf8(text);
    if (!next.valid || (next.code_point < 0x20 && next.code_point != '\n')) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

struct Signed {
  std::string_view text;        // with its final newline
  std::string_view signatures;  // lines
};

std::optional<Signed> SplitNote(std::string_view note) {
  if (note.size() > kMaxNoteBytes || !note.ends_with('\n') || !IsNoteText(note)) {
    return std::nullopt;
  }
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || blank + 2 == note.size()) return std::nullopt;
  return Signed{note.substr(0, blank + 1), note.substr(blank + 2)};
}

std::optional<Checkpoint> ParseText(std::string_view text) {
  const auto origin = TakeLine(text);
  const auto size = origin ? TakeLine(text) : std::nullopt;
  const auto root = size ? TakeLine(text) : std::nullopt;
  if (!root || origin->empty()) return std::nullopt;
  Checkpoint checkpoint{std::string(*origin), 0, {}};
  const auto number = ParseDecimal(*size);
  if (!number || !ParseBase64(*root, checkpoint.root)) return std::nullopt;
  checkpoint.size = *number;
  // Extension lines are signed like the rest and mean nothing to Coffer.
  while (!text.empty()) {
    const auto extension = TakeLine(text);
    if (!extension || extension->empty()) return std::nullopt;
  }
  return checkpoint;
}

struct SignatureLine {
  std::string_view name;
  crypto::Bytes blob;  // key id ‖ signature
};

std::optional<SignatureLine> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kSignatureStart)) return std::nullopt;
  line.remove_prefix(kSignatureStart.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !IsKeyName(line.substr(0, space))) return std::nullopt;
  auto blob = crypto::Base64Decode(line.substr(space + 1));
  if (!blob || blob->size() <= KeyId{}.size()) return std::nullopt;
  return SignatureLine{line.substr(0, space), *std::move(blob)};
}

// A second signature line of the same key does not make up for a wrong one: all must hold.
Status CheckSignatures(const Signed& note, const VerifierKey& key) {
  const KeyId id = KeyIdOf(key.name, key.key);
  bool found = false;
  std::string_view lines = note.signatures;
  while (!lines.empty()) {
    const auto line = TakeLine(lines);
    const auto signature = line ? ParseSignatureLine(*line) : std::nullopt;
    if (!signature) return Malformed("checkpoint_malformed", "a signature line is malformed");
    const crypto::ByteView blob = signature->blob;
    if (signature->name != key.name || !std::ranges::equal(blob.first(id.size()), id)) continue;
    found = true;
    if (!crypto::VerifySignature(key.key, crypto::AsBytes(note.text), blob.subspan(id.size()))) {
      return Malformed("checkpoint_signature_wrong", "the signature of " + key.name + " is wrong");
    }
  }
  if (!found) return Malformed("checkpoint_signature_missing", "no signature by " + key.name);
  return {};
}

}  // namespace

std::string FormatVerifierKey(const VerifierKey& key) {
  crypto::Bytes encoded(std::begin(kEd25519), std::end(kEd25519));
  encoded.insert(encoded.end(), key.key.begin(), key.key.end());
  return key.name + "+" + crypto::HexEncode(KeyIdOf(key.name, key.key)) + "+" +
         crypto::Base64Encode(encoded);
}

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  const auto malformed = [](std::string detail) {
    return Fail(Code::kInvalidArgument, "verifier_key_malformed", std::move(detail));
  };
  // Neither the name nor the key id can hold a '+'; the key's base64 can.
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return malformed("not of the form name+id+key");
  VerifierKey key{std::string(text.substr(0, first)), {}};
  if (!IsKeyName(key.name)) return malformed("the name is empty or has white space");
  const auto encoded = crypto::Base64Decode(text.substr(second + 1));
  if (!encoded || encoded->size() != key.key.size() + 1) {
    return malformed("the key is not base64 of 33 bytes");
  }
  if (encoded->front() != kEd25519[0]) return malformed("not an Ed25519 key");
  std::copy(encoded->begin() + 1, encoded->end(), key.key.begin());
  if (text.substr(first + 1, second - first - 1) != crypto::HexEncode(KeyIdOf(key.name, key.key))) {
    return malformed("the key id is not that of the name and key");
  }
  return key;
}

std::string CheckpointText(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         crypto::Base64Encode(checkpoint.root) + "\n";
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  const std::string text = CheckpointText(checkpoint);
  const KeyId id = KeyIdOf(checkpoint.origin, key.public_key());
  const crypto::Signature signature = key.Sign(crypto::AsBytes(text));
  crypto::Bytes blob(id.begin(), id.end());
  blob.insert(blob.end(), signature.begin(), signature.end());
  return text + "\n" + std::string(kSignatureStart) + checkpoint.origin + " " +
         crypto::Base64Encode(blob) + "\n";
}

Result<Checkpoint> VerifyCheckpoint(std::string_view note, const VerifierKey& key) {
  const auto parts = SplitNote(note);
  if (!parts) return Malformed("checkpoint_malformed", "not a signed note");
  auto checkpoint = ParseText(parts->text);
  if (!checkpoint) return Malformed("checkpoint_malformed", "not a checkpoint's text");
  // Before the signatures, because another log's checkpoint carries none by this key and the origin
  // says more. What the unverified origin is stays out of the answer.
  if (checkpoint->origin != key.name) {
    return Malformed("checkpoint_origin_wrong", "the checkpoint is not of the log " + key.name);
  }
  COFFER_TRY(CheckSignatures(*parts, key));
  return *std::move(checkpoint);
}

std::string FormatAnchor(const Anchor& anchor) {
  return std::string(kAnchorStart) + std::to_string(anchor.counter) + "\n\n" + anchor.note;
}

Result<Anchor> ParseAnchor(std::string_view text) {
  if (!text.starts_with(kAnchorStart)) return Malformed("anchor_malformed", "not an anchor");
  text.remove_prefix(kAnchorStart.size());
  const auto line = TakeLine(text);
  const auto counter = line ? ParseDecimal(*line) : std::nullopt;
  if (!counter) return Malformed("anchor_malformed", "the counter is not a number");
  const auto blank = TakeLine(text);
  if (!blank || !blank->empty()) return Malformed("anchor_malformed", "no blank line");
  if (!SplitNote(text)) return Malformed("anchor_malformed", "not followed by a signed note");
  return Anchor{*counter, std::string(text)};
}

}  // namespace coffer::audit
