// Access packages: all that is kept of one client, for the client.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Package& package);

std::span<const Route> PackageRoutes();

}  // namespace coffer::api
