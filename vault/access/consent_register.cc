#include "vault/access/consent_register.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::size_t kFewestSlots = 16;

}  // namespace

// Rows are near to each other in time: mixed first (splitmix64), so that neighbours are none here.
// A client's row is the vault's choice, and random: nobody picks rows that collide.
std::size_t StandingConsents::HomeOf(std::int64_t client) const {
  auto mixed = static_cast<std::uint64_t>(client);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(mixed) * slots_.size()) >> 64);
}

std::size_t StandingConsents::Find(std::int64_t client) const {
  std::size_t place = HomeOf(client);
  while (slots_[place].until != kEmpty && slots_[place].client != client) place = After(place);
  return place;
}

// At most three of four slots are used: a search ends soon, and always.
void StandingConsents::Grow() {
  std::vector<Slot> before(std::max(kFewestSlots, slots_.size() + slots_.size() / 2));
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.until != kEmpty) slots_[Find(slot.client)] = slot;
  }
}

StandingConsents::Slot& StandingConsents::SlotOf(std::int64_t client) {
  if (4 * (used_ + 1) > 3 * slots_.size()) Grow();
  Slot& slot = slots_[Find(client)];
  if (slot.until == kEmpty) {
    ++used_;
    slot = {client, kEmpty + 1};
  }
  return slot;
}

void StandingConsents::Put(std::int64_t client, Timestamp until) {
  SlotOf(client).until = std::max(until.ms, kEmpty + 1);
}

void StandingConsents::Extend(std::int64_t client, Timestamp until) {
  Slot& slot = SlotOf(client);
  slot.until = std::max(slot.until, until.ms);
}

// What stands behind it is moved up as far as its home allows: no mark is left, and a search still
// ends at the first empty slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
void StandingConsents::Remove(std::int64_t client) {
  if (slots_.empty()) return;
  std::size_t hole = Find(client);
  if (slots_[hole].until == kEmpty) return;
  --used_;
  for (std::size_t next = After(hole); slots_[next].until != kEmpty; next = After(next)) {
    const std::size_t home = HomeOf(slots_[next].client);
    const bool between = hole < next ? hole < home && home <= next : hole < home || home <= next;
    if (between) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = {};
}

bool StandingConsents::Has(std::int64_t client, Timestamp now) const {
  if (slots_.empty()) return false;
  const Slot& slot = slots_[Find(client)];
  return slot.until != kEmpty && slot.until > now.ms;
}

void ConsentRegister::Require(std::string purpose, StandingConsents standing) {
  by_purpose_.insert_or_assign(std::move(purpose), std::move(standing));
}

void ConsentRegister::RequireNone(std::string_view purpose) {
  if (const auto found = by_purpose_.find(purpose); found != by_purpose_.end()) {
    by_purpose_.erase(found);
  }
}

void ConsentRegister::Put(const ClientId& client, std::string_view purpose, Timestamp until) {
  if (const auto found = by_purpose_.find(purpose); found != by_purpose_.end()) {
    found->second.Put(client.Row(), until);
  }
}

void ConsentRegister::Remove(const ClientId& client, std::string_view purpose) {
  if (const auto found = by_purpose_.find(purpose); found != by_purpose_.end()) {
    found->second.Remove(client.Row());
  }
}

void ConsentRegister::Forget(const ClientId& client) {
  for (auto& [purpose, standing] : by_purpose_) standing.Remove(client.Row());
}

bool ConsentRegister::Has(const ClientId& client, std::string_view purpose, Timestamp now) const {
  const auto found = by_purpose_.find(purpose);
  return found != by_purpose_.end() && found->second.Has(client.Row(), now);
}

}  // namespace coffer::vault
