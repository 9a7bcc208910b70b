#include "vault/oversight/scrubber.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <sstream>

#include "audit/tlog/merkle.h"
#include "crypto/hash.h"
#include "vault/base/operator_log.h"
#include "vault/deletion/erase.h"
#include "vault/engine/damaged_objects.h"
#include "vault/oversight/scrub_state.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kPositionSetting = "scrub-position";
constexpr std::uint64_t kSaveEvery = 64 * audit::kTileWidth;
constexpr std::chrono::seconds kBetweenRounds{60};
constexpr std::chrono::seconds kForIndex{1};
constexpr std::chrono::seconds kQuiet{1};
constexpr std::size_t kScrubbedAtOnce = 256;
constexpr std::size_t kOwnedAtOnce = 2048;  // rows of which only the key is looked at
constexpr std::size_t kMaxSaid = 1000;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view kImpossible = "has a row that the vault cannot have written";

// What a connection that only reads sees of one moment, until it goes out of scope.
class Snapshot {
 public:
  static Result<Snapshot> Begin(Database& database) {
    COFFER_TRY(database.Execute("BEGIN"));
    return Snapshot(database);
  }
  Snapshot(Snapshot&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot() {
    if (database_ != nullptr) (void)database_->Execute("ROLLBACK");
  }

 private:
  explicit Snapshot(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace

Result<std::unique_ptr<Scrubber>> Scrubber::Create(Engine& engine, const crypto::Keyring& keyring,
                                                   Database reader, const LogFollower& follower,
                                                   DamagedObjects& damaged, Options options) {
  std::unique_ptr<Scrubber> scrubber(new Scrubber(engine, damaged));
  scrubber->options_ = std::move(options);
  scrubber->reader_ = std::move(reader);
  COFFER_ASSIGN(scrubber->log_, LogStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->clients_, ClientStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->records_, RecordStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->rows_, ScrubStore::Open(scrubber->reader_));
  scrubber->objects_ = std::make_unique<ObjectLog>(*scrubber->log_, follower);
  COFFER_ASSIGN(scrubber->committed_, CommittedState::Open(scrubber->reader_, keyring));
  COFFER_ASSIGN(auto damage, DamageStore::Open(scrubber->reader_));
  COFFER_ASSIGN(auto known, damage.Load());
  scrubber->state_.damaged = known.size();
  damaged.Load(std::move(known));
  COFFER_ASSIGN(auto settings, SettingStore::Open(scrubber->reader_));
  COFFER_ASSIGN(const auto position, settings.Find(kPositionSetting));
  scrubber->whole_round_ = true;
  if (position) {
    std::uint64_t at = 0;
    int phase = 0;
    std::istringstream text(*position);
    text >> at >> phase >> scrubber->row_;
    if (!text) scrubber->row_ = -1;
    if (phase >= 0 && phase <= static_cast<int>(Phase::kOwned)) {
      scrubber->phase_ = static_cast<Phase>(phase);
    }
    scrubber->state_.position = at - at % audit::kTileWidth;
    scrubber->whole_round_ = scrubber->state_.position == 0 && scrubber->phase_ == Phase::kLog;
  }
  return scrubber;
}

Scrubber::~Scrubber() { Stop(); }

void Scrubber::Start() {
  if (options_.entries_per_s > 0) thread_ = std::thread([this] { Loop(); });
}

void Scrubber::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  // Without it the next round begins a little earlier.
  if (const auto saved = SavePosition(); !saved && options_.log) {
    options_.log(Severity::kInfo,
                 "where the scrub stopped was not stored: " + saved.error().detail);
  }
}

ScrubState Scrubber::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::chrono::nanoseconds Scrubber::RestAfter(Progress progress, bool asked,
                                             std::uint32_t entries_per_s,
                                             std::chrono::nanoseconds round) {
  const auto per_step = std::chrono::nanoseconds(std::chrono::seconds(1)) *
                        static_cast<std::int64_t>(audit::kTileWidth) /
                        static_cast<std::int64_t>(entries_per_s);
  switch (progress) {
    case Progress::kMore:
      return asked ? per_step : std::chrono::nanoseconds(0);
    case Progress::kRoundEnded:
      // Half a core at most, when nobody asks for anything.
      return std::max({per_step, round, std::chrono::nanoseconds(kBetweenRounds)});
    case Progress::kWaiting:
      break;
  }
  return kForIndex;
}

// False: it is to stop. The pace is for while requests come: a second without any ends a rest by
// it.
bool Scrubber::Rest(std::chrono::nanoseconds rest, bool by_pace) {
  for (auto left = rest;;) {
    const auto slice = by_pace ? std::min<std::chrono::nanoseconds>(left, kQuiet) : left;
    const std::uint64_t requests = engine_.requests();
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, slice, [this] { return stopping_; })) return false;
    }
    left -= slice;
    if (left <= std::chrono::nanoseconds(0) || (by_pace && engine_.requests() == requests)) {
      return true;
    }
  }
}

