// Requests of persons, and the regimes they are answered under.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/rights/request.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Request& request);
void WriteMembers(ObjectWriter& object, const vault::Regime& regime);

std::span<const Route> RequestRoutes();

}  // namespace coffer::api
