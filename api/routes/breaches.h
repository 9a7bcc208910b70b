// Breaches: whom one concerns, told from the log, and their register.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Breach& breach);
void WriteMembers(ObjectWriter& object, const vault::BreachScope& scope);

std::span<const Route> BreachRoutes();

}  // namespace coffer::api
