#include "audit/tlog/signed_note.h"

#include <cstdlib>

#include "audit/tlog/note.h"

namespace coffer::audit {

std::string SignText(std::string_view text, std::string_view name, const crypto::SigningKey& key) {
  const NoteKey own{KeyType::kEd25519, std::string(name), key.public_key()};
  std::string note(text);
  return note.append("\n")
      .append(FormatSignatureLine(own, key.Sign(crypto::AsBytes(text))))
      .append("\n");
}

Result<std::string_view> VerifyText(std::string_view note, const VerifierKey& key) {
  const auto parts = SplitNote(note);
  if (!parts) return Corrupted("note_malformed", "not a signed note");
  const auto lines = ParseSignatureLines(parts->signatures);
  if (!lines) return Corrupted("note_malformed", "a signature line is malformed");
  switch (SignedBy(parts->text, *lines, key)) {
    case Signed::kNot:
      return Corrupted("note_signature_missing", "no signature by " + key.name);
    case Signed::kWrongly:
      return Corrupted("note_signature_wrong", "the signature of " + key.name + " is wrong");
    case Signed::kRightly:
      return parts->text;
  }
  std::abort();
}

}  // namespace coffer::audit
