// Holds: what may not be deleted.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> HoldRoutes();

void WriteMembers(ObjectWriter& object, const vault::Hold& hold);

}  // namespace coffer::api
