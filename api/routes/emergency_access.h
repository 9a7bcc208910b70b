// Emergency access: taken alone and at once, reviewed afterwards.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> EmergencyAccessRoutes();

void WriteMembers(ObjectWriter& object, const vault::EmergencyAccess& emergency);
void WriteMembers(ObjectWriter& object, const vault::EmergencyReport& report);

}  // namespace coffer::api
