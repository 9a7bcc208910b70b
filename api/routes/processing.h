// The register of processing.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::ProcessingDocument& document);
void WriteMembers(ObjectWriter& object, const vault::ProcessingNow& now);
void WriteMembers(ObjectWriter& object, const vault::PublishedProcessing& published);
void WriteMembers(ObjectWriter& object, const vault::ProcessingDifference& difference);

std::span<const Route> ProcessingRoutes();

}  // namespace coffer::api