void Scrubber::Loop() {
  using Clock = std::chrono::steady_clock;
  std::chrono::nanoseconds rest{0};
  auto began = Clock::now();
  bool reported = false, reported_wait = false;
  for (bool by_pace = false; Rest(rest, by_pace);) {
    try {
      const std::uint64_t requests = engine_.requests();
      const auto done = Step();
      const bool asked = engine_.requests() != requests;
      rest = RestAfter(done.value_or(Progress::kRoundEnded), asked, options_.entries_per_s,
                       Clock::now() - began);
      by_pace = done == Progress::kMore;
      if (done == Progress::kRoundEnded) began = Clock::now() + rest;
      if (done == Progress::kWaiting && !std::exchange(reported_wait, true) && options_.log) {
        options_.log(Severity::kInfo,
                     "the comparison of stored data with the log waits for the log's index");
      }
      if (!done && !std::exchange(reported, true) && options_.log) {
        options_.log(Severity::kWarning,
                     "stored data is not compared with the log: " + done.error().detail);
      }
      if (done) reported = false;
      if (done && *done != Progress::kWaiting) reported_wait = false;
    } catch (const std::bad_alloc&) {
      // The same place is compared again.
      rest = kForIndex;
      by_pace = false;
    }
  }
}

Result<Scrubber::Progress> Scrubber::Step() {
  std::vector<Verdict> verdicts;
  bool waiting = false, more = true;
  switch (phase_) {
    case Phase::kLog: {
      COFFER_ASSIGN(more, StepLog(verdicts, waiting));
      break;
    }
    case Phase::kClients:
    case Phase::kRecords: {
      COFFER_ASSIGN(more, StepRows(verdicts, waiting));
      break;
    }
    case Phase::kOwned: {
      COFFER_ASSIGN(more, StepOwned(verdicts));
      break;
    }
  }
  if (waiting) return Progress::kWaiting;
  for (Verdict& verdict : verdicts) COFFER_TRY(Judge(std::move(verdict)));
  unsaved_ += audit::kTileWidth;
  if (more) {
    if (unsaved_ >= kSaveEvery) COFFER_TRY(SavePosition());
    return Progress::kMore;
  }
  row_ = -1;
  if (phase_ == Phase::kOwned) {
    COFFER_TRY(EndRound());
    return Progress::kRoundEnded;
  }
  phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
  return Progress::kMore;
}

Result<bool> Scrubber::StepLog(std::vector<Verdict>& verdicts, bool& waiting) {
  const std::uint64_t from = state().position;
  std::uint64_t to = from, size = 0;
  std::vector<audit::Entry> missing;
  {
    // Log and state as they were at one moment.
    COFFER_ASSIGN(const Snapshot snapshot, Snapshot::Begin(reader_));
    COFFER_ASSIGN(size, log_->Size());
    to = std::min(size, from + audit::kTileWidth);
    if (from < to) COFFER_TRY(LookAt(from, to, verdicts, missing));
  }
  if (!missing.empty()) {
    COFFER_ASSIGN(const bool known, objects_->CatchUp(size));
    waiting = !known;
    if (waiting) return true;
    COFFER_TRY(CheckMissing(missing, verdicts));
  }
  const std::lock_guard lock(mutex_);
  state_.position = to;
  return to < size;
}

