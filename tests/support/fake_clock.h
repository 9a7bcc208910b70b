// A clock that only a test moves.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "audit/text/clock.h"

namespace coffer::testing {

class FakeClock final : public audit::Clock {
 public:
  static constexpr audit::Timestamp kStart{1'767'323'045'000};  // 2026-01-02T03:04:05Z

  audit::Timestamp Now() const override {
    if (armed_.load(std::memory_order_acquire) &&
        thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      armed_.store(false, std::memory_order_release);
      std::exchange(interruption_, {})();
    }
    return {ms_.load(std::memory_order_relaxed)};
  }

  void Set(audit::Timestamp now) { ms_.store(now.ms, std::memory_order_relaxed); }
  void Advance(std::int64_t ms) { ms_.fetch_add(ms, std::memory_order_relaxed); }

  // Runs `interruption` once, when this thread looks at the clock the next time: between two steps
  // of what it is about to do. An operation of the vault looks after it has read the catalog and
  // before it enters the engine.
  void Interrupt(std::function<void()> interruption) {
    interruption_ = std::move(interruption);
    thread_ = std::this_thread::get_id();
    armed_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<std::int64_t> ms_{kStart.ms};
  mutable std::atomic<bool> armed_{false};
  mutable std::function<void()> interruption_;
  std::atomic<std::thread::id> thread_;  // others look while it is exchanged
};

}  // namespace coffer::testing
