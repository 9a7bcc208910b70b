#include "audit/internal/signature_section.h"

#include "audit/internal/lines.h"
#include "audit/internal/note.h"
#include "audit/internal/page_writer.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {

std::string SignatureLinesHtml(std::string_view note) {
  const auto parts = SplitNote(note);
  if (!parts) return "";
  std::string html;
  std::string_view lines = parts->signatures;
  while (const auto line = TakeLine(lines)) {
    html.append("<div>").append(CodeHtml(*line)).append("</div>");
  }
  return html;
}

std::string NoteHashHtml(std::string_view note) {
  return CodeHtml(crypto::HexEncode(crypto::Sha256(crypto::AsBytes(note))));
}

}  // namespace coffer::audit
