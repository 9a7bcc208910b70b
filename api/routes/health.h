// Whether the server lives and is ready, what it counts, and the description of its interface.
#pragma once

#include <span>

#include "api/http/route.h"

namespace coffer::api {

std::span<const Route> HealthRoutes();

}  // namespace coffer::api
