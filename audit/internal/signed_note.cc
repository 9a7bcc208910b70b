#include "audit/internal/signed_note.h"

#include <algorithm>

#include "audit/internal/lines.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kMaxSignedText = 64UZ * 1024;
constexpr std::size_t kNoteKeyIdBytes = 4;
constexpr std::string_view kSignatureMark = "\u2014 ";

// First 4 bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key).
crypto::Bytes NoteKeyId(std::string_view name, const crypto::PublicKey& key) {
  constexpr std::uint8_t kAlgorithm[] = {0x01};  // Ed25519
  const Hash hash = crypto::Sha256({crypto::AsBytes(name), crypto::AsBytes("\n"), kAlgorithm, key});
  return {hash.begin(), hash.begin() + kNoteKeyIdBytes};
}

std::unexpected<Error> BadNote(std::string_view reason, std::string detail) {
  return Fail(Code::kCorrupted, reason, std::move(detail));
}

}  // namespace

std::string SignText(std::string_view text, std::string_view name, const crypto::SigningKey& key) {
  crypto::Bytes blob = NoteKeyId(name, key.public_key());
  const crypto::Signature signature = key.Sign(crypto::AsBytes(text));
  blob.insert(blob.end(), signature.begin(), signature.end());
  std::string note(text);
  note.append("\n").append(kSignatureMark).append(name);
  return note.append(" ").append(crypto::Base64Encode(blob)).append("\n");
}

Result<std::string_view> VerifyText(std::string_view note, const VerifierKey& key) {
  const auto blank = note.rfind("\n\n");
  if (note.size() > kMaxSignedText || blank == std::string_view::npos || !note.ends_with('\n')) {
    return BadNote("note_malformed", "not a signed note");
  }
  const std::string_view text = note.substr(0, blank + 1);
  std::string_view lines = note.substr(blank + 2);
  const crypto::Bytes id = NoteKeyId(key.name, key.key);
  bool found = false;
  while (const auto line = TakeLine(lines)) {
    const auto space = line->rfind(' ');
    if (!line->starts_with(kSignatureMark) || space < kSignatureMark.size()) {
      return BadNote("note_malformed", "a signature line is malformed");
    }
    const auto blob = crypto::Base64Decode(line->substr(space + 1));
    if (!blob || blob->size() <= kNoteKeyIdBytes) {
      return BadNote("note_malformed", "a signature is not base64");
    }
    const std::string_view name =
        line->substr(kSignatureMark.size(), space - kSignatureMark.size());
    if (name != key.name || !std::ranges::equal(crypto::ByteView(*blob).first(id.size()), id)) {
      continue;
    }
    found = true;
    if (!crypto::VerifySignature(key.key, crypto::AsBytes(text),
                                 crypto::ByteView(*blob).subspan(id.size()))) {
      return BadNote("note_signature_wrong", "the signature of " + key.name + " is wrong");
    }
  }
  if (!found) return BadNote("note_signature_missing", "no signature by " + key.name);
  return text;
}

}  // namespace coffer::audit
