// What a checkpoint says, for those who need to know what they are going to verify.
#pragma once

#include <string_view>

#include "audit/tlog/checkpoint.h"

namespace coffer::audit {

// Whoever signed the note, if anybody. Errors: kCorrupted "checkpoint_malformed".
Result<Checkpoint> ReadUnverifiedCheckpoint(std::string_view note);

}  // namespace coffer::audit
