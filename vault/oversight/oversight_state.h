// What operations see of the registers of breaches and of access packages.
#pragma once

#include <memory>
#include <utility>

#include "vault/engine/room_state.h"
#include "vault/oversight/breach_store.h"
#include "vault/oversight/package_store.h"

namespace coffer::vault {

class OversightState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kOversight;

  static Result<std::unique_ptr<OversightState>> Open(Database& database);
  Status Load(const RoomSources&) override { return {}; }  // nothing of it is in memory

  BreachStore breaches;
  PackageStore packages;

 private:
  OversightState(BreachStore opened, PackageStore kept)
      : breaches(std::move(opened)), packages(std::move(kept)) {}
};

}  // namespace coffer::vault
