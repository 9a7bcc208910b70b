// Purposes of requests.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> PurposeRoutes();

void WriteMembers(ObjectWriter& object, const vault::Purpose& purpose);

}  // namespace coffer::api