// What an entry wrote is not there: another one must say that it was taken away.
Status Scrubber::CheckMissing(const std::vector<audit::Entry>& entries,
                              std::vector<Verdict>& verdicts) {
  std::set<std::string> known;
  for (const audit::Entry& entry : entries) {
    const bool of_record = !entry.record.empty();
    const std::string& id = of_record ? entry.record : entry.client;
    if (!known.insert(id).second) continue;
    COFFER_ASSIGN(bool gone, objects_->IsErased(entry.client));
    if (!gone && of_record) {
      COFFER_ASSIGN(const auto changes, objects_->ChangesOfRecord(id));
      gone = std::ranges::any_of(
          changes, [](const LoggedChange& change) { return change.change == ObjectChange::kGone; });
    }
    Verdict verdict{{}, entry.client, entry.record, "entry " + std::to_string(entry.seq), {}};
    if (of_record) {
      verdict.id = RecordId::Parse(id)->value;
    } else {
      verdict.id = ClientId::Parse(id)->value;
    }
    if (!gone) verdict.fault = "is in the log, and not stored";
    verdicts.push_back(std::move(verdict));
  }
  return {};
}

Result<bool> Scrubber::LookAtClients(std::vector<Looked>& looked) {
  COFFER_ASSIGN(const auto ids, clients_.List(row_, {}, kScrubbedAtOnce));
  for (const std::int64_t id : ids) {
    row_ = id;
    COFFER_ASSIGN(const auto row, clients_.FindRow(id));
    if (!row) continue;
    Looked& client = looked.emplace_back();
    client.stored = {row->id.value, 0, row->version, crypto::Sha256(row->profile), {}};
    client.client = row->id.Text();
    COFFER_ASSIGN(client.sealed_since, clients_.SealedSince(row->id));
    if (row->id.Row() != id) client.sealed_since = kNever;
  }
  return ids.size() == kScrubbedAtOnce;
}

Result<bool> Scrubber::LookAtRecords(std::vector<Looked>& looked) {
  COFFER_ASSIGN(const auto ids, rows_.ListRecords(row_, kScrubbedAtOnce));
  std::size_t versions = 0;
  for (const std::int64_t id : ids) {
    if (versions > kScrubbedAtOnce) return true;
    row_ = id;
    COFFER_ASSIGN(const auto row, records_.FindRow(id));
    if (!row) continue;
    Looked& record = looked.emplace_back();
    record.stored = {row->id.value, row->client, row->version, crypto::Sha256(row->payload), {}};
    record.record = row->id.Text();
    if (row->id.Row() != id) record.sealed_since = kNever;
    COFFER_ASSIGN(const auto owner, clients_.FindRow(row->client));
    record.has_owner = owner.has_value();
    if (owner) record.client = owner->id.Text();
    COFFER_ASSIGN(const auto listed, records_.ListVersions(id));
    for (const auto& version : listed) {
      COFFER_ASSIGN(const auto old, records_.FindVersion(id, version.version));
      if (!old) continue;
      record.stored.old.emplace_back(old->version, crypto::Sha256(old->payload));
      ++versions;
    }
  }
  return ids.size() == kScrubbedAtOnce;
}

// The rows as they were at one moment, and what the log said then.
Result<bool> Scrubber::StepRows(std::vector<Verdict>& verdicts, bool& waiting) {
  const std::int64_t began = row_;
  std::vector<Looked> looked;
  std::uint64_t size = 0;
  bool more = false;
  {
    COFFER_ASSIGN(const Snapshot snapshot, Snapshot::Begin(reader_));
    COFFER_ASSIGN(size, log_->Size());
    COFFER_ASSIGN(more, phase_ == Phase::kClients ? LookAtClients(looked) : LookAtRecords(looked));
  }
  COFFER_ASSIGN(const bool known, objects_->CatchUp(size));
  if (!known) {
    waiting = true;
    row_ = began;
    return true;
  }
  for (const Looked& object : looked) {
    COFFER_ASSIGN(auto verdict, Compare(object, size));
    verdicts.push_back(std::move(verdict));
  }
  return more;
}

Result<Scrubber::Verdict> Scrubber::Compare(const Looked& looked, std::uint64_t size) {
  Verdict verdict{looked.stored.id, looked.client, looked.record, "stored rows", {}};
  if (looked.record.empty()) {
    COFFER_ASSIGN(const auto changes, objects_->ChangesOfClient(looked.client));
    verdict.fault = FaultOfClient(looked.stored, changes);
    if (verdict.fault.empty() && looked.sealed_since > size) verdict.fault = kImpossible;
    return verdict;
  }
  COFFER_ASSIGN(const auto changes, objects_->ChangesOfRecord(looked.record));
  verdict.fault = FaultOfRecord(looked.stored, changes);
  if (looked.sealed_since > size) verdict.fault = kImpossible;
  // As the log has it, wherever the row is now.
  if (!changes.empty()) verdict.client = changes.front().client;
  // Records of a client that is there again are found by the entry that erased it.
  if (verdict.fault.empty() && !looked.has_owner) {
    COFFER_ASSIGN(const bool erased, objects_->IsErased(verdict.client));
    if (erased) verdict.fault = "was erased with its client, and is stored again";
  }
  return verdict;
}

