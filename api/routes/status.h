// What the vault holds and how it does.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> StatusRoutes();

// With what the server knows of itself: when its certificate ends, Unix time in seconds; 0:
// unknown.
struct ServerStatus {
  const vault::VaultStatus& vault;
  std::int64_t certificate_expires = 0;
};
void WriteMembers(ObjectWriter& object, const ServerStatus& status);
void WriteMembers(ObjectWriter& object, const vault::KeyOverview& keys);

}  // namespace coffer::api
