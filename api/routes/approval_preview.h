// What an approval would do, as JSON.
#pragma once

#include "api/routes/object_writer.h"
#include "vault/vault.h"

namespace coffer::api {

void WriteMembers(ObjectWriter& object, const vault::ApprovalQuestion& question);
void WriteMembers(ObjectWriter& object, const vault::ApprovalPreview& preview);

}  // namespace coffer::api
