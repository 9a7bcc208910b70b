// How users enrol, log in and out, and give their second factor.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> SessionRoutes();

void WriteMembers(ObjectWriter& object, const vault::EnrolmentDone& done);
void WriteMembers(ObjectWriter& object, const vault::SessionInfo& session);
void WriteMembers(ObjectWriter& object, const vault::NewSession& session);

}  // namespace coffer::api
