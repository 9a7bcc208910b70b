// Clients: made, listed, searched, read and changed.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ClientRoutes();

void WriteMembers(ObjectWriter& object, const vault::ClientInfo& client);
void WriteMembers(ObjectWriter& object, const vault::SearchHit& hit);
// With what is not whole said of it.
Reply RenderSearch(const vault::SearchPage& page);

}  // namespace coffer::api
