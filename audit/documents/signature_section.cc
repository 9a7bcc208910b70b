#include "audit/documents/signature_section.h"

#include "audit/documents/page_writer.h"
#include "audit/text/lines.h"
#include "audit/tlog/note.h"
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
