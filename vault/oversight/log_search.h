// One page of a search of the log.
#pragma once

#include "vault/engine/engine.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

// The value is one that a canonical entry holds without an escape. Others are in no entry.
bool IsPlain(std::string_view value);

// What the index has is found there, the rest by reading the entries, so many at most that a page
// is answered soon: it may end early and say where to go on.
Status SearchLog(LogReader& reader, const LogFilter& filter, const LogPageRequest& page,
                 LogPage& result);

// Whether an entry from `from` on matches; nothing where these are too many to be looked at.
Result<std::optional<bool>> IsBehind(LogReader& reader, const LogFilter& filter,
                                     std::uint64_t from);

}  // namespace coffer::vault
