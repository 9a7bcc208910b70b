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
// must be unique waits for it. What searches find meanwhile: index_lookup.h.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "vault/access/operations.h"
#include "vault/clients/index_options.h"
#include "vault/clients/index_status.h"
#include "vault/clients/search_index.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class IndexBuilder {
 public:
  // What a room above has in clear from before it was sealed, some of it in one operation; where
  // any is sealed the operation must leave an entry.
  struct OlderSealed {
    std::size_t sealed = 0;
    std::string_view what;           // was sealed, for the entry
    std::optional<Id128> last = {};  // that was looked at; nothing: there was none
  };
  using SealOlder = std::function<Result<OlderSealed>(Transaction&, const Id128& after)>;

  // The operations must outlive it, and have their engine running.
  IndexBuilder(const Operations& operations, IndexOptions options, SealOlder seal_older)
      : operations_(operations), options_(std::move(options)), seal_older_(std::move(seal_older)) {}
  ~IndexBuilder();
  void Start();
  void Stop();

  IndexStatus status() const;
  // Another key than that of `generation` is wanted now: due until the live one is newer. False: it
  // is. Thread-safe.
  bool ExchangeKeyOf(std::uint64_t generation);
  // What is due now; false: nothing was. Not for two threads.
  Result<bool> Step();

  // After that time the oldest deletion since the last exchange makes another one due, and after
  // that one it is late.
  static std::int64_t DueAfterMs(const IndexOptions& options);
  static std::int64_t OverdueAfterMs(const IndexOptions& options);

 private:
  void Loop();
  bool IsDue(const IndexState& state) const;
  Status Begin();
  Status Build();
  Status Abandon();
  Status Retire();
  Status Clear();
  Result<bool> Merge();      // some of what waits; false: it is not due
  Result<bool> ClearSome();  // of the generation that is not live; false: there was nothing
  Result<bool> SealSomeOlder();
  Status Run(audit::Entry* entry, FunctionRef<Status(Transaction&)> work);
  std::chrono::nanoseconds RestAfter(std::chrono::nanoseconds step);

  const Operations& operations_;
  const IndexOptions options_;
  const SealOlder seal_older_;
  std::uint64_t counted_ = 0, own_operations_ = 0;
  std::chrono::steady_clock::time_point looked_at_operations_;
  bool busy_ = false;
  bool merging_ = false;     // was done by the last step
  bool build_next_ = false;  // comes the turn of what is built, while requests come
  std::string reported_;
  std::atomic<std::uint64_t> unwanted_{0};      // a generation; 0 is due anyway
  std::optional<Id128> older_after_ = Id128{};  // nothing: none is left to be sealed

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
