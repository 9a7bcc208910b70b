#include "audit/tlog/note.h"

#include <algorithm>

#include "audit/text/lines.h"
#include "audit/text/utf8.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kSignatureStart = "\u2014 ";

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

}  // namespace

KeyId KeyIdOf(const NoteKey& key) {
  const std::uint8_t type[] = {static_cast<std::uint8_t>(key.type)};
  const crypto::Hash hash =
      crypto::Sha256({crypto::AsBytes(key.name), crypto::AsBytes("\n"), type, key.key});
  KeyId id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::string FormatNoteKey(const NoteKey& key) {
  crypto::Bytes encoded{static_cast<std::uint8_t>(key.type)};
  encoded.insert(encoded.end(), key.key.begin(), key.key.end());
  return key.name + "+" + crypto::HexEncode(KeyIdOf(key)) + "+" + crypto::Base64Encode(encoded);
}

Result<NoteKey> ParseNoteKey(std::string_view text, KeyType type, std::string_view reason) {
  const auto malformed = [reason](std::string detail) {
    return Fail(Code::kInvalidArgument, reason, std::move(detail));
  };
  // Neither the name nor the key id can hold a '+'; the key's base64 can.
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return malformed("not of the form name+id+key");
  NoteKey key{type, std::string(text.substr(0, first)), {}};
  if (!IsKeyName(key.name)) return malformed("the name is empty or has white space");
  const auto encoded = crypto::Base64Decode(text.substr(second + 1));
  if (!encoded || encoded->size() != key.key.size() + 1) {
    return malformed("the key is not base64 of 33 bytes");
  }
  if (encoded->front() != static_cast<std::uint8_t>(type)) {
    return malformed(type == KeyType::kEd25519 ? "not an Ed25519 key" : "not a cosignature key");
  }
  std::copy(encoded->begin() + 1, encoded->end(), key.key.begin());
  if (text.substr(first + 1, second - first - 1) != crypto::HexEncode(KeyIdOf(key))) {
    return malformed("the key id is not that of the name and key");
  }
  return key;
}

std::string FormatVerifierKey(const VerifierKey& key) { return FormatNoteKey(ToNoteKey(key)); }

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  COFFER_ASSIGN(auto key, ParseNoteKey(text, KeyType::kEd25519, "verifier_key_malformed"));
  return VerifierKey{std::move(key.name), key.key};
}

bool SignatureLine::IsBy(const NoteKey& key) const {
  return name == key.name && key_id == KeyIdOf(key);
}

std::optional<SignatureLine> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kSignatureStart)) return std::nullopt;
  line.remove_prefix(kSignatureStart.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !IsKeyName(line.substr(0, space))) return std::nullopt;
  const auto blob = crypto::Base64Decode(line.substr(space + 1));
  if (!blob || blob->size() <= KeyId{}.size()) return std::nullopt;
  SignatureLine signature{line.substr(0, space), {}, {}};
  const auto behind_id = blob->begin() + KeyId{}.size();
  std::copy(blob->begin(), behind_id, signature.key_id.begin());
  signature.signature.assign(behind_id, blob->end());
  return signature;
}

std::optional<std::vector<SignatureLine>> ParseSignatureLines(std::string_view lines) {
  std::vector<SignatureLine> parsed;
  while (!lines.empty()) {
    const auto line = TakeLine(lines);
    auto signature = line ? ParseSignatureLine(*line) : std::nullopt;
    if (!signature) return std::nullopt;
    parsed.push_back(*std::move(signature));
  }
  return parsed;
}

std::string FormatSignatureLine(const NoteKey& key, crypto::ByteView signature) {
  const KeyId id = KeyIdOf(key);
  crypto::Bytes blob(id.begin(), id.end());
  blob.insert(blob.end(), signature.begin(), signature.end());
  return std::string(kSignatureStart) + key.name + " " + crypto::Base64Encode(blob);
}

std::optional<Note> SplitNote(std::string_view note) {
  if (note.size() > kMaxNoteBytes || !note.ends_with('\n') || !IsNoteText(note)) {
    return std::nullopt;
  }
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || blank + 2 == note.size()) return std::nullopt;
  return Note{note.substr(0, blank + 1), note.substr(blank + 2)};
}

Signed SignedBy(std::string_view text, std::span<const SignatureLine> lines,
                const VerifierKey& key) {
  const NoteKey own = ToNoteKey(key);
  Signed result = Signed::kNot;
  const KeyId id = KeyIdOf(own);
  for (const SignatureLine& line : lines) {
    if (line.key_id != id || line.name != own.name) continue;
    if (!crypto::VerifySignature(key.key, crypto::AsBytes(text), line.signature)) {
      return Signed::kWrongly;
    }
    result = Signed::kRightly;
  }
  return result;
}

}  // namespace coffer::audit
