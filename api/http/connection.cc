#include "api/http/connection.h"

namespace coffer::api {

std::int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool Connection::Enter(Phase next) {
  Phase now = phase.load(std::memory_order_relaxed);
  do {
    if (now == Phase::kCut) return false;
  } while (!phase.compare_exchange_weak(now, next));
  since_ms.store(SteadyMs(), std::memory_order_relaxed);
  return true;
}

bool Connection::Cut() {
  Phase now = phase.load(std::memory_order_relaxed);
  do {
    if (now == Phase::kCut || now == Phase::kWork) return false;
  } while (!phase.compare_exchange_weak(now, Phase::kCut));
  return true;
}

}  // namespace coffer::api
