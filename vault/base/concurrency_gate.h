// How many password hashes are computed at a time: each takes 64 MiB and about 100 ms of a core, so
// callers who may ask for one without having proved anything must not decide how many there are.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include "crypto/result.h"

namespace coffer::vault {

class ConcurrencyGate {
 public:
  // A place inside, for as long as it lives. Must not outlive the gate.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Ticket() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    friend class ConcurrencyGate;
    explicit Ticket(ConcurrencyGate* gate) : gate_(gate) {}
    ConcurrencyGate* gate_;
  };

  // `at_once` (at least 1) are inside, `waiting` before it.
  ConcurrencyGate(std::size_t at_once, std::size_t waiting)
      : at_once_(at_once), most_(at_once + waiting) {}

  // Waits for its turn, in the order of arrival. Errors: kExhausted "logins_busy", at once, when
  // all places are taken, those to wait in as well. A thread must not ask for a second ticket.
  [[nodiscard]] Result<Ticket> Enter();
  std::size_t waiting() const;

 private:
  void Leave();

  const std::size_t at_once_, most_;
  mutable std::mutex mutex_;
  std::condition_variable left_changed_;
  std::uint64_t arrived_ = 0, left_ = 0;
};

}  // namespace coffer::vault
