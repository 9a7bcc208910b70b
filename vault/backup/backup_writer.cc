#include "vault/backup/backup_writer.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <ranges>
#include <span>
#include <thread>
#include <utility>

#include "audit/documents/backup_increment.h"
#include "audit/entries/succession.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "vault/backup/change_set.h"
#include "vault/backup/open_store.h"
#include "vault/backup/prune.h"
#include "vault/base/ids.h"
#include "vault/engine/log_keys.h"

namespace coffer::vault {
namespace {

// Some 1 GiB.
constexpr std::uint64_t kMostWalFrames = 260'000;
constexpr std::chrono::milliseconds kLongestRest{200};
constexpr std::int64_t kClockMayStepMs = 60'000;
constexpr std::uint64_t kPagesOfRun = 256;
constexpr const char* kKeyringName = "keyring.json";
// Increments are read again one by one, and each is two files.
constexpr std::uint64_t kMostIncrements = 100'000;
constexpr std::uint64_t kFewIncrementBytes = std::uint64_t{1} << 30;

// The newest generation that this vault signed. Of another's nothing is taken over: it could name
// pages that are others.
std::optional<audit::BackupManifest> NewestOurs(const Repository& repository,
                                                std::span<const audit::VerifierKey> trusted) {
  const auto generations = repository.ListGenerations();
  if (!generations) return std::nullopt;
  for (const std::string& generation : *generations | std::views::reverse) {
    const auto note = repository.GetManifest(generation);
    if (!note) continue;
    auto manifest = audit::VerifyBackupManifest(*note, trusted);
    if (manifest && manifest->generation == generation) return *std::move(manifest);
  }
  return std::nullopt;
}

// The time of its last increment, or its own.
Timestamp NewestOf(const Repository& repository, const audit::BackupManifest& manifest,
                   std::span<const audit::VerifierKey> trusted) {
  const auto increments = repository.ListIncrements();
  if (!increments) return manifest.created;
  const auto found = increments->find(manifest.generation);
  if (found == increments->end()) return manifest.created;
  for (const std::uint64_t n : found->second | std::views::reverse) {
    const auto note = repository.GetIncrement(manifest.generation, n);
    if (!note) continue;
    if (const auto last = audit::VerifyBackupIncrement(*note, trusted)) {
      return std::max(last->created, manifest.created);
    }
  }
  return manifest.created;
}

std::optional<Hash> ListOf(const std::optional<audit::BackupManifest>& manifest,
                           std::string_view file) {
  if (!manifest) return std::nullopt;
  const auto found = std::ranges::find(manifest->files, file, &audit::BackupFile::name);
  return found != manifest->files.end() && found->paged ? std::optional(found->object)
                                                        : std::nullopt;
}

PagedFile PagesOf(const PageImage& image) {
  return {image.pages() * PageImage::kPageBytes,
          [&image](std::uint64_t at, std::span<std::uint8_t> out) {
            return image.Read(at / PageImage::kPageBytes, out);
          }};
}

PagedFile LedgerOf(const VaultSnapshot& snapshot, const std::string& path) {
  auto stream = std::make_shared<std::ifstream>();
  if (crypto::CheckIsFile(path)) stream->open(path, std::ios::binary);
  return {snapshot.ledger_bytes,
          [stream, path](std::uint64_t at, std::span<std::uint8_t> out) -> Status {
            stream->seekg(static_cast<std::streamoff>(at));
            stream->read(reinterpret_cast<char*>(out.data()),
                         static_cast<std::streamsize>(out.size()));
            return *stream ? Status() : Fail(Code::kUnavailable, "file_not_read", path);
          }};
}

// The files of a kind that are short.
std::map<std::string, ByteView> ShortFilesOf(const VaultSnapshot& snapshot, BackupKind kind) {
  if (kind == BackupKind::kKeys) return {{"keys.db.key", snapshot.keys_key}};
  return {{"anchor", snapshot.anchor}, {kKeyringName, snapshot.keyring}};
}

// What was erased comes back as long as they are kept.
Status KeysRetained(const Repository& repository) {
  return Fail(Code::kConflict, "keys_retained",
              repository.path() +
                  " retains what is removed from it: keys need a bucket without object lock and "
                  "without versions");
}

}  // namespace

bool BackupRun::copied() const {
  return std::ranges::any_of(destinations, &DestinationRun::copied);
}

bool BackupRun::complete() const {
  return std::ranges::all_of(
      destinations, [](const DestinationRun& done) { return done.copied && done.problem.empty(); });
}

struct BackupWriter::Chain {
  std::string repository;  // its id
  std::string base;
  std::uint64_t n = 0;  // of the last increment
  Hash previous{};
  Timestamp created;       // of the base
  Timestamp keys_changed;  // as was said last
  PageSet pending;         // of its database, what is not there yet
  std::map<std::string, Hash> short_files;
  std::uint64_t ledger_bytes = 0;
  std::uint64_t base_bytes = 0, bytes = 0;  // of the base's files; of the increments
  crypto::PublicKey signer{};               // of the base: its keyring.json has that key

