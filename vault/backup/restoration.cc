#include "vault/backup/restoration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <system_error>
#include <utility>

#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "crypto/keyring.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/change_set.h"
#include "vault/backup/moment.h"
#include "vault/backup/page_list.h"
#include "vault/backup/restored_copy.h"
#include "vault/backup/restored_keyring.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"

namespace coffer::vault {
namespace {

std::unexpected<Error> NotWritten(const std::string& path) {
  return Fail(Code::kUnavailable, "file_not_written", path + ": " + std::strerror(errno));
}

// A new file, or a directory; closed when it goes out of scope.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : path_(path), fd_(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool opened() const { return fd_ >= 0; }
  Status Write(std::uint64_t at, ByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (put < 0) return NotWritten(path_);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      at += static_cast<std::uint64_t>(put);
    }
    return {};
  }
  Status Truncate(std::uint64_t size) const {
    return ftruncate(fd_, static_cast<off_t>(size)) == 0 ? Status() : NotWritten(path_);
  }
  Status Sync() const { return fsync(fd_) == 0 ? Status() : NotWritten(path_); }

 private:
  const std::string path_;
  const int fd_;
};

Status CopyFile(const Repository& repository, const audit::BackupManifest& manifest,
                std::string_view name, const std::string& path) {
  COFFER_ASSIGN(const auto file, FileOf(manifest, name));
  const Descriptor out(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!out.opened()) return NotWritten(path);
  if (file.paged) {
    COFFER_TRY(ReadPages(repository, file.object, file.size,
                         [&](std::uint64_t at, ByteView page) { return out.Write(at, page); }));
  } else {
    COFFER_ASSIGN(const Bytes content, repository.Get(file.object));
    COFFER_TRY(out.Write(0, content));
  }
  return out.Sync();
}

std::unexpected<Error> NoKeyringFits(const std::string& keys_generation,
                                     const std::string& generation, const std::string& why) {
  return Fail(Code::kNotFound, "keyring_generation_missing",
              "the keys of clients are of " + keys_generation + ", the log is of " + generation +
                  ", and keys were exchanged in between: no keyring.json that this root key opens "
                  "has all that they need, nor do two together; restore " +
                  keys_generation + " or a later one, or give the root key of then" +
                  (why.empty() ? "" : "; " + why));
}

Result<Repository> OpenOfKind(const StorePlace& place, BackupKind kind) {
  COFFER_ASSIGN(auto repository, Repository::Open(place));
  if (repository.kind() != kind) {
    return Fail(Code::kConflict, "repository_of_other_kind",
                place.where + " is one of " + std::string(Name(repository.kind())));
  }
  return repository;
}

// The directory that is made; what stands in it goes again unless it is kept.
class Target {
 public:
  static Result<Target> Make(const std::string& directory) {
    Target target(directory);
    target.made_ = mkdir(directory.c_str(), 0700) == 0;
    if (!target.made_ && errno != EEXIST) return NotWritten(directory);
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error)) {
      return Fail(Code::kUnavailable, "file_not_written", directory + " is no directory");
    }
    target.empty_ = std::filesystem::is_empty(directory, error);
    if (error) {
      return Fail(Code::kUnavailable, "file_not_written", directory + ": " + error.message());
    }
    if (!target.empty_) {
      return Fail(Code::kConflict, "directory_not_empty",
                  directory +
                      (std::filesystem::exists(directory + "/unfinished", error)
                           ? " has what a coffer restore left that was interrupted"
                           : "") +
                      ": empty it, or choose another");
    }
    return target;
  }
  Target(Target&& other) noexcept
      : path_(other.path_), made_(other.made_), empty_(std::exchange(other.empty_, false)) {}
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  Target& operator=(Target&&) = delete;
  ~Target() {
    if (!empty_) return;
    std::error_code ignored;
    for (std::filesystem::directory_iterator at(path_, ignored), end; at != end;
         at.increment(ignored)) {
      std::filesystem::remove_all(at->path(), ignored);
    }
    if (made_) rmdir(path_.c_str());
  }
  void Keep() { empty_ = false; }

 private:
  explicit Target(std::string path) : path_(std::move(path)) {}
  const std::string path_;
  bool made_ = false;   // by this
  bool empty_ = false;  // it was, and nothing in it is to be kept
};

