// Users, and services with their certificates.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> PrincipalRoutes();

void WriteMembers(ObjectWriter& object, const vault::PrincipalInfo& principal);
void WriteMembers(ObjectWriter& object, const vault::NewEnrolment& enrolment);
void WriteMembers(ObjectWriter& object, const vault::IssuedCertificate& issued);

}  // namespace coffer::api
