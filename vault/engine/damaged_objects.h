// Clients and records that were found to be other than the log says: they are refused until they
// are whole again.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "crypto/encoding.h"
#include "vault/engine/damage_store.h"

namespace coffer::vault {

class DamagedObjects {
 public:
  bool IsDamaged(const crypto::Id128& id) const;
  // What the log commits to beside clients and records was not as it says when last looked at.
  bool StateDiffers() const { return state_differs_.load(std::memory_order_acquire); }

  void Load(std::vector<DamageStore::Damage> damaged);
  // Whether it is known. Damage that was found before its names were kept gets them.
  bool Recall(const DamageStore::Damage& damage);
  void Add(const DamageStore::Damage& damage);
  void Remove(const crypto::Id128& id);
  // Those that are not among `faulty`.
  std::vector<DamageStore::Damage> AllBut(const std::set<crypto::Id128>& faulty) const;
  void SetStateDiffers(bool differs);
  std::size_t Count() const;  // one for the state

 private:
  mutable std::mutex mutex_;
  std::map<crypto::Id128, DamageStore::Damage> damaged_;
  std::atomic<bool> any_{false}, state_differs_{false};
};

}  // namespace coffer::vault
