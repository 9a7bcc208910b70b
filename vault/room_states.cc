#include "vault/room_states.h"

#include "vault/access/access_state.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/oversight/oversight_state.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {

Result<RoomStates> OpenRoomStates(Database& database) {
  RoomStates rooms;
  COFFER_ASSIGN(auto catalog, CatalogState::Open(database));
  rooms.Add(std::move(catalog));
  COFFER_ASSIGN(auto access, AccessState::Open(database));
  COFFER_ASSIGN(auto clients, ClientsState::Open(database));
  access->Know(*clients);
  rooms.Add(std::move(access));
  rooms.Add(std::move(clients));
  COFFER_ASSIGN(auto rights, RightsState::Open(database));
  rooms.Add(std::move(rights));
  COFFER_ASSIGN(auto deletion, DeletionState::Open(database));
  rooms.Add(std::move(deletion));
  COFFER_ASSIGN(auto oversight, OversightState::Open(database));
  rooms.Add(std::move(oversight));
  return rooms;
}

}  // namespace coffer::vault
