// Does what the retention schedule says, on a thread of its own: goes through the clients, erases
// what is due in small engine operations, and keeps an eye on the clock, without which nothing is
// due. A run and how far it came are stored with what it did: a restart goes on with it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "vault/access/operations.h"
#include "vault/base/timestamp.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/retention_store.h"
#include "vault/deletion/retention_treatment.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class RetentionDays;

class RetentionRunner {
 public:
  // `reader` is a read-only connection of its own. The procedure must outlive the runner, and have
  // its engine running.
  static Result<std::unique_ptr<RetentionRunner>> Create(const ErasureProcedure& procedure,
                                                         Database reader);
  ~RetentionRunner();
  // With the first look at the clock.
  void Start();
  void Stop();

  void Wake();  // a run was stored, or the clock confirmed
  // The time at which nothing was noticed yet is no time to begin something at.
  bool ClockStands(Timestamp now) const;
  // Inside the operation that confirms; ClockConfirmed() after its commit.
  static Status StoreConfirmation(Transaction& transaction);
  void ClockConfirmed();

  bool waiting_for_clock() const { return waiting_.load(std::memory_order_acquire); }
  bool running() const { return running_.load(std::memory_order_relaxed); }
  std::uint64_t erased() const { return erased_.load(std::memory_order_relaxed); }

 private:
  explicit RetentionRunner(const ErasureProcedure& procedure);
  void Loop();
  Status Tick();
  Status LookAtClock();
  Status BeginScheduled();
  // Days that are to be read anew, before anything is due by them.
  Status ReadDays();
  Status GoOn();
  // Why the run ends before it did anything; empty: it goes on.
  std::string_view WhyNot(RunRow& run) const;
  // What the run ends without: of a failed one what it did not come to, and what nobody can tell.
  Status CountRest(RunRow& run, bool failed, bool& stopped);
  Result<std::shared_ptr<const ScheduleInForce>> ScheduleOf(const RunRow& run);
  // Clients that have something due, in the order of their rows.
  struct Slice {
    std::vector<std::int64_t> clients;
    std::int64_t last = 0;  // that was looked at
    bool whole = true;      // there are none after it
  };
  Status LookForDue(const RetentionDecisions& decisions, std::int64_t after, Slice& slice);
  // Of those in the slice that own no record.
  Status LookForEmpty(const RetentionDecisions& decisions, std::int64_t after,
                      std::span<const std::int64_t> owners, Slice& slice);
  Status GoThrough(RunRow& run, RetentionTreatment& treatment, bool& ended);
  Status Treat(RunRow& run, RetentionTreatment& treatment, std::span<const std::int64_t> clients,
               TreatedClients& treated);
  Status TreatTogether(RunRow& run, RetentionTreatment& treatment,
                       std::span<const std::int64_t> clients, bool erase, TreatedClients& treated);
  // What is due of it counts as failed; where not even that can be told, it as a whole.
  Status PassOver(RunRow& run, const RetentionTreatment& treatment, std::int64_t client,
                  TreatedClients& treated);
  // The entries that say so, of those that were erased since.
  Status Complete(std::size_t most_left);
  // Who is to be named in the acts of the run, as facts name them.
  Result<std::string> FindPeople(const RunRow& run);
  Status SetState(RunRow& run, RunState state);
  Status Finish(RunRow& run, RunState state, std::string_view reason);
  Status Rest(std::uint64_t work);
  bool IsBusy();
  bool stopping();

  const ErasureProcedure& procedure_;
  const Operations& operations_;
  Database reader_;
  RetentionStore store_;
  std::unique_ptr<RetentionDays> days_;

  // Of the thread, and of Start() before it.
  std::optional<Timestamp> stored_seen_;
  std::optional<std::int64_t> last_scheduled_;  // day
  std::string reported_;                        // the last failure that the operator was told
  std::uint64_t counted_ = 0;                   // operations, when last looked at
  std::uint64_t own_operations_ = 0;            // since
  std::chrono::steady_clock::time_point looked_at_operations_;
  bool busy_ = false;
  std::vector<ErasureRow> incomplete_;  // a start would complete them as well

  std::atomic<std::int64_t> seen_{-1};  // the clock, when last looked at; -1: never
  std::atomic<bool> waiting_{false}, running_{false};
  std::atomic<bool> open_{false};  // there may be an open run
  std::atomic<std::uint64_t> erased_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, woken_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
