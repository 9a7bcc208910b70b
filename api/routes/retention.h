// The retention schedule, previews, runs with their reports, and the clock.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> RetentionRoutes();

void WriteMembers(ObjectWriter& object, const vault::StoredSchedule& schedule);
void WriteMembers(ObjectWriter& object, const vault::RetentionPreview& preview);
void WriteMembers(ObjectWriter& object, const vault::RetentionRun& run);

}  // namespace coffer::api
