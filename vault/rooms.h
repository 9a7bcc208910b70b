// The rooms that operations of the engine have, in their order: a new one has a line here.
#pragma once

#include "vault/engine/room_state.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// With their statements prepared on the engine's connection.
Result<Rooms> OpenRooms(Database& database);

}  // namespace coffer::vault
