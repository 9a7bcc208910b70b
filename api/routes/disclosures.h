// Disclosures: what was given to whom, and who is to be told of what became of it.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Disclosure& disclosure);
void WriteMembers(ObjectWriter& object, const vault::ListedDisclosure& listed);
void WriteMembers(ObjectWriter& object, const vault::DisclosedClient& client);
void WriteMembers(ObjectWriter& object, const vault::Telling& telling);
void WriteMembers(ObjectWriter& object, const vault::TellingPage& page);
void WriteMembers(ObjectWriter& object, const vault::ClientRecipients& recipients);

std::span<const Route> DisclosureRoutes();

}  // namespace coffer::api
