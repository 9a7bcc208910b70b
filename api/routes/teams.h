// Teams and their members.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> TeamRoutes();

void WriteMembers(ObjectWriter& object, const vault::Team& team);

}  // namespace coffer::api
