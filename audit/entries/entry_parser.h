// ParseEntry into an entry that is used again, whose strings have room already.
#pragma once

#include <string_view>

#include "audit/entries/entry.h"

namespace coffer::audit {

// As ParseEntry. After an error `entry` holds anything.
Status ParseEntryInto(std::string_view bytes, Entry& entry);

}  // namespace coffer::audit
