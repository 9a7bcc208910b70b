#include "vault/drill.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "audit/documents/backup_increment.h"
#include "audit/entries/entry.h"
#include "audit/entries/log_reader.h"
#include "audit/entries/succession.h"
#include "audit/tlog/merkle.h"
#include "crypto/encoding.h"
#include "crypto/keyring.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/change_set.h"
#include "vault/backup/scratch_place.h"
#include "vault/deletion/act_replay.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/verify_directory.h"
#include "vault/rooms.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/vault_database.h"
#include "vault/vault_options.h"

namespace coffer::vault {
namespace {

using audit::DrillComparison;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kRoomBeside = std::uint64_t{32} << 20;
constexpr std::size_t kDrillKeyCache = 4096;
constexpr int kDrillPageCacheMib = 32;

std::uint64_t MillisecondsSince(SteadyClock::time_point began) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - began).count());
}

// What says something of the backup, and not of this machine or of who asks.
bool IsDamage(const Error& error) {
  static constexpr std::array kMissing = {
      std::string_view("object_missing"), std::string_view("increment_missing"),
      std::string_view("keys_generation_missing"), std::string_view("keyring_generation_missing")};
  return error.code == Code::kCorrupted ||
         (error.code == Code::kNotFound &&
          std::ranges::find(kMissing, error.reason) != kMissing.end());
}

// The provider that was opened once is used by all who need one.
class SharedRoot : public crypto::RootKeyProvider {
 public:
  explicit SharedRoot(std::shared_ptr<crypto::RootKeyProvider> root) : root_(std::move(root)) {}
  std::string_view kind() const override { return root_->kind(); }
  const crypto::TokenRoot* token() const override { return root_->token(); }
  Result<Bytes> Wrap(const crypto::SecretBytes& key, std::string_view context) override {
    return root_->Wrap(key, context);
  }
  Result<crypto::SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    return root_->Unwrap(wrapped, context);
  }

 private:
  const std::shared_ptr<crypto::RootKeyProvider> root_;
};

// While it lives, what looks for a place for temporary files finds this one. For a process of one
// thread.
class TemporariesIn {
 public:
  explicit TemporariesIn(const std::string& directory) {
    const char* const before = std::getenv(kName);
    if (before != nullptr) before_ = before;
    setenv(kName, directory.c_str(), 1);
  }
  ~TemporariesIn() { before_ ? setenv(kName, before_->c_str(), 1) : unsetenv(kName); }
  TemporariesIn(const TemporariesIn&) = delete;
  TemporariesIn& operator=(const TemporariesIn&) = delete;

 private:
  static constexpr const char* kName = "TMPDIR";
  std::optional<std::string> before_;
};

// By the generation and its last increment, as they say themselves. What cannot be read is for the
// restore to name.
std::uint64_t BytesRestoredFrom(const Repository& repository, const std::string& generation) {
  std::map<std::string, std::uint64_t, std::less<>> sizes;
  const auto add = [&]() -> Status {
    COFFER_ASSIGN(const auto note, repository.GetManifest(generation));
    COFFER_ASSIGN(const auto manifest, audit::ReadBackupManifest(note));
    for (const auto& file : manifest.files) sizes[file.name] = file.size;
    COFFER_ASSIGN(const auto increments, repository.ListIncrements());
    const auto found = increments.find(generation);
    if (found == increments.end() || found->second.empty()) return {};
    COFFER_ASSIGN(const auto last, repository.GetIncrement(generation, found->second.back()));
    COFFER_ASSIGN(const auto increment, audit::ReadBackupIncrement(last));
    return ReadChanges(repository, increment.changes, [&](const FileChange& change) -> Status {
      std::uint64_t& size = sizes[std::string(change.name)];
      size = std::max(size, change.file_bytes);
      return {};
    });
  };
  (void)add();
  std::uint64_t bytes = 0;
  for (const auto& [name, size] : sizes) bytes += size;
  return bytes;
}

class DrillRun {
 public:
  DrillRun(const DrillRequest& request, const OpenRootKeyFor& open_root, std::string scratch)
      : request_(request),
        open_root_(open_root),
        clock_(request.clock != nullptr ? *request.clock : audit::SystemClock()),
        scratch_(std::move(scratch)),
        vault_(scratch_ + "/vault") {}

  Result<Drill> Run() {
    report_.started = clock_.Now();
    COFFER_TRY(CheckRoom());
    for (const auto step :
         {&DrillRun::Restore, &DrillRun::Compare, &DrillRun::Open, &DrillRun::Verify}) {
      const auto done = (this->*step)();
      if (!done && !IsDamage(done.error())) return std::unexpected(done.error());
      if (!done) Find(InWords(done.error()));
      if (!done && step == &DrillRun::Restore && !keyring_) return std::unexpected(done.error());
      if (!done) break;
    }
    report_.finished = std::max(clock_.Now(), report_.started);
    report_.outcome =
        report_.findings.empty() ? audit::DrillOutcome::kPassed : audit::DrillOutcome::kFailed;
    report_.log = keyring_->log_origin();
    report_.vault = crypto::Base32Encode(keyring_->vault_id());
    COFFER_ASSIGN(auto note, audit::WriteDrillReport(report_, keyring_->log_origin(),
                                                     *keyring_->log_signing_key()));
    return Drill{std::move(report_), std::move(note)};
  }

