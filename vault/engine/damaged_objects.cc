#include "vault/engine/damaged_objects.h"

#include <utility>

namespace coffer::vault {

bool DamagedObjects::IsDamaged(const crypto::Id128& id) const {
  if (!any_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(mutex_);
  return damaged_.contains(id);
}

void DamagedObjects::Load(std::vector<DamageStore::Damage> damaged) {
  const std::lock_guard lock(mutex_);
  for (auto& object : damaged) damaged_.emplace(object.id, std::move(object));
  any_.store(!damaged_.empty(), std::memory_order_release);
}

bool DamagedObjects::Recall(const DamageStore::Damage& damage) {
  const std::lock_guard lock(mutex_);
  const auto found = damaged_.find(damage.id);
  if (found == damaged_.end()) return false;
  if (found->second.client.empty() && found->second.record.empty()) {
    found->second.client = damage.client;
    found->second.record = damage.record;
  }
  return true;
}

void DamagedObjects::Add(const DamageStore::Damage& damage) {
  const std::lock_guard lock(mutex_);
  damaged_.emplace(damage.id, damage);
  any_.store(true, std::memory_order_release);
}

void DamagedObjects::Remove(const crypto::Id128& id) {
  const std::lock_guard lock(mutex_);
  damaged_.erase(id);
  any_.store(!damaged_.empty(), std::memory_order_release);
}

std::vector<DamageStore::Damage> DamagedObjects::AllBut(
    const std::set<crypto::Id128>& faulty) const {
  std::vector<DamageStore::Damage> rest;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, damage] : damaged_) {
    if (!faulty.contains(id)) rest.push_back(damage);
  }
  return rest;
}

void DamagedObjects::SetStateDiffers(bool differs) {
  state_differs_.store(differs, std::memory_order_release);
}

std::size_t DamagedObjects::Count() const {
  const std::lock_guard lock(mutex_);
  return damaged_.size() + (StateDiffers() ? 1 : 0);
}

}  // namespace coffer::vault