// A file of the generation, by where it goes; then what the increments change in it.
using Places = std::map<std::string, std::string, std::less<>>;

Status RestoreFiles(const Repository& repository, const Moment& moment, const Places& places) {
  struct Changed {
    std::unique_ptr<Descriptor> file;
    std::uint64_t bytes = 0;
  };
  std::map<std::string, Changed, std::less<>> changed;
  for (const auto& [name, path] : places) {
    COFFER_TRY(CopyFile(repository, moment.manifest, name, path));
  }
  const auto write = [&](const FileChange& change) -> Status {
    const auto place = places.find(change.name);
    if (place == places.end()) return {};
    Changed& into = changed[place->first];
    if (!into.file) into.file = std::make_unique<Descriptor>(place->second, O_WRONLY);
    if (!into.file->opened()) return NotWritten(place->second);
    into.bytes = change.file_bytes;
    return into.file->Write(change.at, change.content);
  };
  for (const auto& increment : moment.increments) {
    Status read = ReadChanges(repository, increment.changes, write);
    if (read) continue;
    const Code code = read.error().code;
    if (code != Code::kNotFound && code != Code::kCorrupted) return read;
    return OfIncrement(repository, increment.base, increment.n, std::move(read).error());
  }
  for (const auto& [name, into] : changed) {
    COFFER_TRY(into.file->Truncate(into.bytes));
    COFFER_TRY(into.file->Sync());
  }
  return {};
}

struct Repositories {
  Repository data, keys;
  std::vector<std::string> generations;  // of the data
  Repository::Increments increments;
};

Result<Repositories> OpenRepositories(const RestoreRequest& request) {
  COFFER_ASSIGN(auto data, OpenOfKind(request.data_repository, BackupKind::kData));
  COFFER_ASSIGN(auto keys, OpenOfKind(request.keys_repository, BackupKind::kKeys));
  // Each has the name that the log had when it was made.
  if (data.owner().vault_id != keys.owner().vault_id ||
      !audit::IsSameLog(data.owner().vault, keys.owner().vault)) {
    return Fail(Code::kConflict, "repository_of_other_vault",
                "one is of " + data.owner().vault + ", vault " + data.owner().vault_id +
                    ", the other of " + keys.owner().vault + ", vault " + keys.owner().vault_id);
  }
  for (const Repository* repository : {&data, &keys}) {
    if (PlaceOf(request.directory).starts_with(PlaceOf(repository->path()))) {
      return Fail(Code::kConflict, "directory_not_empty",
                  request.directory + " lies in the repository " + repository->path());
    }
  }
  COFFER_ASSIGN(auto generations, data.ListGenerations());
  COFFER_ASSIGN(auto increments, data.ListIncrements());
  if (generations.empty()) {
    return Fail(Code::kNotFound, "generation_missing", data.path() + " has no generation");
  }
  return Repositories{std::move(data), std::move(keys), std::move(generations),
                      std::move(increments)};
}

// The place of the generation that is asked for among them.
Result<std::size_t> ChooseGeneration(const Repositories& from, const RestoreRequest& request) {
  const auto& generations = from.generations;
  if (!request.generation.empty()) {
    const auto found = std::ranges::find(generations, request.generation);
    if (found != generations.end()) return static_cast<std::size_t>(found - generations.begin());
    return Fail(Code::kNotFound, "generation_missing",
                from.data.path() + " has no " + request.generation);
  }
  if (!request.at) {
    // By name, which is by time.
    const auto last =
        from.increments.empty() ? from.increments.end() : std::prev(from.increments.end());
    if (last == from.increments.end() || last->first <= generations.back()) {
      return generations.size() - 1;
    }
    return Fail(Code::kNotFound, "generation_missing",
                from.data.path() + " has increments of " + last->first +
                    ", and not that generation: what was written last cannot be restored from "
                    "it. --generation " +
                    generations.back() + " restores the newest that is there");
  }
  for (std::size_t i = generations.size(); i-- > 0;) {
    COFFER_ASSIGN(const auto manifest, VerifiedManifest(from.data, generations[i], {}));
    if (manifest.created <= *request.at) return i;
  }
  return Fail(
      Code::kNotFound, "generation_missing",
      from.data.path() + " has none of " + audit::FormatTimestamp(*request.at) + " or before");
}

