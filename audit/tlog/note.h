// C2SP signed notes (https://c2sp.org/signed-note) and the texts of their keys:
//
//   text\n
//   \n
//   — name base64(key id ‖ signature)\n      U+2014; one or more lines
//
// key id = first 4 bytes of SHA-256(name ‖ 0A ‖ type ‖ public key).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

inline std::unexpected<Error> Corrupted(std::string_view reason, std::string detail) {
  return Fail(Code::kCorrupted, reason, std::move(detail));
}

// Of a signed note, with all its lines. The specification asks for room for 16 signatures, of which
// those that withstand quantum computers have nearly 5 kB each: 110 KiB in base64.
inline constexpr std::size_t kMaxNoteBytes = 256UZ * 1024;

// Signature types of the specification.
enum class KeyType : std::uint8_t { kEd25519 = 0x01, kCosignature = 0x04 };

struct NoteKey {
  KeyType type = KeyType::kEd25519;
  std::string name;
  crypto::PublicKey key{};
};
using KeyId = std::array<std::uint8_t, 4>;
KeyId KeyIdOf(const NoteKey& key);

// "name+hex(key id)+base64(type ‖ public key)". Errors of parsing: kInvalidArgument `reason`.
std::string FormatNoteKey(const NoteKey& key);
Result<NoteKey> ParseNoteKey(std::string_view text, KeyType type, std::string_view reason);

// "name+hex(keyid)+base64(01 ‖ public key)". Parsing refuses another algorithm, a wrong key id, and
// names that are empty or hold white space or '+'.
struct VerifierKey {
  std::string name;
  crypto::PublicKey key{};
};
std::string FormatVerifierKey(const VerifierKey& key);
Result<VerifierKey> ParseVerifierKey(std::string_view text);
inline NoteKey ToNoteKey(const VerifierKey& key) { return {KeyType::kEd25519, key.name, key.key}; }

struct SignatureLine {
  std::string_view name;
  KeyId key_id{};
  crypto::Bytes signature;

  // Name and key id together say whose a signature is; one of the two alone says nothing.
  bool IsBy(const NoteKey& key) const;
};
// Without the newline.
std::optional<SignatureLine> ParseSignatureLine(std::string_view line);
// All of them; nothing when one is malformed.
std::optional<std::vector<SignatureLine>> ParseSignatureLines(std::string_view lines);
std::string FormatSignatureLine(const NoteKey& key, crypto::ByteView signature);

struct Note {
  std::string_view text;        // with its final newline
  std::string_view signatures;  // lines
};
// At most kMaxNoteBytes of valid UTF-8 without control characters, with text and signatures; the
// lines of these are not looked at.
std::optional<Note> SplitNote(std::string_view note);

// Whether a text is signed by a key. A second line of the same key does not make up for a wrong
// one: all must hold. Lines of other keys are ignored.
enum class Signed { kNot, kWrongly, kRightly };
Signed SignedBy(std::string_view text, std::span<const SignatureLine> lines,
                const VerifierKey& key);

}  // namespace coffer::audit
