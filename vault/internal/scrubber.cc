#include "vault/internal/scrubber.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "audit/merkle.h"
#include "crypto/hash.h"
#include "vault/internal/erase.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kPositionSetting = "scrub-position";
constexpr std::string_view kDiffers = "is not what the log says was written";
constexpr std::uint64_t kSaveEvery = 64 * audit::kTileWidth;
constexpr std::chrono::seconds kBetweenRounds{60};

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
                                                   Database reader, Options options) {
  std::unique_ptr<Scrubber> scrubber(new Scrubber(engine));
  scrubber->options_ = std::move(options);
  scrubber->reader_ = std::move(reader);
  COFFER_ASSIGN(scrubber->log_, LogStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->clients_, ClientStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->records_, RecordStore::Open(scrubber->reader_));
  COFFER_ASSIGN(scrubber->committed_, CommittedState::Open(scrubber->reader_, keyring));
  COFFER_ASSIGN(auto damage, DamageStore::Open(scrubber->reader_));
  COFFER_ASSIGN(const auto damaged, damage.Load());
  scrubber->damaged_.insert(damaged.begin(), damaged.end());
  scrubber->any_damaged_ = !damaged.empty();
  scrubber->state_.damaged = damaged.size();
  COFFER_ASSIGN(auto settings, SettingStore::Open(scrubber->reader_));
  COFFER_ASSIGN(const auto position, settings.Find(kPositionSetting));
  if (position) {
    std::uint64_t at = 0;
    std::from_chars(position->data(), position->data() + position->size(), at);
    scrubber->state_.position = at - at % audit::kTileWidth;
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
  if (const auto saved = SavePosition(state().position); !saved && options_.log) {
    options_.log(Severity::kInfo,
                 "where the scrub stopped was not stored: " + saved.error().detail);
  }
}

bool Scrubber::IsDamaged(const crypto::Id128& id) const {
  if (!any_damaged_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(mutex_);
  return damaged_.contains(id);
}

ScrubState Scrubber::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Scrubber::Loop() {
  const auto per_tile = std::chrono::nanoseconds(std::chrono::seconds(1)) *
                        static_cast<std::int64_t>(audit::kTileWidth) /
                        static_cast<std::int64_t>(options_.entries_per_s);
  std::chrono::nanoseconds rest = per_tile;
  bool reported = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, rest, [this] { return stopping_; })) return;
    }
    const auto done = Step();
    rest = done && !*done ? per_tile : std::max<std::chrono::nanoseconds>(per_tile, kBetweenRounds);
    if (!done && !std::exchange(reported, true) && options_.log) {
      options_.log(Severity::kWarning,
                   "stored data is not compared with the log: " + done.error().detail);
    }
    if (done) reported = false;
  }
}

Result<bool> Scrubber::Step() {
  const std::uint64_t from = state().position;
  std::vector<Verdict> verdicts;
  std::uint64_t to = from;
  bool last = false;
  {
    // Log and state as they were at one moment.
    COFFER_ASSIGN(const Snapshot snapshot, Snapshot::Begin(reader_));
    COFFER_ASSIGN(const std::uint64_t size, log_->Size());
    to = std::min(size, from + audit::kTileWidth);
    last = to == size;
    if (from < to) {
      COFFER_TRY(LookAt(from, to, verdicts));
    }
  }
  for (const Verdict& verdict : verdicts) {
    COFFER_TRY(Judge(verdict));
  }
  if (last) {
    COFFER_TRY(ClearRecovered());
    COFFER_TRY(CheckCommittedState());
  }
  {
    const std::lock_guard lock(mutex_);
    state_.position = last ? 0 : to;
    if (last) ++state_.rounds;
  }
  if (last) {
    std::optional<Timestamp> now;
    audit::Entry none;
    COFFER_TRY(engine_.Run(OperationKind::kRead, EntryRule::kNever, none,
                           [&](Transaction& transaction) -> Status {
                             now = transaction.now();
                             return {};
                           }));
    const std::lock_guard lock(mutex_);
    state_.completed = now;
  }
  unsaved_ += to - from;
  if (last || unsaved_ >= kSaveEvery) {
    COFFER_TRY(SavePosition(last ? 0 : to));
  }
  return last;
}

