#include "audit/tlog/checkpoint_text.h"

#include <utility>

namespace coffer::audit {

Result<Checkpoint> ReadUnverifiedCheckpoint(std::string_view note) {
  COFFER_ASSIGN(auto parsed, ParseCheckpointNote(note));
  return std::move(parsed.checkpoint);
}

}  // namespace coffer::audit
