#include "vault/backup/backups.h"

#include <algorithm>
#include <fstream>
#include <new>
#include <ranges>
#include <span>
#include <thread>
#include <utility>

#include "crypto/encoding.h"
#include "vault/access/call.h"
#include "vault/backup/prune.h"
#include "vault/base/ids.h"

namespace coffer::vault {
namespace {

// Some 1 GiB.
constexpr std::uint64_t kMostWalFrames = 260'000;
constexpr std::chrono::milliseconds kLongestRest{200};
constexpr std::int64_t kDayOfKeepingMs = std::int64_t{24} * 3600 * 1000;

std::string InWords(const Error& error) {
  std::string text(error.reason);
  if (!error.detail.empty()) text.append(": ").append(error.detail);
  return text;
}

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

std::optional<Hash> ListOf(const std::optional<audit::BackupManifest>& manifest,
                           std::string_view file) {
  if (!manifest) return std::nullopt;
  const auto found = std::ranges::find(manifest->files, file, &audit::BackupFile::name);
  return found != manifest->files.end() && found->paged ? std::optional(found->object)
                                                        : std::nullopt;
}

Repository::Owner OwnerOf(const crypto::Keyring& keyring) {
  return {keyring.log_origin(), crypto::HexEncode(keyring.vault_id())};
}

PagedFile PagesOf(const PageImage& image) {
  return {image.pages() * PageImage::kPageBytes,
          [&image](std::uint64_t at, std::span<std::uint8_t> out) {
            return image.Read(at / PageImage::kPageBytes, out);
          }};
}

}  // namespace

bool BackupRun::complete() const {
  return std::ranges::all_of(
      destinations, [](const DestinationRun& done) { return done.copied && done.problem.empty(); });
}

Result<Repository> Backups::OpenDestination(const BackupDestination& destination) const {
  COFFER_ASSIGN(auto repository, Repository::Open(destination.directory));
  if (repository.kind() != destination.kind) {
    return Fail(Code::kConflict, "repository_of_other_kind",
                destination.directory + " is one of " + std::string(Name(repository.kind())));
  }
  if (repository.owner() != OwnerOf(operations_.keyring())) {
    return Fail(Code::kConflict, "repository_of_other_vault",
                destination.directory + " is one of " + repository.owner().vault + ", vault " +
                    repository.owner().vault_id);
  }
  return repository;
}

DestinationState Backups::StateOf(const BackupDestination& destination) const {
  DestinationState state{destination.name, destination.kind, destination.directory, {}, 0, {}, {}};
  const auto look = [&]() -> Status {
    COFFER_ASSIGN(const auto repository, OpenDestination(destination));
    COFFER_ASSIGN(const auto generations, repository.ListGenerations());
    state.generations = generations.size();
    if (generations.empty()) return {};
    state.newest = generations.back();
    COFFER_ASSIGN(const auto note, repository.GetManifest(generations.back()));
    COFFER_ASSIGN(const auto manifest, audit::ReadBackupManifest(note));
    state.newest_created = manifest.created;
    return {};
  };
  if (const auto looked = look(); !looked) state.problem = InWords(looked.error());
  return state;
}

Result<DestinationState> Backups::InitializeDestination(const Caller& caller,
                                                        const std::string& name) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  const auto& all = options_.backup_destinations;
  const auto found = std::ranges::find(all, name, &BackupDestination::name);
  COFFER_TRY(operations_.Perform(call, [&](Transaction&) -> Status {
    if (found == all.end()) return NotFound(call);
    call.entry.detail = "initialize " + name;
    return {};
  }));
  const auto made =
      Repository::Create(found->directory, found->kind, OwnerOf(operations_.keyring()));
  if (!made) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", made.error().reason, name));
    return std::unexpected(made.error());
  }
  return StateOf(*found);
}

