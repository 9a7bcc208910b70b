#include "vault/base/concurrency_gate.h"

namespace coffer::vault {

Result<ConcurrencyGate::Ticket> ConcurrencyGate::Enter() {
  std::unique_lock lock(mutex_);
  if (arrived_ - left_ >= most_) return Fail(Code::kExhausted, "logins_busy");
  const std::uint64_t before = arrived_++;
  left_changed_.wait(lock, [&] { return before < left_ + at_once_; });
  return Ticket(this);
}

std::size_t ConcurrencyGate::waiting() const {
  const std::lock_guard lock(mutex_);
  return arrived_ - left_ > at_once_ ? arrived_ - left_ - at_once_ : 0;
}

void ConcurrencyGate::Leave() {
  // Notified under the lock: nobody can destroy the gate between the two.
  const std::lock_guard lock(mutex_);
  ++left_;
  left_changed_.notify_all();
}

}  // namespace coffer::vault
