// What operations see of the registers of breaches, of access packages and of processing.
#pragma once

#include <memory>
#include <utility>

#include "vault/engine/room_state.h"
#include "vault/oversight/breach_store.h"
#include "vault/oversight/package_store.h"
#include "vault/oversight/processing_store.h"

namespace coffer::vault {

class OversightState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kOversight;

  static Result<std::unique_ptr<OversightState>> Open(Database& database);
  Status Load(const RoomSources&) override { return {}; }  // nothing of it is in memory

  BreachStore breaches;
  PackageStore packages;
  ProcessingStore processing;

 private:
  OversightState(BreachStore breaches_opened, PackageStore packages_opened,
                 ProcessingStore processing_opened)
      : breaches(std::move(breaches_opened)),
        packages(std::move(packages_opened)),
        processing(std::move(processing_opened)) {}
};

}  // namespace coffer::vault