Result<bool> Scrubber::StepOwned(std::vector<Verdict>& verdicts) {
  if (table_ == std::size(kOwnedTables)) return false;
  const OwnedTable table = kOwnedTables[table_];
  COFFER_ASSIGN(const bool more, rows_.Walk(table, kOwnedAtOnce, place_));
  for (const std::int64_t owner : place_.orphans) {
    verdicts.push_back({{},
                        {},
                        {},
                        "stored rows",
                        std::string(Describe(table)) + " belongs to a " +
                            (BelongsToRecord(table) ? "record" : "client") +
                            " that is not stored (row " + std::to_string(owner) + ")"});
  }
  if (!more) {
    ++table_;
    place_ = {};
  }
  return true;
}

Status Scrubber::EndRound() {
  COFFER_TRY(ClearRecovered());
  COFFER_TRY(CheckCommittedState());
  std::optional<Timestamp> now;
  audit::Entry none;
  COFFER_TRY(engine_.Run(OperationKind::kRead, EntryRule::kNever, none,
                         [&](Transaction& transaction) -> Status {
                           now = transaction.now();
                           return {};
                         }));
  phase_ = Phase::kLog;
  table_ = 0;
  place_ = {};
  whole_round_ = true;
  {
    const std::lock_guard lock(mutex_);
    state_.position = 0;
    ++state_.rounds;
    state_.completed = now;
  }
  return SavePosition();
}

Status Scrubber::LookAt(std::uint64_t from, std::uint64_t to, std::vector<Verdict>& verdicts,
                        std::vector<audit::Entry>& missing) {
  std::string fault;
  std::uint64_t next = from;
  std::optional<crypto::Hash> prev;
  if (from == 0) prev.emplace();
  std::vector<audit::Hash> leaves;
  std::vector<audit::Entry> changes;
  COFFER_TRY(log_->ReadEntries(
      from == 0 ? 0 : from - 1, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
        const bool before = seq < from;
        const auto found = [&](std::string_view what) {
          if (fault.empty())
            fault = "the log: entry " + std::to_string(seq) + " " + std::string(what);
        };
        if (!before) {
          if (seq != next) found("follows a gap");
          next = seq + 1;
          leaves.push_back(audit::LeafHash(crypto::AsBytes(bytes)));
          auto entry = audit::ParseEntry(bytes);
          if (!entry || entry->seq != seq) {
            found("is not one that the vault wrote");
          } else {
            if (prev && entry->prev != *prev) found("does not follow the one before it");
            if (ChangeOf(*entry) != ObjectChange::kNone) changes.push_back(*std::move(entry));
          }
        }
        prev = crypto::Sha256(crypto::AsBytes(bytes));
        return {};
      }));
  if (fault.empty() && next != to) fault = "the log: entry " + std::to_string(next) + " is missing";
  if (fault.empty()) {
    COFFER_ASSIGN(fault, CheckTiles(from, leaves));
  }
  if (!fault.empty()) {
    verdicts.push_back({{}, {}, {}, "entry " + std::to_string(from), std::move(fault)});
  }
  for (audit::Entry& entry : changes) {
    bool is_missing = false;
    COFFER_TRY(CheckObject(entry, verdicts, is_missing));
    if (is_missing) missing.push_back(std::move(entry));
  }
  return {};
}

// The stored tile of these leaves, and the hash of that tile in the tile above it.
Result<std::string> Scrubber::CheckTiles(std::uint64_t from,
                                         const std::vector<audit::Hash>& leaves) {
  if (leaves.size() != audit::kTileWidth) return std::string();
  const std::uint64_t n = from / audit::kTileWidth;
  const auto tile = log_->ReadTile(0, n);
  if (!tile && tile.error().code != Code::kNotFound) return std::unexpected(tile.error());
  crypto::Bytes hashes;
  for (const auto& leaf : leaves) hashes.insert(hashes.end(), leaf.begin(), leaf.end());
  if (!tile || *tile != hashes) {
    return "the log: tile 0/" + std::to_string(n) + " is not that of its entries";
  }
  const auto above = log_->ReadTile(1, n / audit::kTileWidth);
  if (!above && above.error().code != Code::kNotFound) return std::unexpected(above.error());
  if (!above) return std::string();  // not full yet: computed from the tiles below
  const auto root = audit::PerfectRoot(leaves);
  const auto place = above->begin() + static_cast<std::ptrdiff_t>(n % audit::kTileWidth) *
                                          static_cast<std::ptrdiff_t>(root.size());
  if (!std::equal(root.begin(), root.end(), place)) {
    return "the log: tile 1/" + std::to_string(n / audit::kTileWidth) +
           " is not that of the tiles below";
  }
  return std::string();
}

