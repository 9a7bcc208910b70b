// Compares stored data with the log while the vault serves, slowly and all the time: walks the log
// a tile (256 entries) at a time, checks its chain and its stored tiles, and each client and record
// version that an entry wrote against the hash in that entry. What is damaged is refused from then
// on, with an alarm in the log, until a later round finds it whole; nothing is repaired. A restart
// goes on where the last one stopped.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "audit/entry.h"
#include "crypto/encoding.h"
#include "vault/internal/client_store.h"
#include "vault/internal/engine.h"
#include "vault/internal/log_store.h"
#include "vault/internal/record_store.h"
#include "vault/vault.h"

namespace coffer::vault {

class Scrubber {
 public:
  struct Options {
    std::uint32_t entries_per_s = 500;
    OperatorLog log;
  };
  // `reader` is a read-only connection of its own.
  static Result<std::unique_ptr<Scrubber>> Create(Engine& engine, const crypto::Keyring& keyring,
                                                  Database reader, Options options);
  ~Scrubber();
  void Start();
  void Stop();

  bool IsDamaged(const crypto::Id128& id) const;
  // What the log commits to beside clients and records was not as it says, in the last round.
  bool StateDiffers() const { return state_differs_.load(std::memory_order_acquire); }
  ScrubState state() const;
  // The next tile; true when it was the last one of a round. Errors: those of the store; what is
  // damaged is none.
  Result<bool> Step();

 private:
  // What one entry says of a client or record, or of the log where `client` is empty.
  struct Verdict {
    crypto::Id128 id{};
    std::string client, record;
    std::uint64_t seq = 0;
    std::string fault;    // empty: it holds
    bool newest = false;  // the entry is about the object as it is now, or the object is gone
  };

  explicit Scrubber(Engine& engine) : engine_(engine) {}
  void Loop();
  Status LookAt(std::uint64_t from, std::uint64_t to, std::vector<Verdict>& verdicts);
  Result<std::string> CheckTiles(std::uint64_t from, const std::vector<audit::Hash>& leaves);
  Result<std::optional<Verdict>> CheckObject(const audit::Entry& entry);
  Status CheckRecord(const audit::Entry& entry, const ClientId& client, const RecordId& record,
                     Verdict& verdict);
  Status CheckClient(const audit::Entry& entry, const ClientId& client, Verdict& verdict);
  Status Judge(const Verdict& verdict);
  Status ClearRecovered();
  Status CheckCommittedState();
  void CountDamaged();  // with mutex_ held
  Status Alarm(const Verdict& verdict, std::string_view action);
  Status SavePosition(std::uint64_t position);

  Engine& engine_;
  Options options_;
  Database reader_;
  std::unique_ptr<LogStore> log_;
  ClientStore clients_;
  RecordStore records_;
  std::unique_ptr<CommittedState> committed_;
  std::uint64_t unsaved_ = 0;
  std::set<crypto::Id128> faulty_;              // in this round
  std::map<crypto::Id128, Verdict> recovered_;  // in this round, by their newest entry
  std::string last_log_fault_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  ScrubState state_;
  std::set<crypto::Id128> damaged_;
  std::atomic<bool> any_damaged_{false};
  std::atomic<bool> state_differs_{false};
  std::thread thread_;
};

}  // namespace coffer::vault
