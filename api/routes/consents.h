// Consent texts, and what clients consented to.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ConsentRoutes();

void WriteMembers(ObjectWriter& object, const vault::ConsentText& text);
void WriteMembers(ObjectWriter& object, const vault::ToldConsent& told);

}  // namespace coffer::api
