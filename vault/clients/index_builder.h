// Builds the search index anew beside the one in use (search_index.h), on a thread of its own, in
// small engine operations:
//
//   1. a key for the next generation, in keys.db, before vault.db says that there is one
//   2. clients, then records, in the order of their rows: each step goes on where the last one was
//      committed, and says where it ends in the same commit
//   3. the next generation is the live one, with an entry in the log
//   4. the other keys are destroyed, as keys.db's are (key_store_rewrite.h)
//   5. the rows of the generation before are removed
//
// A crash leaves the step that was committed last. Where vault.db or keys.db was put back to an
// older state, so that a key is not there, it is built from nothing; without the live one, what
// must be unique waits for it. What searches find meanwhile: value_search.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "vault/clients/search_index.h"
#include "vault/engine/engine.h"
#include "vault/vault.h"

namespace coffer::vault {

class IndexBuilder {
 public:
  // The core must outlive it, and have its engine running.
  explicit IndexBuilder(const Vault::Core& core) : core_(core) {}
  ~IndexBuilder();
  void Start();
  void Stop();

  // What is due now; false: nothing was. Not for two threads.
  Result<bool> Step();

  // After that time the oldest deletion since the last exchange makes another one due, and after
  // that one it is late.
  static std::int64_t DueAfterMs(const VaultOptions& options);
  static std::int64_t OverdueAfterMs(const VaultOptions& options);

 private:
  void Loop();
  bool IsDue(const IndexState& state) const;
  Status Begin();
  Status Build();
  Status Abandon();
  Status Retire();
  Status Clear();
  Result<bool> ClearSome();  // of the generation that is not live; false: there was nothing
  Result<bool> SealSomeHolds();
  Status Run(audit::Entry* entry, FunctionRef<Status(Transaction&)> work);
  std::chrono::nanoseconds RestAfter(std::chrono::nanoseconds step);

  const Vault::Core& core_;
  std::uint64_t operations_ = 0, own_operations_ = 0;
  std::chrono::steady_clock::time_point looked_at_operations_;
  bool busy_ = false;
  std::string reported_;
  std::optional<HoldId> holds_after_ = HoldId{};  // nothing: none is left to be sealed

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
