// Erasures of clients, classes and records, their acts, and what is left of a client.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ErasureRoutes();

void WriteMembers(ObjectWriter& object, const vault::Erasure& erasure);
void WriteMembers(ObjectWriter& object, const vault::Trace& trace);

}  // namespace coffer::api