  bool long_enough() const {
    return n >= kMostIncrements || bytes > std::max(base_bytes, kFewIncrementBytes);
  }
};

struct BackupWriter::Place {
  const BackupDestination& destination;
  std::optional<Chain> chain = std::nullopt;
  std::string prune_problem = {};  // of what should have gone the last time
  bool swept = false;              // once since the vault was opened
  // When it was found damaged, and for which finding a generation was copied that relies on nothing
  // unread.
  std::optional<Timestamp> damaged = std::nullopt, mended = std::nullopt;
  bool owes = false;  // the last generation is not there
  // In a run.
  DestinationRun done = {};
  std::shared_ptr<BackupStore> store = nullptr;  // stays, with its connection
  std::optional<Repository> repository = std::nullopt;
  std::optional<Repository::Claim> claim = std::nullopt;  // to write to it
  bool unfinished = false;                                // what an earlier run left may be there
  std::optional<audit::BackupManifest> earlier = std::nullopt;  // its newest

  void Begin() {
    done = {.name = destination.name, .kind = destination.kind, .problem = {}, .figures = {}};
    repository.reset();
    claim.reset();
    earlier.reset();
  }
  bool lacks() const { return !chain || owes || chain->long_enough(); }
  bool usable() const { return repository && done.problem.empty(); }
  void End() {
    claim.reset();
    repository.reset();
  }
};

BackupWriter::BackupWriter(
    const Operations& operations, const BackupOptions& options, VaultFiles files,
    std::function<bool()> clock_doubted,
    std::function<std::optional<Timestamp>(const std::string&)> found_damaged)
    : operations_(operations),
      options_(options),
      files_(std::move(files)),
      clock_doubted_(std::move(clock_doubted)),
      found_damaged_(std::move(found_damaged)) {
  for (const auto& destination : options_.backup_destinations) places_.push_back({destination});
  progress_.resize(places_.size());
}

BackupWriter::~BackupWriter() = default;

Repository::Owner BackupWriter::owner() const {
  const auto& keyring = operations_.keyring();
  return {keyring.log_origin(), crypto::HexEncode(keyring.vault_id())};
}

void BackupWriter::Resume(std::chrono::seconds patience) {
  until_ = std::chrono::steady_clock::now() + patience;
  stopping_ = false;
}

bool BackupWriter::interrupted() const {
  return stopping_ || std::chrono::steady_clock::now() > until_.load();
}

Result<Repository> BackupWriter::OpenDestination(const BackupDestination& destination,
                                                 bool briefly) const {
  StorePlace place = destination.place();
  if (briefly) place.s3 = place.s3.Briefly();
  COFFER_ASSIGN(auto store, OpenStore(place, [this] { return interrupted(); }));
  COFFER_ASSIGN(auto repository, Repository::Open(std::move(store)));
  return Check(std::move(repository), destination);
}

Result<Repository> BackupWriter::MakeDestination(const BackupDestination& destination) const {
  StorePlace place = destination.place();
  place.s3 = place.s3.Briefly();
  COFFER_ASSIGN(auto store, OpenStore(place, [this] { return interrupted(); }));
  return Repository::Create(std::move(store), destination.kind, owner());
}

Result<Repository> BackupWriter::Check(Repository repository,
                                       const BackupDestination& destination) const {
  if (repository.kind() != destination.kind) {
    return Fail(Code::kConflict, "repository_of_other_kind",
                destination.directory + " is one of " + std::string(Name(repository.kind())));
  }
  const auto vault = owner();
  if (repository.owner().vault_id != vault.vault_id ||
      !audit::IsOrSucceeds(vault.vault, repository.owner().vault)) {
    return Fail(Code::kConflict, "repository_of_other_vault",
                destination.directory + " is one of " + repository.owner().vault + ", vault " +
                    repository.owner().vault_id);
  }
  return repository;
}

void BackupWriter::Open(Place& place, bool to_begin) {
  const auto open = [&]() -> Status {
    if (!place.store) {
      COFFER_ASSIGN(place.store,
                    OpenStore(place.destination.place(), [this] { return interrupted(); }));
    }
    COFFER_ASSIGN(auto opened, Repository::Open(place.store));
    COFFER_ASSIGN(auto repository, Check(std::move(opened), place.destination));
    COFFER_ASSIGN(auto claim, repository.Take());
    place.claim.emplace(std::move(claim));
    place.repository = std::move(repository);
    place.damaged = found_damaged_(place.destination.name);
    place.repository->ReadBack(place.damaged && place.damaged != place.mended);
    if (!to_begin) return {};
    place.unfinished = true;
    COFFER_ASSIGN(const bool before, place.repository->BeginWriting());
    place.unfinished = before || !place.swept;
    place.earlier = NewestOurs(*place.repository, TrustedKeys());
    if (!place.earlier) return {};
    const Timestamp newest = NewestOf(*place.repository, *place.earlier, TrustedKeys());
    // By a clock that ran ahead: it would go on being the newest. What is a little later than now
    // was made when the clock was a little ahead, and the next one is behind it.
    if (newest.ms > std::max(operations_.Now(), last_).ms + kClockMayStepMs) {
      return Fail(Code::kConflict, "generation_in_future",
                  place.earlier->generation + " reaches to " + audit::FormatTimestamp(newest) +
                      ": where the clock was wrong then, remove its file from " +
                      place.repository->path() + "/generations");
    }
    last_ = std::max(last_, newest);
    return {};
  };
  place.Begin();
  if (const auto opened = open(); !opened) place.done.problem = InWords(opened.error());
}

BackupWriter::Stored BackupWriter::StoredBy(const EngineStatistics& statistics) {
  return {statistics.log_size, statistics.checkpoint_size, statistics.wal_frames,
          statistics.keys_wal_frames, statistics.keys_rewrites};
}

// What it took out of the engine is added to all chains, also where it failed: one that is not
// written to now is later.
Result<VaultSnapshot> BackupWriter::Snapshot() {
  const Stored before = StoredBy(operations_.engine().Statistics());
  ChangedPages changed;
  auto snapshot = TakeSnapshot(operations_, files_, changed);
  try {
    for (Place& place : places_) {
      if (!place.chain) continue;
      const bool keys = place.destination.kind == BackupKind::kKeys;
      place.chain->pending.Add(keys ? changed.keys : changed.vault);
    }
  } catch (const std::bad_alloc&) {
    for (Place& place : places_) place.chain.reset();
    keys_key_ = {};
    throw;
  }
  if (!snapshot) {
    // Those of the next one are others than those of the one before.
    if (!changed.keys.empty()) keys_key_ = {};
    for (Place& place : places_) {
      place.done.problem = InWords(snapshot.error());
      Tell(place);
      place.End();
    }
    return snapshot;
  }
  seen_ = before;
  // By its time one is told from the next, also where the clock stands.
  last_ = std::max(operations_.Now(), Timestamp{last_.ms + 1});
  const Hash keys_key = crypto::Sha256(snapshot->keys_key);
  if (!changed.keys.empty() || keys_key != keys_key_) keys_changed_ = last_;
  keys_key_ = keys_key;
  return snapshot;
}

Result<BackupRun> BackupWriter::WriteGeneration(bool lacking) {
  std::vector<Place*> places;
  bool keys_too = false;
  const auto open = [&](BackupKind kind) {
    for (Place& place : places_) {
      if (place.destination.kind != kind) continue;
      const bool wanted = !lacking || place.lacks() || (kind == BackupKind::kKeys && keys_too);
      if (!wanted) continue;
      places.push_back(&place);
      Open(place, true);
      keys_too = keys_too || place.usable();
    }
  };
  // A generation of the data needs one of the keys beside it.
  open(BackupKind::kData);
  open(BackupKind::kKeys);
  std::ranges::sort(places);  // as they are configured
  BackupRun run;
  const auto finish = [&] {
    for (Place* place : places) {
      Tell(*place);
      DestinationRun& done = run.destinations.emplace_back(place->done);
      if (done.problem.empty()) done.problem = place->prune_problem;
      place->End();
    }
  };
  if (std::ranges::none_of(places, &Place::usable)) {
    run.created = operations_.Now();
    finish();
    return run;
  }
  COFFER_ASSIGN(VaultSnapshot snapshot, Snapshot());
  Pace pace{std::chrono::steady_clock::now(), operations_.engine().requests()};
  run.created = last_;
  run.generation = BackupId::New(run.created).Text();
  run.log_size = snapshot.log_size;
  // The keys first: their reader keeps erasures waiting.
  for (const BackupKind kind : {BackupKind::kKeys, BackupKind::kData}) {
    for (Place* place : places) {
      if (place->done.kind != kind || !place->usable()) continue;
      const auto copied = CopyTo(*place, snapshot, run, pace);
      place->done.copied = copied.has_value();
      if (!copied) place->done.problem = InWords(copied.error());
    }
    snapshot.keys.reset();
  }
  snapshot = {};
  for (Place* place : places) {
    place->owes = !place->done.copied;
    Prune(*place, run.created, pace);
  }
  finish();
  return run;
}

// Also where there was no room for the copy: there above all.
void BackupWriter::Prune(Place& place, Timestamp now, Pace& pace) const {
  if (!place.repository) return;
  const auto prune = [&]() -> Status {
    const KeepRule rule =
        clock_doubted_() ? KeepAllOf(TrustedKeys()) : RuleOf(place.destination, now, TrustedKeys());
    Pruned pruned;
    const auto gone = PruneRepository(
        *place.repository, rule, place.unfinished || !place.done.copied, [&] { return GoOn(pace); },
        pruned);
    place.done.generations_removed = pruned.removed;
    place.done.generations_retained = pruned.retained;
    place.done.retained_until = pruned.retained_until;
    COFFER_TRY(gone);
    COFFER_ASSIGN(const auto ended, place.repository->EndWriting());
    place.swept = true;
    const bool retains = pruned.retains || ended.refused || ended.kept;
    if (retains && place.destination.kind == BackupKind::kKeys) {
      return KeysRetained(*place.repository);
    }
    return {};
  };
  const auto pruned = prune();
  place.prune_problem = pruned ? std::string() : InWords(pruned.error());
}

Result<std::vector<DestinationPrune>> BackupWriter::PruneNow(const std::string& name, bool dry) {
  if (clock_doubted_()) return Fail(Code::kConflict, "clock_unconfirmed");
  const Timestamp now = std::max(operations_.Now(), last_);
  std::vector<DestinationPrune> pruned;
  for (Place& place : places_) {
    const BackupDestination& destination = place.destination;
    if (!name.empty() && destination.name != name) continue;
    DestinationPrune& done =
        pruned.emplace_back(DestinationPrune{destination.name, destination.kind, {}, {}, {}});
    const auto prune = [&]() -> Status {
      COFFER_ASSIGN(const auto repository, OpenDestination(destination));
      const KeepRule rule = RuleOf(destination, now, TrustedKeys());
      if (dry) {
        COFFER_ASSIGN(auto plan, PlanPrune(repository, rule));
        done.kept = std::move(plan.kept);
        done.kept.insert(done.kept.end(), plan.unreadable.begin(), plan.unreadable.end());
        std::ranges::sort(done.kept, std::greater());
        done.removed = std::move(plan.old);
        return plan.unreadable.empty() ? Status()
                                       : UnreadableGeneration(repository, plan.unreadable.back());
      }
      COFFER_ASSIGN(const auto claim, repository.Take());
      COFFER_ASSIGN(const auto before, repository.ListGenerations());
      // What dies on its way is swept by the next one.
      COFFER_ASSIGN(const bool unfinished, repository.BeginWriting());
      Pace pace{std::chrono::steady_clock::now(), operations_.engine().requests()};
      Pruned what;
      auto went = PruneRepository(repository, rule, unfinished, [&] { return GoOn(pace); }, what);
      if (went) {
        COFFER_ASSIGN(const auto ended, repository.EndWriting());
        what.retains = what.retains || ended.refused || ended.kept;
      }
      // As it is there now, and not as it was meant to be.
      COFFER_ASSIGN(const auto after, repository.ListGenerations());
      for (const std::string& generation : before | std::views::reverse) {
        const bool stays = std::ranges::binary_search(after, generation);
        (stays ? done.kept : done.removed).push_back(generation);
      }
      if (went && what.retains && destination.kind == BackupKind::kKeys) {
        went = KeysRetained(repository);
      }
      place.prune_problem = went ? std::string() : InWords(went.error());
      TellOfPrune(place);
      return went;
    };
    if (const auto done_so = prune(); !done_so) done.problem = InWords(done_so.error());
  }
  return pruned;
}

// A place that is slow must not fill the vault's own disk.
Status BackupWriter::CheckRoom() const {
  if (interrupted()) return Fail(Code::kUnavailable, "stopping");
  if (operations_.engine().Statistics().wal_frames > kMostWalFrames) {
    return Fail(Code::kExhausted, "wal_too_long", "the copy takes too long");
  }
  return {};
}

// While others ask for something, it rests for longer than it works: of two processors it would
// have one.
Status BackupWriter::GoOn(Pace& pace) const {
  COFFER_TRY(CheckRoom());
  const std::uint64_t requests = operations_.engine().requests();
  if (requests != pace.requests) {
    const auto worked = std::chrono::steady_clock::now() - pace.since;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(worked * 2, kLongestRest));
  }
  pace = {std::chrono::steady_clock::now(), requests};
  return {};
}