 private:
  void Find(std::string_view text) {
    if (report_.findings.size() < audit::kMaxDrillFindings) {
      report_.findings.push_back(audit::DrillText(text));
    }
  }

  // Half as much again for what a start and a verification write beside.
  Status CheckRoom() {
    COFFER_ASSIGN(const auto data, Repository::Open(request_.restore.data_repository));
    COFFER_ASSIGN(const auto keys, Repository::Open(request_.restore.keys_repository));
    report_.data_repository = data.id();
    report_.keys_repository = keys.id();
    std::uint64_t bytes = 0;
    COFFER_ASSIGN(const auto generations, data.ListGenerations());
    if (!generations.empty()) {
      bytes += BytesRestoredFrom(data, request_.restore.generation.empty()
                                           ? generations.back()
                                           : request_.restore.generation);
    }
    COFFER_ASSIGN(const auto of_keys, keys.ListGenerations());
    if (!of_keys.empty()) bytes += BytesRestoredFrom(keys, of_keys.back());
    const std::uint64_t needed = bytes + bytes / 2 + kRoomBeside;
    COFFER_ASSIGN(const std::uint64_t free, RoomIn(scratch_));
    const std::uint64_t room = std::min(free, request_.most_bytes.value_or(free));
    if (needed <= room) return {};
    return Fail(Code::kUnavailable, "scratch_too_small",
                request_.scratch + ": the drill needs some " + std::to_string(needed) +
                    " bytes, and may use " + std::to_string(room));
  }

  Status Restore() {
    const auto began = SteadyClock::now();
    RestoreRequest request = request_.restore;
    request.directory = vault_;
    const auto restored =
        RestoreVault(request, [&](const std::string& directory) { return OpenRoot(directory); });
    report_.restore_ms = MillisecondsSince(began);
    if (!restored) return std::unexpected(restored.error());
    report_.generation = restored->generation;
    report_.keys_generation = restored->keys_generation;
    report_.increments = restored->increments;
    report_.moment = restored->created;
    report_.log_size = restored->log_size;
    return OpenKeyring();
  }

  // With the first keyring that it opens: who signs the report also where the restore fails.
  Result<std::unique_ptr<crypto::RootKeyProvider>> OpenRoot(const std::string& directory) {
    COFFER_ASSIGN(auto opened, open_root_(directory));
    std::shared_ptr<crypto::RootKeyProvider> root = std::move(opened);
    roots_.push_back(root);
    if (!keyring_) {
      if (auto keyring = crypto::Keyring::Open(KeyringPath(directory), *root)) {
        keyring_ = *std::move(keyring);
      }
    }
    return std::make_unique<SharedRoot>(std::move(root));
  }

  // That of the copy.
  Status OpenKeyring() {
    Status opens;
    for (const auto& root : roots_) {
      auto keyring = crypto::Keyring::Open(KeyringPath(vault_), *root);
      opens = keyring ? Status() : std::unexpected(keyring.error());
      if (!keyring) continue;
      keyring_ = *std::move(keyring);
      root_ = root.get();
      return {};
    }
    return opens;
  }

  Result<Database> OpenCopy() const {
    COFFER_ASSIGN(VaultDatabase opened,
                  OpenVaultDatabase(VaultDatabasePath(vault_), *keyring_, {.read_only = true}));
    return std::move(opened.database);
  }

  Result<audit::Checkpoint> Trusted(const std::string& note) const {
    std::vector<audit::VerifierKey> keys = VerifierKeysOf(*keyring_);
    std::ranges::copy(request_.log_keys, std::back_inserter(keys));
    std::string why;
    for (const auto& key : keys) {
      auto checkpoint = audit::VerifyCheckpoint(note, key);
      if (checkpoint) return checkpoint;
      why = checkpoint.error().reason;
    }
    return Fail(Code::kInvalidArgument, "checkpoint_unusable",
                why +
                    ": it is of another log, or the log's key was exchanged since the backup: "
                    "give that of now");
  }

