// The access log: its entries, who read, summaries, and evidence of it.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> AccessLogRoutes();

void WriteMembers(ObjectWriter& object, const vault::LogSummary& summary);
void WriteMembers(ObjectWriter& object, const vault::ReaderReport& report);

}  // namespace coffer::api
