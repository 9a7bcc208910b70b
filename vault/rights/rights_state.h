// Requests and the regimes that they are answered under, and notices, as operations see them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vault/engine/room_state.h"
#include "vault/engine/transaction.h"
#include "vault/rights/notice_store.h"
#include "vault/rights/regime.h"
#include "vault/rights/request_store.h"

namespace coffer::vault {

class RightsState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kRights;

  static Result<std::unique_ptr<RightsState>> Open(Database& database);
  Status Load(const RoomSources& sources) override;

  // The newest version; null: there is none of that name.
  std::shared_ptr<const Regime> FindRegime(std::string_view name) const;
  std::vector<std::shared_ptr<const Regime>> ListRegimes() const;  // by name

  RequestStore requests;
  NoticeStore notices;

 private:
  friend void StageRegime(Transaction& transaction, Regime regime);
  RightsState(RequestStore store, NoticeStore notice_store)
      : requests(std::move(store)), notices(std::move(notice_store)) {}

  std::map<std::string, std::shared_ptr<const Regime>, std::less<>> regimes_;
};

// In memory, once the operation succeeded.
void StageRegime(Transaction& transaction, Regime regime);

// Of a regime that names no time zone: that of the retention schedule, or UTC.
const ZoneDays& ZoneOf(Transaction& transaction, const Regime& regime);

}  // namespace coffer::vault