std::vector<audit::VerifierKey> BackupWriter::TrustedKeys() const {
  return VerifierKeysOf(operations_.keyring());
}

Status BackupWriter::CopyTo(Place& place, const VaultSnapshot& snapshot, const BackupRun& run,
                            Pace& pace) const {
  const Repository& repository = *place.repository;
  PageFigures& figures = place.done.figures;
  audit::BackupManifest manifest{run.created,    {},
                                 run.generation, repository.kind(),
                                 run.log_size,   operations_.keyring().log_origin()};
  Chain chain;
  const auto add_pages = [&](const std::string& name, const PagedFile& file) -> Status {
    COFFER_ASSIGN(const Hash list, StorePages(
                                       file, repository, ListOf(place.earlier, name),
                                       [&] { return GoOn(pace); }, figures));
    manifest.files.push_back({name, list, file.bytes, true});
    chain.base_bytes += file.bytes;
    return {};
  };
  if (repository.kind() == BackupKind::kKeys) {
    COFFER_TRY(add_pages("keys.db", PagesOf(*snapshot.keys)));
  } else {
    COFFER_TRY(add_pages("erasures.ledger", LedgerOf(snapshot, files_.ledger)));
    COFFER_TRY(add_pages("vault.db", PagesOf(snapshot.vault)));
  }
  for (const auto& [name, content] : ShortFilesOf(snapshot, repository.kind())) {
    bool written = false;
    COFFER_ASSIGN(const Hash object, repository.Put(content, written));
    if (written) figures.bytes_stored += content.size();
    manifest.files.push_back({name, object, content.size(), false});
    chain.short_files.emplace(name, object);
  }
  std::ranges::sort(manifest.files, {}, &audit::BackupFile::name);
  COFFER_ASSIGN(const auto note, audit::SignBackupManifest(manifest, *snapshot.signer));
  COFFER_TRY(repository.PutManifest(run.generation, note));
  place.mended = place.damaged;
  chain.repository = repository.id();
  chain.base = run.generation;
  chain.signer = snapshot.signer->public_key();
  chain.previous = crypto::Sha256(crypto::AsBytes(note));
  chain.created = run.created;
  chain.keys_changed = keys_changed_;
  chain.ledger_bytes = snapshot.ledger_bytes;
  place.chain = std::move(chain);
  return {};
}

