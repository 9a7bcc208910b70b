// Recipients of data: their register, and that they were told.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Recipient& recipient);
void WriteMembers(ObjectWriter& object, const vault::TellingResult& result);

std::span<const Route> RecipientRoutes();

}  // namespace coffer::api
