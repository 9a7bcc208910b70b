// What the vault knows about its own handling of one client.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::ClientOverview& overview);

std::span<const Route> OverviewRoutes();

}  // namespace coffer::api
