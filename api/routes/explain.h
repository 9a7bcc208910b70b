// Why a request is allowed or refused.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ExplainRoutes();

void WriteMembers(ObjectWriter& object, const vault::AccessAnswer& answer);

}  // namespace coffer::api