struct BackupWriter::Increment {
  Place& place;
  ChangeWriter changes;
  Chain next;  // as the chain is after it
};

Result<BackupWriter::Increment> BackupWriter::Collect(Place& place,
                                                      const VaultSnapshot& snapshot) const {
  Increment increment{place, ChangeWriter(*place.repository), *place.chain};
  Chain& next = increment.next;
  const auto add = [&](std::string_view name, const PagedFile& file, std::uint64_t at,
                       std::uint64_t count) -> Status {
    COFFER_TRY(CheckRoom());
    Bytes content(static_cast<std::size_t>(count));
    COFFER_TRY(file.read(at, content));
    return increment.changes.Add({name, file.bytes, at, content});
  };
  const auto add_pages = [&](std::string_view name, const PageImage& image) -> Status {
    constexpr std::uint64_t kPage = PageImage::kPageBytes;
    const PagedFile file = PagesOf(image);
    return next.pending.ForEachRun(image.pages(), kPagesOfRun,
                                   [&](std::uint64_t first, std::uint64_t count) {
                                     return add(name, file, first * kPage, count * kPage);
                                   });
  };
  if (place.destination.kind == BackupKind::kKeys) {
    COFFER_TRY(add_pages("keys.db", *snapshot.keys));
  } else {
    const PagedFile ledger = LedgerOf(snapshot, files_.ledger);
    while (next.ledger_bytes < ledger.bytes) {
      const std::uint64_t count =
          std::min(ledger.bytes - next.ledger_bytes, kPagesOfRun * PageImage::kPageBytes);
      COFFER_TRY(add("erasures.ledger", ledger, next.ledger_bytes, count));
      next.ledger_bytes += count;
    }
    COFFER_TRY(add_pages("vault.db", snapshot.vault));
  }
  next.pending = {};
  for (const auto& [name, content] : ShortFilesOf(snapshot, place.destination.kind)) {
    Hash& before = next.short_files[name];
    const Hash now = crypto::Sha256(content);
    if (std::exchange(before, now) == now) continue;
    // By which the signatures are looked at: a generation stands on its own.
    if (name == kKeyringName) return Fail(Code::kConflict, "keyring_changed");
    COFFER_TRY(increment.changes.Add({name, content.size(), 0, content}));
  }
  return increment;
}

