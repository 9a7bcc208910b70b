// What operations see of the register of breaches.
#pragma once

#include <memory>
#include <utility>

#include "vault/engine/room_state.h"
#include "vault/oversight/breach_store.h"

namespace coffer::vault {

class OversightState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kOversight;

  static Result<std::unique_ptr<OversightState>> Open(Database& database);
  Status Load(const RoomSources&) override { return {}; }  // nothing of it is in memory

  BreachStore breaches;

 private:
  explicit OversightState(BreachStore opened) : breaches(std::move(opened)) {}
};

}  // namespace coffer::vault