  // The log as it was restored, before anything is appended to it.
  Status Compare() {
    COFFER_ASSIGN(auto database, OpenCopy());
    COFFER_ASSIGN(const auto log, LogStore::Open(database));
    COFFER_ASSIGN(const std::uint64_t size, log->Size());
    if (size != report_.log_size) {
      Find("the log has " + std::to_string(size) + " entries, the backup says " +
           std::to_string(report_.log_size));
      report_.log_size = size;
    }
    const auto read = audit::MakeHashReader(*log, size);
    COFFER_ASSIGN(report_.root, audit::RootAt(size, read));
    for (const std::string& note : request_.checkpoints) {
      COFFER_ASSIGN(const auto checkpoint, Trusted(note));
      // What the copy's log took the place of is not compared by a prefix.
      const bool closed = checkpoint.origin != keyring_->log_origin() &&
                          audit::IsOrSucceeds(keyring_->log_origin(), checkpoint.origin);
      if (closed) continue;
      COFFER_ASSIGN(const auto comparison, CompareWith(checkpoint, read));
      const bool differs = comparison == DrillComparison::kDiffers;
      if (differs) {
        Find("the restored log is not the one that was signed with " +
             std::to_string(checkpoint.size) + " entries");
      }
      const bool worse = report_.comparison == DrillComparison::kDiffers;
      if (!differs && (worse || checkpoint.size < report_.compared_size)) continue;
      report_.comparison = comparison;
      report_.compared_size = checkpoint.size;
    }
    return {};
  }

  Result<DrillComparison> CompareWith(const audit::Checkpoint& checkpoint,
                                      const audit::HashReader& read) const {
    const std::uint64_t size = report_.log_size;
    if (checkpoint.size <= size) {
      COFFER_ASSIGN(const auto root, audit::RootAt(checkpoint.size, read));
      return root == checkpoint.root ? DrillComparison::kContains : DrillComparison::kDiffers;
    }
    if (!request_.prove) return DrillComparison::kUnproven;
    const auto proof = request_.prove(size, checkpoint.size);
    if (!proof) return DrillComparison::kUnproven;
    const auto holds =
        audit::VerifyConsistency(size, report_.root, checkpoint.size, checkpoint.root, *proof);
    return holds ? DrillComparison::kContinues : DrillComparison::kDiffers;
  }

  Status Open() {
    const auto began = SteadyClock::now();
    {
      VaultOptions options;
      options.directory = vault_;
      options.open_restored_copy = true;
      options.require_locked_memory = false;
      options.key_cache_entries = kDrillKeyCache;
      options.page_cache_mib = kDrillPageCacheMib;
      options.clock = &clock_;
      COFFER_ASSIGN(const OpenedRooms opened, OpenRooms(options, *root_, OpenFor::kRehearsal));
      opened.rooms->engine->Stop();
    }
    report_.open_ms = MillisecondsSince(began);
    return CountRepeated();
  }

  // What the opening did, by the entries it made.
  Status CountRepeated() {
    COFFER_ASSIGN(auto database, OpenCopy());
    COFFER_ASSIGN(const auto log, LogStore::Open(database));
    COFFER_ASSIGN(const Repeated repeated,
                  ReadRepeated(*log, report_.log_size, [&](const audit::Entry& entry) {
                    if (entry.action != "integrity.alarm") return;
                    Find("at the opening: " + entry.outcome + ": " + entry.detail);
                  }));
    report_.erasures_repeated = repeated.erasures;
    report_.acts_repeated = repeated.acts;
    report_.acts_not_repeated = repeated.acts_left;
    return {};
  }

  Status Verify() {
    const auto began = SteadyClock::now();
    const std::string temporaries = scratch_ + "/tmp";
    if (mkdir(temporaries.c_str(), 0700) != 0) {
      return Fail(Code::kUnavailable, "file_not_written",
                  temporaries + ": " + std::strerror(errno));
    }
    const TemporariesIn here(temporaries);
    OfflineVerifyOptions options;
    options.directory = vault_;
    options.deep = true;
    COFFER_ASSIGN(const DeepReport found, VerifyDirectory(options, *root_));
    report_.verify_ms = MillisecondsSince(began);
    report_.clients = found.clients_checked;
    report_.records = found.records_checked;
    report_.versions = found.versions_checked;
    for (const auto& finding : found.log.findings) {
      Find((finding.seq ? "entry " + std::to_string(*finding.seq) + ": " : std::string()) +
           finding.message);
    }
    return {};
  }

  const DrillRequest& request_;
  const OpenRootKeyFor& open_root_;
  const audit::Clock& clock_;
  const std::string scratch_, vault_;
  std::vector<std::shared_ptr<crypto::RootKeyProvider>> roots_;
  crypto::RootKeyProvider* root_ = nullptr;  // that of the copy
  std::optional<crypto::Keyring> keyring_;
  audit::DrillReport report_;
};

}  // namespace

Result<Drill> RunDrill(const DrillRequest& request, const OpenRootKeyFor& open_root) {
  for (const StorePlace* place :
       {&request.restore.data_repository, &request.restore.keys_repository}) {
    if (place->in_s3() || !PlaceOf(request.scratch).starts_with(PlaceOf(place->where))) continue;
    return Fail(Code::kConflict, "scratch_unfit",
                request.scratch + " lies in the repository " + place->where);
  }
  COFFER_ASSIGN(auto scratch, ScratchPlace::Make(request.scratch));
  auto drill = DrillRun(request, open_root, scratch.path()).Run();
  COFFER_TRY(scratch.Destroy());
  return drill;
}

}  // namespace coffer::vault
