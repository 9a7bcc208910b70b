// Notices: what clients are told of a change, and who was told.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::Notice& notice);
void WriteMembers(ObjectWriter& object, const vault::Told& told);

std::span<const Route> NoticeRoutes();

}  // namespace coffer::api
