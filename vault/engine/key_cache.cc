#include "vault/engine/key_cache.h"

#include <algorithm>

namespace coffer::vault {

Result<std::unique_ptr<KeyCache>> KeyCache::Create(std::size_t capacity, bool require_lock) {
  std::unique_ptr<KeyCache> cache(new KeyCache);
  COFFER_ASSIGN(cache->slab_,
                crypto::SecretSlab::Create(capacity, crypto::kAeadKeyBytes, require_lock));
  cache->slots_.resize(capacity);
  cache->free_.reserve(capacity);
  for (std::size_t i = capacity; i-- > 0;) cache->free_.push_back(static_cast<std::uint32_t>(i));
  return cache;
}

std::optional<KeyCache::Pin> KeyCache::Find(const ClientId& client) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(client);
  if (found == index_.end()) return std::nullopt;
  Slot& slot = slots_[found->second];
  ++slot.pins;
  slot.recent = true;
  return Pin(this, found->second, slot.generation);
}

Result<KeyCache::Pin> KeyCache::FindOrInsertIn(Index& index, const ClientId& client, Fill fill) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index.find(client); found != index.end()) {
    Slot& slot = slots_[found->second];
    ++slot.pins;
    slot.recent = true;
    return Pin(this, found->second, slot.generation);
  }
  const auto place = FreeSlot();
  if (!place) return Fail(Code::kExhausted, "key_cache_full", "every client key slot is in use");
  const auto filled = fill(slab_->ExposeSlot(*place));
  if (!filled) {
    Wipe(*place);
    free_.push_back(*place);
    return std::unexpected(filled.error());
  }
  slots_[*place] = Slot{client, 1, true, true, &index == &older_, *filled};
  index.emplace(client, *place);
  return Pin(this, *place, *filled);
}

bool KeyCache::Pin::IsCurrent() const {
  const std::lock_guard lock(cache_->mutex_);
  const Slot& slot = cache_->slots_[slot_];
  return slot.live && !slot.older;
}

void KeyCache::Demote(const ClientId& client) {
  const std::lock_guard lock(mutex_);
  RemoveFrom(older_, client);
  const auto found = index_.find(client);
  if (found == index_.end()) return;
  slots_[found->second].older = true;
  older_.emplace(client, found->second);
  index_.erase(found);
}

void KeyCache::Remove(const ClientId& client) {
  const std::lock_guard lock(mutex_);
  RemoveFrom(index_, client);
  if (!older_.empty()) RemoveFrom(older_, client);
}

void KeyCache::RemoveFrom(Index& index, const ClientId& client) {
  const auto found = index.find(client);
  if (found == index.end()) return;
  const std::uint32_t place = found->second;
  index.erase(found);
  Slot& slot = slots_[place];
  slot.live = false;
  if (slot.pins > 0) {
    doomed_.push_back(place);
    return;
  }
  Wipe(place);
  free_.push_back(place);
}

void KeyCache::AwaitWiped(const ClientId& client) {
  std::unique_lock lock(mutex_);
  wiped_.wait(lock, [&] {
    return std::ranges::none_of(
        doomed_, [&](std::uint32_t place) { return slots_[place].client == client; });
  });
}

std::size_t KeyCache::size() const {
  const std::lock_guard lock(mutex_);
  return index_.size() + older_.size();
}

void KeyCache::Unpin(std::uint32_t place) {
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[place];
    if (--slot.pins == 0 && !slot.live) {
      Wipe(place);
      std::erase(doomed_, place);
      free_.push_back(place);
      notify = true;
    }
  }
  if (notify) wiped_.notify_all();
}

void KeyCache::Wipe(std::uint32_t place) { crypto::Wipe(slab_->ExposeSlot(place)); }

// A free slot, or the one of a key that was not used since the hand last passed (second chance).
std::optional<std::uint32_t> KeyCache::FreeSlot() {
  if (!free_.empty()) {
    const std::uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }
  for (std::size_t step = 0; step < 2 * slots_.size(); ++step) {
    const std::uint32_t place = hand_;
    hand_ = static_cast<std::uint32_t>((hand_ + 1) % slots_.size());
    Slot& slot = slots_[place];
    if (!slot.live || slot.pins > 0) continue;
    if (std::exchange(slot.recent, false)) continue;
    (slot.older ? older_ : index_).erase(slot.client);
    slot = Slot{};
    Wipe(place);
    return place;
  }
  return std::nullopt;
}

}  // namespace coffer::vault
