// Records of clients, and their versions.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> RecordRoutes();

// With `data` and `masked` where the record's data was read.
void WriteMembers(ObjectWriter& object, const vault::RecordInfo& record);
void WriteMembers(ObjectWriter& object, const vault::VersionInfo& version);

// Issues point into the document; in the request it stands under "data".
Error UnderData(Error error);

}  // namespace coffer::api
