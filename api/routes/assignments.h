// Who works with which clients.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> AssignmentRoutes();

void WriteMembers(ObjectWriter& object, const vault::Assignment& assignment);
// {"items": [an answer for each client]}
void WriteMembers(ObjectWriter& object, const std::vector<vault::AssignedClient>& clients);
void WriteMembers(ObjectWriter& object, const vault::HandedOver& done);

}  // namespace coffer::api
