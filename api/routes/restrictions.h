// Restrictions: what of a client may not be processed.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> RestrictionRoutes();

void WriteMembers(ObjectWriter& object, const vault::Restriction& restriction);

}  // namespace coffer::api
