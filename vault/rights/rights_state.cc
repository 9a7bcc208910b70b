#include "vault/rights/rights_state.h"

#include "vault/catalog/catalog_state.h"

namespace coffer::vault {

Result<std::unique_ptr<RightsState>> RightsState::Open(Database& database) {
  COFFER_ASSIGN(auto store, RequestStore::Open(database));
  COFFER_ASSIGN(auto notices, NoticeStore::Open(database));
  return std::unique_ptr<RightsState>(new RightsState(std::move(store), std::move(notices)));
}

Status RightsState::Load(const RoomSources& /*sources*/) {
  regimes_.clear();
  for (Regime& regime : BuiltInRegimes()) {
    std::string name = regime.name;
    regimes_.emplace(std::move(name), std::make_shared<const Regime>(std::move(regime)));
  }
  COFFER_ASSIGN(const auto stored, requests.LoadRegimes());
  for (const StoredRegime& one : stored) {
    auto regime = ReadStoredRegime(one.name, one.definition);
    if (!regime) {
      return Fail(Code::kCorrupted, "storage_corrupted",
                  "a stored regime cannot be read: " + one.name);
    }
    regime->version = one.version;
    regimes_.insert_or_assign(one.name, std::make_shared<const Regime>(*std::move(regime)));
  }
  return {};
}

std::shared_ptr<const Regime> RightsState::FindRegime(std::string_view name) const {
  const auto found = regimes_.find(name);
  return found == regimes_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Regime>> RightsState::ListRegimes() const {
  std::vector<std::shared_ptr<const Regime>> regimes;
  for (const auto& [name, regime] : regimes_) regimes.push_back(regime);
  return regimes;
}

void StageRegime(Transaction& transaction, Regime regime) {
  transaction.OnSuccess([&state = transaction.Of<RightsState>(),
                         staged = std::make_shared<const Regime>(std::move(regime))] {
    state.regimes_.insert_or_assign(staged->name, staged);
    return Status();
  });
}

const ZoneDays& ZoneOf(Transaction& transaction, const Regime& regime) {
  static const ZoneDays kUtc;
  if (!regime.time_zone.empty()) return regime.zone;
  const auto& schedule = transaction.Of<CatalogState>().current().retention;
  return schedule ? schedule->schedule.zone() : kUtc;
}

}  // namespace coffer::vault
