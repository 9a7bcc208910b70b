// Erasures of parts of one client, which take several operations each, one after the other. What
// they leave is right without: this keeps them from undoing each other's steps.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_set>

#include "vault/base/ids.h"

namespace coffer::vault {

class ErasureTurns {
 public:
  class Turn {
   public:
    // Waits until no other has it. Not in the engine thread.
    Turn(ErasureTurns& turns, const ClientId& client) : turns_(turns), client_(client) {
      std::unique_lock lock(turns_.mutex_);
      turns_.ended_.wait(lock, [&] { return turns_.taken_.insert(client_).second; });
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.End(client_); }

   private:
    ErasureTurns& turns_;
    const ClientId client_;
  };

  bool IsTaken(const ClientId& client) const {
    const std::lock_guard lock(mutex_);
    return taken_.contains(client);
  }
  // Not from the engine thread.
  void AwaitFree(const ClientId& client) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return !taken_.contains(client); });
  }

 private:
  void End(const ClientId& client) {
    {
      const std::lock_guard lock(mutex_);
      taken_.erase(client);
    }
    ended_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::unordered_set<ClientId, IdHash> taken_;
};

}  // namespace coffer::vault
