// Holds and retention, as requests see them.
#pragma once

#include <memory>

#include "vault/deletion/hold_store.h"
#include "vault/deletion/retention_store.h"
#include "vault/engine/room_state.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

struct DeletionStores {
  HoldStore holds;
  RetentionStore retention;
};

class DeletionState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kDeletion;

  static Result<std::unique_ptr<DeletionState>> Open(Database& database);
  Status Load(const RoomSources& sources) override;
  void Forget(const ClientId& client) override { holds_.Forget(client); }
  // Acts that are three years old, where the clock is believed.
  Result<bool> Purge(Transaction& transaction) override;

  const HoldRegister& holds() const { return holds_; }

  DeletionStores stores;

 private:
  friend void StageHold(Transaction& transaction, Hold hold);
  explicit DeletionState(DeletionStores opened) : stores(std::move(opened)) {}

  HoldRegister holds_;
  std::int64_t purged_in_hour_ = 0;
};

// In memory, once the operation succeeded.
void StageHold(Transaction& transaction, Hold hold);

}  // namespace coffer::vault
