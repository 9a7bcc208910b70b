// Entries of the log that say that a client is gone.
#pragma once

#include <string_view>

#include "audit/entries/entry.h"

namespace coffer::vault {

// A client, or some of its records, by the retention schedule. Its detail is an ErasureDetail and
// more.
inline constexpr std::string_view kRetentionErase = "retention.erase";
inline constexpr std::string_view kErasureReplayed = "erasure.replayed";

// The entry says that the client is gone with everything.
bool ErasesClient(const audit::Entry& entry);

}  // namespace coffer::vault