Result<std::vector<DestinationState>> Backups::ListDestinations(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kBackupRead});
  COFFER_TRY(operations_.Perform(call, [](Transaction&) -> Status { return {}; }));
  std::vector<DestinationState> states;
  for (const auto& destination : options_.backup_destinations) {
    states.push_back(StateOf(destination));
  }
  return states;
}

Result<BackupRun> Backups::RunBackup(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  call.entry.detail = "run";
  bool mine = false;
  const Status begun = operations_.Perform(call, [&](Transaction&) -> Status {
    if (options_.backup_destinations.empty()) {
      return Fail(Code::kConflict, "backup_not_configured");
    }
    mine = !running_.exchange(true);
    return mine ? Status() : Fail(Code::kConflict, "backup_running");
  });
  if (!begun) {
    if (mine) running_ = false;
    return std::unexpected(begun.error());
  }
  Result<BackupRun> run;
  try {
    run = Copy();
  } catch (const std::bad_alloc&) {
    run = Fail(Code::kUnavailable, kNoMemory);
  }
  running_ = false;
  if (!run) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", run.error().reason));
    return run;
  }
  std::string detail = run->generation;
  for (const auto& destination : run->destinations) {
    detail += (destination.copied ? " " : " not:") + destination.name;
  }
  COFFER_TRY(
      operations_.LogSystemEvent("backup.ended", run->complete() ? "ok" : "incomplete", detail));
  return run;
}

struct Backups::Place {
  const BackupDestination& destination;
  DestinationRun done;
  std::optional<Repository> repository;  // and this process's claim to write to it
  std::optional<Repository::Claim> claim;
  bool unfinished = false;  // what an earlier run left may be there
};

Result<BackupRun> Backups::Copy() {
  std::vector<Place> places;
  for (const auto& destination : options_.backup_destinations) {
    places.push_back({destination, {destination.name, destination.kind, false, {}, {}, 0}, {}, {}});
    Open(places.back());
  }
  COFFER_ASSIGN(auto snapshot, TakeSnapshot(operations_, files_));
  Pace pace{std::chrono::steady_clock::now(), operations_.engine().requests()};
  BackupRun run;
  run.created = operations_.Now();
  run.generation = BackupId::New(run.created).Text();
  run.log_size = snapshot.log_size;
  // The keys first: their reader keeps erasures waiting.
  for (const BackupKind kind : {BackupKind::kKeys, BackupKind::kData}) {
    for (Place& place : places) {
      if (place.done.kind != kind || !place.done.problem.empty()) continue;
      const auto copied = CopyTo(*place.repository, snapshot, run, place.done.figures, pace);
      place.done.copied = copied.has_value();
      if (!copied) place.done.problem = InWords(copied.error());
    }
    snapshot.keys.reset();
  }
  snapshot = {};
  for (Place& place : places) {
    Prune(place, run.created, pace);
    run.destinations.push_back(std::move(place.done));
  }
  return run;
}

void Backups::Open(Place& place) const {
  const auto open = [&]() -> Status {
    COFFER_ASSIGN(auto repository, OpenDestination(place.destination));
    COFFER_ASSIGN(auto claim, repository.Take());
    place.claim.emplace(std::move(claim));
    place.repository = std::move(repository);
    place.unfinished = true;
    COFFER_ASSIGN(place.unfinished, place.repository->BeginWriting());
    return {};
  };
  if (const auto opened = open(); !opened) place.done.problem = InWords(opened.error());
}

// Also where there was no room for the copy: there above all.
void Backups::Prune(Place& place, Timestamp now, Pace& pace) const {
  if (!place.repository) return;
  const auto prune = [&]() -> Status {
    const std::uint32_t days = place.destination.keep_days;
    std::optional<Timestamp> since;
    if (days > 0 && !clock_doubted_()) since = Timestamp{now.ms - days * kDayOfKeepingMs};
    COFFER_TRY(PruneRepository(
        *place.repository, since, place.unfinished || !place.done.copied,
        [&] { return GoOn(pace); }, place.done.generations_removed));
    return place.repository->EndWriting();
  };
  if (const auto pruned = prune(); !pruned && place.done.problem.empty()) {
    place.done.problem = InWords(pruned.error());
  }
}

