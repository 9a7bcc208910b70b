// Compares stored data with the log while the vault serves, all the time. A round goes through
//   the log, a tile (256 entries) at a time: its chain, its stored tiles, and each client and
//   record
//     version that an entry wrote, against the hash in that entry; what an entry took away must not
//     be there, and what is not there must have been taken away;
//   the clients and records that are stored: entries must say that they were written so;
//   old versions, index entries, references and tags: their owners must be there.
// What is damaged is refused from then on, with an alarm in the log, until a whole round finds
// nothing wrong with it; nothing is repaired. While requests come a round keeps to its pace, and
// while none come it takes what a core gives. A restart goes on where the last one stopped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/encoding.h"
#include "vault/base/operator_log.h"
#include "vault/clients/client_store.h"
#include "vault/clients/record_store.h"
#include "vault/engine/damaged_objects.h"
#include "vault/engine/engine.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/logged_object.h"
#include "vault/oversight/object_log.h"
#include "vault/oversight/scrub_state.h"
#include "vault/oversight/scrub_store.h"

namespace coffer::vault {

class Scrubber {
 public:
  struct Options {
    std::uint32_t entries_per_s = 250;  // while requests come
    OperatorLog log;
  };
  // `reader` is a read-only connection of its own; `follower`, which writes the log's index,
  // outlives this.
  static Result<std::unique_ptr<Scrubber>> Create(Engine& engine, const crypto::Keyring& keyring,
                                                  Database reader, const LogFollower& follower,
                                                  DamagedObjects& damaged, Options options);
  ~Scrubber();
  void Start();
  void Stop();

  ScrubState state() const;

  // kWaiting: the log's index is too far behind; the step is to be taken again.
  enum class Progress { kMore, kRoundEnded, kWaiting };
  // The next tile, or as many rows. Errors: those of the store; what is damaged is none.
  Result<Progress> Step();
  // How long to rest after a step. `asked`: requests came meanwhile. `round`: how long the round
  // took that has just ended.
  static std::chrono::nanoseconds RestAfter(Progress progress, bool asked,
                                            std::uint32_t entries_per_s,
                                            std::chrono::nanoseconds round);

 private:
  enum class Phase { kLog, kClients, kRecords, kOwned };

  // What is wrong with one client or record, or with the log or a table where both are empty.
  struct Verdict {
    crypto::Id128 id{};
    std::string client, record;
    std::string at;     // where it was found, in words
    std::string fault;  // empty: it holds
    bool of_object() const { return !client.empty() || !record.empty(); }
  };
  // A stored client or record, to be compared with what the log says of it.
  struct Looked {
    StoredObject stored;
    std::string client, record;
    bool has_owner = true;  // of a record
    std::uint64_t sealed_since = 0;
  };

  Scrubber(Engine& engine, DamagedObjects& damaged) : engine_(engine), damaged_(damaged) {}
  void Loop();
  bool Rest(std::chrono::nanoseconds rest, bool by_pace);
  Result<bool> StepLog(std::vector<Verdict>& verdicts, bool& waiting);
  Status LookAt(std::uint64_t from, std::uint64_t to, std::vector<Verdict>& verdicts,
                std::vector<audit::Entry>& missing);
  Result<std::string> CheckTiles(std::uint64_t from, const std::vector<audit::Hash>& leaves);
  Status CheckObject(const audit::Entry& entry, std::vector<Verdict>& verdicts, bool& missing);
  Status CheckGone(const audit::Entry& entry, std::vector<Verdict>& verdicts);
  Status CheckRecord(const audit::Entry& entry, const ClientId& client, const RecordId& record,
                     Verdict& verdict, bool& missing);
  Status CheckClient(const audit::Entry& entry, const ClientId& client, Verdict& verdict,
                     bool& missing);
  Status CheckMissing(const std::vector<audit::Entry>& entries, std::vector<Verdict>& verdicts);
  Result<bool> StepRows(std::vector<Verdict>& verdicts, bool& waiting);
  Result<bool> LookAtClients(std::vector<Looked>& looked);
  Result<bool> LookAtRecords(std::vector<Looked>& looked);
  Result<Verdict> Compare(const Looked& looked, std::uint64_t size);
  Result<bool> StepOwned(std::vector<Verdict>& verdicts);
  Status EndRound();
  Status Judge(Verdict verdict);
  Status ClearRecovered();
  Status CheckCommittedState();
  void CountDamaged();
  Status Alarm(const Verdict& verdict, std::string_view action);
  Status SavePosition();

  Engine& engine_;
  DamagedObjects& damaged_;
  Options options_;
  Database reader_;
  std::unique_ptr<LogStore> log_;
  ClientStore clients_;
  RecordStore records_;
  ScrubStore rows_;
  std::unique_ptr<ObjectLog> objects_;
  std::unique_ptr<CommittedState> committed_;
  std::uint64_t unsaved_ = 0;
  Phase phase_ = Phase::kLog;
  std::int64_t row_ = -1;           // the last client or record that was gone through
  std::size_t table_ = 0;           // of kOwnedTables
  ScrubStore::Place place_;         // in that
  bool whole_round_ = false;        // it began in this process, so that nothing of it is forgotten
  std::set<crypto::Id128> faulty_;  // in this round
  std::set<std::string> said_;      // faults of the log and of tables, since the start

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  ScrubState state_;
  std::thread thread_;
};

}  // namespace coffer::vault