Status BackupWriter::Write(Increment& increment, std::uint64_t log_size) const {
  Place& place = increment.place;
  Chain& next = increment.next;
  next.keys_changed = keys_changed_;
  // Also where nothing but the time of the keys is another: the data says which keys it needs.
  if (increment.changes.empty() && next.keys_changed == place.chain->keys_changed) return {};
  COFFER_ASSIGN(auto objects, increment.changes.Finish());
  const audit::BackupIncrement document{.base = next.base,
                                        .changes = std::move(objects),
                                        .created = last_,
                                        .keys_changed = keys_changed_,
                                        .kind = place.destination.kind,
                                        .log_size = log_size,
                                        .n = next.n + 1,
                                        .previous = next.previous,
                                        .vault = operations_.keyring().log_origin()};
  const auto held = operations_.keyring().log_keys();
  const auto signer = std::ranges::find(
      held, next.signer, [](const auto& one) -> const auto& { return one.key->public_key(); });
  if (signer == held.end()) return Fail(Code::kConflict, "keyring_changed");
  COFFER_ASSIGN(const auto note, audit::SignBackupIncrement(document, *signer->key));
  COFFER_TRY(place.repository->PutIncrement(document.base, document.n, note));
  next.n = document.n;
  next.previous = crypto::Sha256(crypto::AsBytes(note));
  next.bytes += increment.changes.bytes();
  place.chain = std::move(next);
  return {};
}

