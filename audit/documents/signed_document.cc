#include "audit/documents/signed_document.h"

#include "audit/text/lines.h"
#include "audit/tlog/note.h"
#include "audit/tlog/signed_note.h"

namespace coffer::audit {
namespace {

struct DocumentText {
  std::string_view format, origin, json;
};

std::optional<DocumentText> SplitDocument(std::string_view text) {
  const auto format = TakeLine(text);
  const auto origin = format ? TakeLine(text) : std::nullopt;
  const auto json = origin ? TakeLine(text) : std::nullopt;
  if (!json || !text.empty()) return std::nullopt;
  return DocumentText{*format, *origin, *json};
}

// What is written stays what readers of before take, also where these take more by now.
constexpr std::size_t kMaxSignedDocument = 64UZ * 1024;

}  // namespace

Result<std::string> SignDocument(std::string_view format, std::string_view json,
                                 std::string_view name, const crypto::SigningKey& key) {
  std::string text(format);
  text.append("\n").append(name).append("\n").append(json).append("\n");
  std::string note = SignText(text, name, key);
  if (note.size() > kMaxSignedDocument || !SplitNote(note)) {
    return Fail(Code::kTooLarge, "document_too_large", "a signed document has at most 64 KiB");
  }
  return note;
}

Result<std::string_view> DocumentIn(std::string_view note, std::string_view format) {
  const auto parts = SplitNote(note);
  const auto document = parts ? SplitDocument(parts->text) : std::nullopt;
  if (!document || document->format != format) {
    return Corrupted("note_malformed", "not a signed note of the format " + std::string(format));
  }
  return document->json;
}

Result<VerifierKey> VerifyDocument(std::string_view note, std::string_view format,
                                   std::span<const VerifierKey> trusted) {
  COFFER_TRY(DocumentIn(note, format));
  for (const VerifierKey& key : trusted) {
    const auto text = VerifyText(note, key);
    if (!text && text.error().reason == "note_signature_missing") continue;
    if (!text) return std::unexpected(text.error());
    if (SplitDocument(*text)->origin != key.name) {
      return Corrupted("note_origin_wrong", "it is not of the log " + key.name);
    }
    return key;
  }
  return Corrupted("note_signature_missing", "no signature by a trusted key");
}

}  // namespace coffer::audit
