// The time of day, as the log writes it.
#pragma once

#include "audit/text/clock.h"

namespace coffer::vault {

using audit::Timestamp;

}  // namespace coffer::vault
