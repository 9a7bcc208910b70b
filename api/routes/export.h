// Clients with their records: of many for another system, of one for the client.
#pragma once

#include <span>
#include <variant>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ExportRoutes();

// {"client": …} or {"record": …}
using ExportLine = std::variant<vault::ClientInfo, vault::RecordInfo>;
void WriteMembers(ObjectWriter& object, const ExportLine& line);

}  // namespace coffer::api
