// What the access log is verified with: checkpoints, proofs, tiles.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> LogProofRoutes();

void WriteMembers(ObjectWriter& object, const vault::ConsistencyProof& proof);
void WriteMembers(ObjectWriter& object, const vault::DeepReport& report);

}  // namespace coffer::api
