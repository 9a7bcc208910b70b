// Who is asking.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> MeRoutes();

void WriteMembers(ObjectWriter& object, const vault::WhoIs& who);

}  // namespace coffer::api
