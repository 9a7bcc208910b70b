// Leases of a few fields for a while.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> LeaseRoutes();

void WriteMembers(ObjectWriter& object, const vault::Lease& lease);

}  // namespace coffer::api
