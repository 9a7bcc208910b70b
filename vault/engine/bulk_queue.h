// Operations of the engine, and those that wait for it many at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/result.h"
#include "vault/base/function_ref.h"

namespace coffer::vault {

class Transaction;

enum class OperationKind { kRead, kWrite };
enum class EntryRule { kAlways, kOnRefusal, kNever };  // kNever: the engine's own housekeeping

// The request's, or all of a batch, where not even its entry can be made.
inline constexpr std::string_view kNoMemory = "memory_exhausted";

// As Engine::Run takes it; `status` is what that returns.
struct EngineOperation {
  OperationKind kind;
  EntryRule rule;
  audit::Entry* entry;
  FunctionRef<Status(Transaction&)> work;
  Status status = {};
};

// Calls of many operations each, which batches do some at a time, first come, first served. A batch
// takes some, and gives back those that it did not come to. Not thread-safe.
class BulkQueue {
 public:
  struct Call {
    std::span<EngineOperation> left;
    std::size_t taken = 0;  // of these, by the running batch
    bool finished = false;
  };

  bool empty() const { return calls_.empty(); }
  std::size_t operations() const { return operations_; }  // that are not done
  // The call stays where it is until it is finished.
  void Add(Call& call);
  // At most so many, behind what the batch has already. What throws has taken nothing.
  void Take(std::size_t most, std::vector<EngineOperation*>& batch);
  // `done` of those that were taken, in their order. Where the batch `failed`, all that is left of
  // its calls fails like what was taken of them. Calls that are finished are not touched
  // afterwards.
  void Finish(std::size_t done, bool failed);

 private:
  std::deque<Call*> calls_;
  std::size_t operations_ = 0;
};

}  // namespace coffer::vault
