// Signed tree heads: C2SP tlog-checkpoint in C2SP signed-note form.
//
//   origin\nsize\nbase64(root)\n            the text, signed with its final newline
//   \n
//   — name base64(keyid ‖ signature)\n      U+2014; one line a signature; unknown ones are ignored
//
// keyid = first 4 bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key), big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/tlog/merkle.h"
#include "audit/tlog/note.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  bool operator==(const Checkpoint&) const = default;
};

std::string CheckpointText(const Checkpoint& checkpoint);
std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);

// A note whose text is a checkpoint's: origin\nsize\nbase64(root)\n, then extension lines that are
// signed like the rest and mean nothing to Coffer. Nothing of it is verified.
struct CheckpointNote {
  Checkpoint checkpoint;
  std::string_view text;
  std::vector<SignatureLine> lines;
};
// Views into `note`. Errors: kCorrupted "checkpoint_malformed".
Result<CheckpointNote> ParseCheckpointNote(std::string_view note);

// Errors: kCorrupted "checkpoint_origin_wrong".
Status CheckOrigin(const CheckpointNote& note, std::string_view origin);
// Errors: kCorrupted "checkpoint_signature_missing", "checkpoint_signature_wrong".
Status CheckSignedBy(const CheckpointNote& note, const VerifierKey& key);

// The checkpoint of a note that carries a valid signature of `key` whose name is the origin.
// Errors: kCorrupted "checkpoint_malformed", "checkpoint_signature_missing" (none by this key),
// "checkpoint_signature_wrong", "checkpoint_origin_wrong" (not the key's name).
Result<Checkpoint> VerifyCheckpoint(std::string_view note, const VerifierKey& key);

// The file `anchor`: the last published checkpoint, outside the database.
//   coffer-anchor-v1\ncounter N\n\n<note>
// The counter grows with each writing, so that two anchors of one size can be told apart.
struct Anchor {
  std::uint64_t counter = 0;
  std::string note;
};
inline constexpr std::size_t kMaxAnchorBytes = kMaxNoteBytes + 1024;
std::string FormatAnchor(const Anchor& anchor);
Result<Anchor> ParseAnchor(std::string_view text);  // kCorrupted "anchor_malformed"

}  // namespace coffer::audit