// The first moment of the keys from `since` on that `take` can restore: of one that is damaged a
// later one has all that is left to be read.
Result<Moment> ChooseKeys(const Repository& keys, Timestamp since,
                          std::span<const audit::VerifierKey> trusted,
                          const std::function<Status(const Moment&)>& take) {
  COFFER_ASSIGN(const auto generations, keys.ListGenerations());
  COFFER_ASSIGN(auto increments, keys.ListIncrements());
  // From the newest that is not later on: its increments may be.
  std::size_t first = generations.size();
  while (first > 0) {
    const auto note = keys.GetManifest(generations[--first]);
    if (!note && note.error().code == Code::kUnavailable) return std::unexpected(note.error());
    const auto manifest = note ? audit::ReadBackupManifest(*note)
                               : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (manifest && manifest->created <= since) break;
  }
  std::optional<Timestamp> last;
  std::optional<Error> unreadable;  // where none behind it serves either
  for (const std::string& generation : generations | std::views::drop(first)) {
    Timestamp reached{-1};
    const auto more = [&](const audit::BackupIncrement& increment) {
      return std::exchange(reached, increment.created) < since;
    };
    const auto read = [&]() -> Result<Moment> {
      COFFER_ASSIGN(const auto manifest, VerifiedManifest(keys, generation, trusted));
      reached = manifest.created;
      return ReadMoment(keys, generation, increments[generation], more, trusted);
    };
    auto moment = read();
    if (moment && moment->created() >= since) {
      Status taken = take(*moment);
      if (taken) return moment;
      const Code code = taken.error().code;
      if (code != Code::kCorrupted && code != Code::kNotFound) {
        return std::unexpected(std::move(taken).error());
      }
      moment = std::unexpected(std::move(taken).error());
    }
    if (!moment) {
      if (moment.error().code == Code::kUnavailable) return moment;
      if (unreadable) continue;
      unreadable = std::move(moment).error();
      unreadable->detail =
          generation + (unreadable->detail.empty() ? "" : ": ") + unreadable->detail;
      continue;
    }
    last = moment->created();
  }
  if (unreadable) return std::unexpected(*std::move(unreadable));
  return Fail(Code::kNotFound, "keys_generation_missing",
              keys.path() + " has no keys of " + audit::FormatTimestamp(since) + " or later" +
                  (last ? ", the last are of " + audit::FormatTimestamp(*last) +
                              ": --at with that time restores what they open"
                        : ""));
}

}  // namespace

