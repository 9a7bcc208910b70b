// Tokens of services.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> TokenRoutes();

void WriteMembers(ObjectWriter& object, const vault::TokenInfo& token);
void WriteMembers(ObjectWriter& object, const vault::NewToken& token);

}  // namespace coffer::api