// A place that is slow must not fill the vault's own disk. While others ask for something, it rests
// for longer than it works: of two processors it would have one.
Status Backups::GoOn(Pace& pace) const {
  if (stopping_) return Fail(Code::kUnavailable, "stopping");
  if (operations_.engine().Statistics().wal_frames > kMostWalFrames) {
    return Fail(Code::kExhausted, "wal_too_long", "the copy takes too long");
  }
  const std::uint64_t requests = operations_.engine().requests();
  if (requests != pace.requests) {
    const auto worked = std::chrono::steady_clock::now() - pace.since;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(worked * 2, kLongestRest));
  }
  pace = {std::chrono::steady_clock::now(), requests};
  return {};
}

std::vector<audit::VerifierKey> Backups::TrustedKeys() const {
  std::vector<audit::VerifierKey> trusted;
  for (const auto& key : operations_.keyring().log_keys()) {
    trusted.push_back({operations_.keyring().log_origin(), key.key.public_key()});
  }
  return trusted;
}

Status Backups::CopyTo(const Repository& repository, const VaultSnapshot& snapshot,
                       const BackupRun& run, PageFigures& figures, Pace& pace) const {
  audit::BackupManifest manifest{run.created,    {},
                                 run.generation, repository.kind(),
                                 run.log_size,   operations_.keyring().log_origin()};
  const auto earlier = NewestOurs(repository, TrustedKeys());
  // By a clock that ran ahead: it would go on being the newest.
  if (earlier && earlier->created > run.created) {
    return Fail(Code::kConflict, "generation_in_future",
                earlier->generation + " is of " + audit::FormatTimestamp(earlier->created) +
                    ": where the clock was wrong then, remove its file from " + repository.path() +
                    "/generations");
  }
  const auto add_pages = [&](const std::string& name, const PagedFile& file) -> Status {
    COFFER_ASSIGN(
        const Hash list,
        StorePages(file, repository, ListOf(earlier, name), [&] { return GoOn(pace); }, figures));
    manifest.files.push_back({name, list, file.bytes, true});
    return {};
  };
  const auto add_file = [&](const std::string& name, ByteView content) -> Status {
    bool written = false;
    COFFER_ASSIGN(const Hash object, repository.Put(content, written));
    if (written) figures.bytes_stored += content.size();
    manifest.files.push_back({name, object, content.size(), false});
    return {};
  };
  if (repository.kind() == BackupKind::kKeys) {
    COFFER_TRY(add_pages("keys.db", PagesOf(*snapshot.keys)));
    COFFER_TRY(add_file("keys.db.key", snapshot.keys_key));
  } else {
    std::ifstream stream(files_.ledger, std::ios::binary);
    const PagedFile ledger{
        snapshot.ledger_bytes, [&](std::uint64_t at, std::span<std::uint8_t> out) -> Status {
          stream.seekg(static_cast<std::streamoff>(at));
          stream.read(reinterpret_cast<char*>(out.data()),
                      static_cast<std::streamsize>(out.size()));
          return stream ? Status() : Fail(Code::kUnavailable, "file_not_read", files_.ledger);
        }};
    COFFER_TRY(add_file("anchor", snapshot.anchor));
    COFFER_TRY(add_pages("erasures.ledger", ledger));
    COFFER_TRY(add_file("keyring.json", snapshot.keyring));
    COFFER_TRY(add_pages("vault.db", PagesOf(snapshot.vault)));
  }
  COFFER_ASSIGN(const auto note,
                audit::SignBackupManifest(manifest, operations_.keyring().log_signing_key()));
  return repository.PutManifest(run.generation, note);
}

}  // namespace coffer::vault
