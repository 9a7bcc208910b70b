#include "vault/engine/bulk_queue.h"

#include <algorithm>

namespace coffer::vault {

void BulkQueue::Add(Call& call) {
  calls_.push_back(&call);
  operations_ += call.left.size();
}

void BulkQueue::Take(std::size_t most, std::vector<EngineOperation*>& batch) {
  std::size_t room = std::min(most, operations_);
  batch.reserve(batch.size() + room);
  for (auto at = calls_.begin(); room > 0; ++at) {
    Call& call = **at;
    call.taken = std::min(room, call.left.size());
    for (EngineOperation& operation : call.left.first(call.taken)) batch.push_back(&operation);
    room -= call.taken;
  }
}

void BulkQueue::Finish(std::size_t done, bool failed) {
  while (!calls_.empty() && calls_.front()->taken > 0) {
    Call& call = *calls_.front();
    std::size_t of_it = std::min(done, call.taken);
    done -= of_it;
    if (failed) {
      const Status status = call.left.front().status;
      for (EngineOperation& operation : call.left.subspan(call.taken)) operation.status = status;
      of_it = call.left.size();
    }
    call.taken = 0;
    call.left = call.left.subspan(of_it);
    operations_ -= of_it;
    if (!call.left.empty()) break;  // the batch came to none of those behind it
    calls_.pop_front();
    call.finished = true;
  }
  for (Call* const call : calls_) call->taken = 0;
}

}  // namespace coffer::vault
