#include "audit/verify/remembered.h"

#include "audit/entries/succession.h"
#include "audit/text/lines.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kStateStart = "coffer-log-state-v1\n";
constexpr std::string_view kStateWithOlderNotes = "coffer-log-state-v2\n";
constexpr std::string_view kBlankLine = "\n\n";

// The note at the front: a note has one blank line, and another one is in front of the next note.
std::string_view TakeNote(std::string_view& text) {
  const auto inside = text.find(kBlankLine);
  auto end = inside == text.npos ? text.npos : text.find(kBlankLine, inside + 2);
  if (end != text.npos && end + 2 == text.size()) end = text.npos;  // nothing follows
  const std::string_view note = text.substr(0, end == text.npos ? end : end + 1);
  text.remove_prefix(end == text.npos ? text.size() : end + 2);
  return note;
}

}  // namespace

std::string FormatRemembered(const RememberedLog& remembered) {
  const std::string key = FormatVerifierKey(remembered.key) + "\n\n";
  const auto fits = [&](const std::string& text, const std::string& note) {
    return text.size() + 1 + note.size() <= kMaxRememberedBytes;
  };
  std::string text = std::string(kStateWithOlderNotes) + key + remembered.note;
  const std::size_t alone = text.size();
  for (const std::string& note : remembered.older_notes) {
    if (fits(text, note)) text += "\n" + note;
  }
  if (text.size() == alone) text.replace(0, kStateStart.size(), kStateStart);
  return text;
}

Result<RememberedLog> ParseRemembered(std::string_view text) {
  const auto malformed = [](std::string detail) {
    return Fail(Code::kCorrupted, "state_malformed", std::move(detail));
  };
  const bool has_older = text.starts_with(kStateWithOlderNotes);
  if (!has_older && !text.starts_with(kStateStart)) {
    return malformed("not a log's remembered state");
  }
  text.remove_prefix(kStateStart.size());
  const auto line = TakeLine(text);
  const auto blank = line ? TakeLine(text) : std::nullopt;
  if (!blank || !blank->empty()) return malformed("no blank line behind the key");
  auto key = ParseVerifierKey(*line);
  if (!key) return malformed(key.error().detail);
  const std::string_view note = has_older ? TakeNote(text) : text;
  if (const auto checkpoint = VerifyCheckpoint(note, *key); !checkpoint) {
    return malformed(checkpoint.error().detail);
  }
  RememberedLog remembered{*std::move(key), std::string(note), {}};
  if (has_older && text.empty()) return malformed("no older note");
  while (has_older && !text.empty()) {
    const std::string_view older = TakeNote(text);
    const auto parsed = ParseCheckpointNote(older);
    if (!parsed) return malformed(parsed.error().detail);
    if (!IsSameLog(parsed->checkpoint.origin, remembered.key.name)) {
      return malformed("an older note is of another log");
    }
    remembered.older_notes.emplace_back(older);
  }
  return remembered;
}

}  // namespace coffer::audit