Status BackupWriter::WriteIncrements() {
  const Timestamp looked = operations_.Now();
  const bool all_there = std::ranges::all_of(places_, [](const Place& place) {
    return !place.chain || (place.done.problem.empty() && place.chain->pending.empty());
  });
  if (StoredBy(operations_.engine().Statistics()) == seen_ && all_there) {
    for (Place& place : places_) Tell(place, looked);
    return {};
  }
  for (Place& place : places_) {
    if (!place.chain) continue;
    Open(place, false);
    if (place.repository && place.repository->id() != place.chain->repository) {
      place.done.problem = "repository_changed: another one is in " + place.repository->path();
      place.chain.reset();
    }
  }
  COFFER_ASSIGN(auto taken, Snapshot());
  std::optional<VaultSnapshot> snapshot(std::move(taken));
  const std::uint64_t log_size = snapshot->log_size;
  const auto attempt = [this](Place& place, auto&& work) {
    if (auto done = work(); !done) {
      place.done.problem = InWords(done.error());
      // Somebody else writes behind the same generation, what is before is not there any more, or
      // it has become too much for one.
      const Code code = done.error().code;
      if (code == Code::kConflict || code == Code::kTooLarge) place.chain.reset();
      if (done.error().reason == "increment_missing" && operations_.log()) {
        operations_.log()(Severity::kWarning,
                          "what was copied to " + place.destination.name + " is gone from there (" +
                              done.error().detail +
                              "): until the next generation, which is made now, what it had could "
                              "not be restored");
      }
    }
  };
  // What erasures and the write-ahead log wait for is let go before a destination is waited for.
  std::vector<Increment> collected;
  for (const BackupKind kind : {BackupKind::kKeys, BackupKind::kData}) {
    for (Place& place : places_) {
      if (!place.chain || !place.usable() || place.destination.kind != kind) continue;
      attempt(place, [&]() -> Status {
        COFFER_ASSIGN(auto increment, Collect(place, *snapshot));
        collected.push_back(std::move(increment));
        return {};
      });
    }
    snapshot->keys.reset();
  }
  snapshot.reset();
  for (Increment& increment : collected) {
    attempt(increment.place, [&] { return Write(increment, log_size); });
  }
  for (Place& place : places_) {
    Tell(place);
    place.End();
  }
  return {};
}

void BackupWriter::Tell(const Place& place, Timestamp until) {
  const std::lock_guard lock(mutex_);
  DestinationProgress& progress = progress_[static_cast<std::size_t>(&place - places_.data())];
  progress.problem = place.done.problem;
  if (place.chain) {
    progress.generation = place.chain->created;
    progress.increments = place.chain->n;
    if (place.done.problem.empty() && place.chain->pending.empty()) {
      progress.until = std::max(until, last_);
    }
  }
  progress.prune_problem = place.prune_problem;
  needs_generation_ = std::ranges::any_of(places_, &Place::lacks);
}

void BackupWriter::TellOfPrune(const Place& place) {
  const std::lock_guard lock(mutex_);
  progress_[static_cast<std::size_t>(&place - places_.data())].prune_problem = place.prune_problem;
}

std::vector<DestinationProgress> BackupWriter::Progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

bool BackupWriter::NeedsGeneration() const {
  const std::lock_guard lock(mutex_);
  return needs_generation_;
}

}  // namespace coffer::vault
