#include "audit/checkpoint_text.h"

#include <utility>

#include "audit/internal/note.h"

namespace coffer::audit {

Result<Checkpoint> ReadUnverifiedCheckpoint(std::string_view note) {
  COFFER_ASSIGN(auto parsed, ParseCheckpointNote(note));
  return std::move(parsed.checkpoint);
}

}  // namespace coffer::audit
