#include "vault/oversight/oversight_state.h"

namespace coffer::vault {

Result<std::unique_ptr<OversightState>> OversightState::Open(Database& database) {
  COFFER_ASSIGN(auto breaches, BreachStore::Open(database));
  COFFER_ASSIGN(auto packages, PackageStore::Open(database));
  COFFER_ASSIGN(auto processing, ProcessingStore::Open(database));
  return std::unique_ptr<OversightState>(
      new OversightState(std::move(breaches), std::move(packages), std::move(processing)));
}

}  // namespace coffer::vault
