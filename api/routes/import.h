// Many records in one request.
#pragma once

#include <span>

#include "api/http/route.h"

namespace coffer::api {

std::span<const Route> ImportRoutes();

}  // namespace coffer::api