Status Scrubber::LookAt(std::uint64_t from, std::uint64_t to, std::vector<Verdict>& verdicts) {
  std::string fault;
  std::uint64_t next = from;
  std::optional<crypto::Hash> prev;
  if (from == 0) prev.emplace();
  std::vector<audit::Hash> leaves;
  std::vector<audit::Entry> writes;
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
            if (entry->payload_hash && entry->version > 0) writes.push_back(*std::move(entry));
          }
        }
        prev = crypto::Sha256(crypto::AsBytes(bytes));
        return {};
      }));
  if (fault.empty() && next != to) fault = "the log: entry " + std::to_string(next) + " is missing";
  if (fault.empty()) {
    COFFER_ASSIGN(fault, CheckTiles(from, leaves));
  }
  if (!fault.empty()) verdicts.push_back({{}, {}, {}, from, std::move(fault), false});
  for (const audit::Entry& entry : writes) {
    COFFER_ASSIGN(auto verdict, CheckObject(entry));
    if (verdict) verdicts.push_back(*std::move(verdict));
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

Result<std::optional<Scrubber::Verdict>> Scrubber::CheckObject(const audit::Entry& entry) {
  const auto client = ClientId::Parse(entry.client);
  if (!client || entry.decision != audit::Decision::kAllow) return std::nullopt;
  // Sealed again since: later entries say what it is.
  COFFER_ASSIGN(const std::uint64_t since, clients_.SealedSince(*client));
  if (entry.seq < since) return std::nullopt;
  Verdict verdict{client->value, entry.client, entry.record, entry.seq, {}, false};
  if (!entry.record.empty()) {
    const auto record = RecordId::Parse(entry.record);
    if (!record) return std::nullopt;
    verdict.id = record->value;
    COFFER_TRY(CheckRecord(entry, *client, *record, verdict));
  } else if (entry.action == Name(Action::kClientCreate) ||
             entry.action == Name(Action::kClientUpdate) || entry.action == kClientReseal) {
    COFFER_TRY(CheckClient(entry, *client, verdict));
  } else {
    return std::nullopt;
  }
  return verdict;
}

Status Scrubber::CheckRecord(const audit::Entry& entry, const ClientId& client,
                             const RecordId& record, Verdict& verdict) {
  COFFER_ASSIGN(const auto row, records_.Find(record));
  verdict.newest = !row || row->version == entry.version;
  if (!row) return {};  // deleted
  if (row->client != client.Row()) {
    verdict.fault = "belongs to another client than the log says";
  } else if (row->version < entry.version) {
    verdict.fault = "is older than the log says";
  } else if (verdict.newest) {
    if (crypto::Sha256(row->payload) != *entry.payload_hash) verdict.fault = kDiffers;
  } else {
    COFFER_ASSIGN(const auto old, records_.FindVersion(record.Row(), entry.version));
    if (!old || crypto::Sha256(old->payload) != *entry.payload_hash) {
      verdict.fault = "has an old version that is not what the log says was written";
    }
  }
  return {};
}

Status Scrubber::CheckClient(const audit::Entry& entry, const ClientId& client, Verdict& verdict) {
  COFFER_ASSIGN(const auto row, clients_.Find(client));
  verdict.newest = !row || row->version == entry.version;
  if (!row || row->version > entry.version) return {};  // erased, or written since
  if (row->version < entry.version) {
    verdict.fault = "is older than the log says";
  } else if (crypto::Sha256(row->profile) != *entry.payload_hash) {
    verdict.fault = kDiffers;
  }
  return {};
}

Status Scrubber::Judge(const Verdict& verdict) {
  if (verdict.client.empty()) {
    // Of the log itself: once, not in each round again.
    if (last_log_fault_ == verdict.fault) return {};
    last_log_fault_ = verdict.fault;
    return Alarm(verdict, "integrity.alarm");
  }
  bool known = false;
  {
    const std::lock_guard lock(mutex_);
    known = damaged_.contains(verdict.id);
  }
  if (verdict.fault.empty()) {
    if (known && verdict.newest) recovered_.insert_or_assign(verdict.id, verdict);
    return {};
  }
  faulty_.insert(verdict.id);
  if (known) return {};
  COFFER_TRY(Alarm(verdict, "integrity.alarm"));
  const std::lock_guard lock(mutex_);
  damaged_.insert(verdict.id);
  CountDamaged();
  any_damaged_.store(true, std::memory_order_release);
  return {};
}

// At the end of a round: an entry about an earlier state may hold where a later one does not.
Status Scrubber::ClearRecovered() {
  for (const auto& [id, verdict] : recovered_) {
    if (faulty_.contains(id)) continue;
    COFFER_TRY(Alarm(verdict, "integrity.cleared"));
    const std::lock_guard lock(mutex_);
    damaged_.erase(id);
    CountDamaged();
    any_damaged_.store(!damaged_.empty(), std::memory_order_release);
  }
  recovered_.clear();
  faulty_.clear();
  return {};
}

void Scrubber::CountDamaged() { state_.damaged = damaged_.size() + (StateDiffers() ? 1 : 0); }

Status Scrubber::CheckCommittedState() {
  Verdict verdict;
  {
    COFFER_ASSIGN(const Snapshot snapshot, Snapshot::Begin(reader_));
    COFFER_ASSIGN(auto difference, committed_->FindDifference(*log_));
    COFFER_ASSIGN(verdict.seq, log_->Size());
    verdict.fault = std::move(difference).value_or("");
  }
  const bool differs = !verdict.fault.empty();
  if (differs == StateDiffers()) return {};
  COFFER_TRY(Alarm(verdict, differs ? "integrity.alarm" : "integrity.cleared"));
  const std::lock_guard lock(mutex_);
  state_differs_.store(differs, std::memory_order_release);
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
  entry.detail = "scrub; entry " + std::to_string(verdict.seq);
  const bool damaged = !verdict.fault.empty();
  COFFER_TRY(engine_.Run(OperationKind::kWrite, EntryRule::kAlways, entry,
                         [&](Transaction& transaction) -> Status {
                           if (verdict.client.empty()) return {};
                           auto& store = transaction.stores().damage;
                           return damaged ? store.Put(verdict.id, transaction.now(), verdict.fault)
                                          : store.Delete(verdict.id);
                         }));
  if (options_.log && damaged) {
    const std::string what = verdict.client.empty()   ? ""
                             : verdict.record.empty() ? "client " + verdict.client + " "
                                                      : "record " + verdict.record + " of client " +
                                                            verdict.client + " ";
    options_.log(Severity::kError, "stored data is damaged: " + what + verdict.fault);
  }
  return {};
}

Status Scrubber::SavePosition(std::uint64_t position) {
  unsaved_ = 0;
  audit::Entry none;
  const std::string text = std::to_string(position);
  return engine_.Run(OperationKind::kWrite, EntryRule::kNever, none,
                     [&](Transaction& transaction) -> Status {
                       return transaction.stores().settings.Put(kPositionSetting, text);
                     });
}

}  // namespace coffer::vault
