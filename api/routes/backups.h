// Backups: where they go, and making them.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> BackupRoutes();

void WriteMembers(ObjectWriter& object, const vault::DestinationState& destination);
void WriteMembers(ObjectWriter& object, const vault::BackupRun& run);
void WriteMembers(ObjectWriter& object, const vault::DestinationVerification& done);
void WriteMembers(ObjectWriter& object, const vault::DestinationPrune& pruned);
void WriteMembers(ObjectWriter& object, const vault::KeptDrill& drill);

}  // namespace coffer::api
