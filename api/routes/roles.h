// Roles and what they allow.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> RoleRoutes();

void WriteMembers(ObjectWriter& object, const vault::RoleDocument& role);

}  // namespace coffer::api
