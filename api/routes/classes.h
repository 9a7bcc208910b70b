// Classes of records.
#pragma once

#include <span>

#include "api/http/route.h"
#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

std::span<const Route> ClassRoutes();

void WriteMembers(ObjectWriter& object, const vault::ClassSchema& schema);
void WriteMembers(ObjectWriter& object, const vault::ClassPreview& preview);

}  // namespace coffer::api