Status Scrubber::CheckObject(const audit::Entry& entry, std::vector<Verdict>& verdicts,
                             bool& missing) {
  const auto client = ClientId::Parse(entry.client);
  if (!client) return {};
  if (ChangeOf(entry) == ObjectChange::kGone) return CheckGone(entry, verdicts);
  Verdict verdict{
      client->value, entry.client, entry.record, "entry " + std::to_string(entry.seq), {}};
  if (entry.record.empty()) {
    COFFER_TRY(CheckClient(entry, *client, verdict, missing));
  } else {
    const auto record = RecordId::Parse(entry.record);
    if (!record) return {};
    verdict.id = record->value;
    COFFER_TRY(CheckRecord(entry, *client, *record, verdict, missing));
  }
  if (!missing) verdicts.push_back(std::move(verdict));
  return {};
}

// Ids are given once: what an entry took away is not there at any later moment.
Status Scrubber::CheckGone(const audit::Entry& entry, std::vector<Verdict>& verdicts) {
  const std::string at = "entry " + std::to_string(entry.seq);
  if (!ErasesClient(entry)) {
    const auto record = RecordId::Parse(entry.record);
    if (!record) return {};
    Verdict verdict{record->value, entry.client, entry.record, at, {}};
    COFFER_ASSIGN(const auto row, records_.Find(*record));
    if (row) verdict.fault = "was deleted, and is stored again";
    COFFER_ASSIGN(const auto versions, records_.ListVersions(record->Row()));
    if (!row && !versions.empty()) {
      verdict.fault = "was deleted, and has an old version that is stored again";
    }
    verdicts.push_back(std::move(verdict));
    return {};
  }
  const ClientId client = *ClientId::Parse(entry.client);
  COFFER_ASSIGN(const auto row, clients_.Find(client));
  Verdict verdict{client.value, entry.client, {}, at, {}};
  if (row) verdict.fault = "was erased, and is stored again";
  verdicts.push_back(std::move(verdict));
  for (std::int64_t after = -1;;) {
    COFFER_ASSIGN(const auto owned, records_.ListOf(client.Row(), {}, after, kScrubbedAtOnce));
    if (owned.empty()) return {};
    after = owned.back();
    for (const std::int64_t id : owned) {
      COFFER_ASSIGN(const auto record, records_.FindRow(id));
      if (!record) continue;
      verdicts.push_back({record->id.value, entry.client, record->id.Text(), at,
                          "is stored, and belongs to a client that was erased"});
    }
  }
}

Status Scrubber::CheckRecord(const audit::Entry& entry, const ClientId& client,
                             const RecordId& record, Verdict& verdict, bool& missing) {
  COFFER_ASSIGN(const auto row, records_.Find(record));
  if (!row) {
    COFFER_ASSIGN(const auto versions, records_.ListVersions(record.Row()));
    missing = versions.empty();
    if (!missing) verdict.fault = "is not stored, but for an old version of it";
    return {};
  }
  // Sealed again since: later entries say what the bytes are.
  COFFER_ASSIGN(const std::uint64_t since, clients_.SealedSince(client));
  const bool has_bytes = entry.seq >= since;
  if (row->client != client.Row()) {
    verdict.fault = "belongs to another client than the log says";
  } else if (row->version < entry.version) {
    verdict.fault = "is older than the log says";
  } else if (row->version == entry.version) {
    if (has_bytes && crypto::Sha256(row->payload) != *entry.payload_hash) verdict.fault = kDiffers;
  } else {
    COFFER_ASSIGN(const auto old, records_.FindVersion(record.Row(), entry.version));
    if (!old || (has_bytes && crypto::Sha256(old->payload) != *entry.payload_hash)) {
      verdict.fault = "has an old version that is not what the log says was written";
    }
  }
  return {};
}

