// What two people decide.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ApprovalRoutes();

void WriteMembers(ObjectWriter& object, const vault::Approval& approval);

}  // namespace coffer::api