Result<Restored> RestoreVault(const RestoreRequest& request, const OpenRootKeyFor& open_root,
                              const OpenRootKeyFor& later_root) {
  COFFER_ASSIGN(auto from, OpenRepositories(request));
  COFFER_ASSIGN(const std::size_t chosen, ChooseGeneration(from, request));
  const std::string& generation = from.generations[chosen];
  const std::string& newest = from.generations.back();
  const std::string& into = request.directory;
  COFFER_ASSIGN(auto target, Target::Make(into));
  const std::string unfinished = into + "/unfinished";
  if (mkdir(unfinished.c_str(), 0700) != 0) return NotWritten(unfinished);

  // Whose signatures count is in the keyrings, which open with this root key alone.
  COFFER_ASSIGN(auto keyrings,
                RestoredKeyrings::Find(from.data, std::span(from.generations).subspan(chosen),
                                       {open_root, later_root}, unfinished));
  const auto trusted = keyrings.LogKeys();
  const auto wanted = [&](const audit::BackupIncrement& increment) {
    return request.at ? increment.created <= *request.at : request.generation.empty();
  };
  COFFER_ASSIGN(const auto data,
                ReadMoment(from.data, generation, from.increments[generation], wanted, trusted));
  const std::string keys_path = KeysDatabasePath(into);
  const auto take_keys = [&](const Moment& moment) -> Status {
    const Places places = {{"keys.db", keys_path}, {"keys.db.key", KeysDatabaseKeyPath(keys_path)}};
    for (const auto& [name, path] : places) COFFER_TRY(crypto::RemoveFile(path));
    return RestoreFiles(from.keys, moment, places);
  };
  COFFER_ASSIGN(const auto keys, ChooseKeys(from.keys, data.keys_changed(), trusted, take_keys));
  // The newest ledger has all that an earlier one has. What was read already has it, where it is
  // all that there is.
  const bool is_newest = generation == newest && !request.at && request.generation.empty();
  const auto with_ledger = is_newest
                               ? Result<Moment>(data)
                               : ReadMoment(
                                     from.data, newest, from.increments[newest],
                                     [](const audit::BackupIncrement&) { return true; }, trusted);
  if (!with_ledger) {
    const bool unknown = with_ledger.error().reason == "note_signature_missing";
    return Fail(Code::kCorrupted, "later_generation_unreadable",
                InWords(with_ledger.error()) + "; it is of the newest generation, " + newest +
                    ", or behind it: erasures that its ledger has would not be repeated. " +
                    (unknown ? "Where the root key or the key of the log was exchanged since, "
                               "give the newest root key, which leads to later keys, beside the "
                               "one of then (--later-root-key-file) where the latter alone opens "
                               "what is restored. Only where that is somebody else's file, move it "
                               "away"
                             : "Move that file away, and those behind it, to go on without them"));
  }

  COFFER_TRY(RestoreFiles(
      from.data, data, {{"vault.db", VaultDatabasePath(into)}, {"anchor", AnchorPath(into, {})}}));
  COFFER_TRY(RestoreFiles(from.data, *with_ledger, {{"erasures.ledger", LedgerPath(into, {})}}));

  std::string why;
  COFFER_ASSIGN(const OpenedKeyring* const keyring, keyrings.Choose(into, why));
  if (keyring == nullptr) return NoKeyringFits(keys.manifest.generation, generation, why);
  COFFER_TRY(crypto::WriteFileAtomically(KeyringPath(unfinished), keyring->content));
  COFFER_ASSIGN(const LedgerEnd ledger, ReadLedgerEnd(LedgerPath(into, {})));
  RestoredCopy copy{.repository = from.data.id(),
                    .generation = generation,
                    .increments = data.increments.size(),
                    .created = data.created(),
                    .log_size = data.log_size(),
                    .newest_log = keyrings.NewestLogName(*with_ledger),
                    .later_keys = keyrings.LaterLogKeys(keyring->keyring),
                    .ledger = ledger,
                    .signature = {},
                    .settled = std::nullopt};
  copy.Sign(keyring->keyring);
  COFFER_TRY(WriteRestoredCopy(into, copy));

  const Descriptor directory(into, O_RDONLY | O_DIRECTORY);
  if (!directory.opened()) return NotWritten(into);
  COFFER_TRY(directory.Sync());
  const std::string keyring_path = KeyringPath(into);
  if (rename(KeyringPath(unfinished).c_str(), keyring_path.c_str()) != 0) {
    return NotWritten(keyring_path);
  }
  if (rmdir(unfinished.c_str()) != 0) return NotWritten(unfinished);
  COFFER_TRY(directory.Sync());
  target.Keep();
  return Restored{.generation = generation,
                  .increments = data.increments.size(),
                  .keys_generation = keys.manifest.generation,
                  .keys_later = keys.created() > data.created(),
                  .keyring_generation = keyring->generation,
                  .keyring_joined = keyring->joined,
                  .by_later_root = keyring->by_later,
                  .ledger_generation = newest,
                  .created = data.created(),
                  .log_size = data.log_size()};
}

}  // namespace coffer::vault