Status Scrubber::CheckClient(const audit::Entry& entry, const ClientId& client, Verdict& verdict,
                             bool& missing) {
  COFFER_ASSIGN(const auto row, clients_.Find(client));
  missing = !row;
  if (missing || row->version > entry.version) return {};  // or written since
  COFFER_ASSIGN(const std::uint64_t since, clients_.SealedSince(client));
  if (row->version < entry.version) {
    verdict.fault = "is older than the log says";
  } else if (entry.seq >= since && crypto::Sha256(row->profile) != *entry.payload_hash) {
    verdict.fault = kDiffers;
  }
  return {};
}

Status Scrubber::Judge(Verdict verdict) {
  if (!verdict.of_object()) {
    // Of the log itself or of a table: once, not in each round again.
    if (said_.size() >= kMaxSaid || !said_.insert(verdict.fault).second) return {};
    return Alarm(verdict, "integrity.alarm");
  }
  const DamageStore::Damage damage{verdict.id, verdict.client, verdict.record};
  const bool known = damaged_.Recall(damage);
  if (verdict.fault.empty()) return {};
  faulty_.insert(verdict.id);
  if (known) return {};
  COFFER_TRY(Alarm(verdict, "integrity.alarm"));
  damaged_.Add(damage);
  CountDamaged();
  return {};
}

// At the end of a round: what nothing was wrong with in all of it is whole, or rightly gone.
Status Scrubber::ClearRecovered() {
  std::vector<DamageStore::Damage> recovered;
  if (whole_round_) recovered = damaged_.AllBut(faulty_);
  for (const auto& damage : recovered) {
    COFFER_TRY(
        Alarm({damage.id, damage.client, damage.record, "a whole round", {}}, "integrity.cleared"));
    damaged_.Remove(damage.id);
    CountDamaged();
  }
  faulty_.clear();
  return {};
}

void Scrubber::CountDamaged() {
  const std::lock_guard lock(mutex_);
  state_.damaged = damaged_.Count();
}

Status Scrubber::CheckCommittedState() {
  Verdict verdict;
  {
    COFFER_ASSIGN(const Snapshot snapshot, Snapshot::Begin(reader_));
    COFFER_ASSIGN(auto difference, committed_->FindDifference(*log_));
    COFFER_ASSIGN(const std::uint64_t size, log_->Size());
    verdict.at = "entry " + std::to_string(size);
    verdict.fault = std::move(difference).value_or("");
  }
  const bool differs = !verdict.fault.empty();
  if (differs == damaged_.StateDiffers()) return {};
  COFFER_TRY(Alarm(verdict, differs ? "integrity.alarm" : "integrity.cleared"));
  damaged_.SetStateDiffers(differs);
  CountDamaged();
  return {};
}

Status Scrubber::Alarm(const Verdict& verdict, std::string_view action) {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  entry.client = verdict.client;
  entry.record = verdict.record;
  entry.outcome = verdict.fault.empty() ? "ok" : "stored_data_differs";
  entry.detail = "scrub; " + verdict.at;
  const bool damaged = !verdict.fault.empty();
  COFFER_TRY(engine_.Run(OperationKind::kWrite, EntryRule::kAlways, entry,
                         [&](Transaction& transaction) -> Status {
                           if (verdict.id == crypto::Id128{}) return {};
                           auto& store = transaction.stores().damage;
                           if (!damaged) return store.Delete(verdict.id);
                           return store.Put({verdict.id, verdict.client, verdict.record},
                                            transaction.now(), verdict.fault);
                         }));
  if (options_.log && damaged) {
    std::string what;
    if (!verdict.record.empty()) what = "record " + verdict.record + " of ";
    if (verdict.of_object()) {
      what += "client " + (verdict.client.empty() ? "nobody" : verdict.client) + " ";
    }
    options_.log(Severity::kError, "stored data is damaged: " + what + verdict.fault);
  }
  return {};
}

Status Scrubber::SavePosition() {
  unsaved_ = 0;
  audit::Entry none;
  std::string text = std::to_string(state().position);
  if (phase_ != Phase::kLog) {
    text += " " + std::to_string(static_cast<int>(phase_)) + " " + std::to_string(row_);
  }
  return engine_.Run(OperationKind::kWrite, EntryRule::kNever, none,
                     [&](Transaction& transaction) -> Status {
                       return transaction.stores().settings.Put(kPositionSetting, text);
                     });
}

}  // namespace coffer::vault
