#include "vault/backup/restoration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ranges>
#include <set>
#include <system_error>
#include <utility>

#include "crypto/atomic_file.h"
#include "crypto/keyring.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/page_list.h"
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
  Status Sync() const { return fsync(fd_) == 0 ? Status() : NotWritten(path_); }

 private:
  const std::string path_;
  const int fd_;
};

Result<audit::BackupFile> FileOf(const audit::BackupManifest& manifest, std::string_view name) {
  const auto found = std::ranges::find(manifest.files, name, &audit::BackupFile::name);
  if (found == manifest.files.end()) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                manifest.generation + " has no " + std::string(name));
  }
  return *found;
}

Status RestoreFile(const Repository& repository, const audit::BackupManifest& manifest,
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

// The keys of the log that a keyring of this root key has, of the generation and of each later one:
// where the log's key was exchanged, what is later is signed by another.
Result<std::vector<audit::VerifierKey>> FindLogKeys(const Repository& repository,
                                                    std::span<const std::string> generations,
                                                    const OpenRootKeyFor& open_root,
                                                    const std::string& work) {
  std::vector<audit::VerifierKey> keys;
  std::set<Hash> seen;
  std::unique_ptr<crypto::RootKeyProvider> root;
  const std::string path = KeyringPath(work);
  for (const auto& generation : generations) {
    const auto read = [&]() -> Status {
      COFFER_ASSIGN(const auto note, repository.GetManifest(generation));
      COFFER_ASSIGN(const auto claimed, audit::ReadBackupManifest(note));
      COFFER_ASSIGN(const auto file, FileOf(claimed, "keyring.json"));
      if (file.paged || !seen.insert(file.object).second) return {};
      COFFER_ASSIGN(const Bytes content, repository.Get(file.object));
      COFFER_TRY(crypto::WriteFileAtomically(path, content));
      if (!root) {
        COFFER_ASSIGN(root, open_root(work));
      }
      COFFER_ASSIGN(const auto keyring, crypto::Keyring::Open(path, *root));
      for (const auto& key : keyring.log_keys()) {
        keys.push_back({keyring.log_origin(), key.key.public_key()});
      }
      return {};
    };
    // That of the generation itself must be there; another's may be anybody's.
    if (auto done = read(); !done && generation == generations.front()) {
      return std::unexpected(std::move(done).error());
    }
  }
  if (unlink(path.c_str()) != 0) return NotWritten(path);
  return keys;
}

Result<Repository> OpenOfKind(const std::string& path, BackupKind kind) {
  COFFER_ASSIGN(auto repository, Repository::Open(path));
  if (repository.kind() != kind) {
    return Fail(Code::kConflict, "repository_of_other_kind",
                path + " is one of " + std::string(Name(repository.kind())));
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
                  directory + ": empty it, or choose another");
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

// What is restored, and what tells of it.
struct Chosen {
  Repository data, keys;
  std::vector<std::string> generations;  // of the data, from the one that is restored on
  std::string keys_generation;
};

Result<Chosen> Choose(const RestoreRequest& request) {
  COFFER_ASSIGN(auto data, OpenOfKind(request.data_repository, BackupKind::kData));
  COFFER_ASSIGN(auto keys, OpenOfKind(request.keys_repository, BackupKind::kKeys));
  if (data.owner() != keys.owner()) {
    return Fail(Code::kConflict, "repository_of_other_vault",
                "one is of " + data.owner().vault + ", vault " + data.owner().vault_id +
                    ", the other of " + keys.owner().vault + ", vault " + keys.owner().vault_id);
  }
  COFFER_ASSIGN(auto generations, data.ListGenerations());
  COFFER_ASSIGN(const auto of_keys, keys.ListGenerations());
  if (generations.empty()) {
    return Fail(Code::kNotFound, "generation_missing", data.path() + " has no generation");
  }
  const std::string wanted = request.generation.empty() ? generations.back() : request.generation;
  const auto found = std::ranges::find(generations, wanted);
  if (found == generations.end()) {
    return Fail(Code::kNotFound, "generation_missing", data.path() + " has no " + wanted);
  }
  const auto with_keys = std::ranges::lower_bound(of_keys, wanted);
  if (with_keys == of_keys.end()) {
    return Fail(Code::kNotFound, "keys_generation_missing",
                keys.path() + " has none of " + wanted + ", and no later one");
  }
  for (const Repository* repository : {&data, &keys}) {
    if (PlaceOf(request.directory).starts_with(PlaceOf(repository->path()))) {
      return Fail(Code::kConflict, "directory_not_empty",
                  request.directory + " lies in the repository " + repository->path());
    }
  }
  generations.erase(generations.begin(), found);
  return Chosen{std::move(data), std::move(keys), std::move(generations), *with_keys};
}

Result<audit::BackupManifest> VerifiedManifest(const Repository& repository,
                                               const std::string& generation,
                                               std::span<const audit::VerifierKey> trusted) {
  COFFER_ASSIGN(const auto note, repository.GetManifest(generation));
  COFFER_ASSIGN(auto manifest, audit::VerifyBackupManifest(note, trusted));
  if (manifest.generation != generation || manifest.kind != repository.kind()) {
    return Fail(Code::kCorrupted, "manifest_malformed", generation + " has another's manifest");
  }
  return manifest;
}

Result<std::uint64_t> CheckObjects(const Repository& repository,
                                   const audit::BackupManifest& manifest, std::set<Hash>& sound) {
  std::uint64_t bytes = 0;
  const auto check = [&](const Hash& object) -> Status {
    if (sound.contains(object)) return {};
    COFFER_ASSIGN(const Bytes content, repository.Get(object));
    bytes += content.size();
    sound.insert(object);
    return {};
  };
  for (const auto& file : manifest.files) {
    if (!file.paged) {
      COFFER_TRY(check(file.object));
      continue;
    }
    COFFER_TRY(ForEachObject(repository, file.object, check));
  }
  return bytes;
}

}  // namespace

Result<Restored> RestoreVault(const RestoreRequest& request, const OpenRootKeyFor& open_root) {
  COFFER_ASSIGN(const auto chosen, Choose(request));
  const Repository &data = chosen.data, &keys = chosen.keys;
  const std::string& into = request.directory;
  COFFER_ASSIGN(auto target, Target::Make(into));
  const std::string unfinished = into + "/unfinished";
  if (mkdir(unfinished.c_str(), 0700) != 0) return NotWritten(unfinished);

  // Whose signatures count is in the keyrings, which open with this root key alone.
  COFFER_ASSIGN(const auto trusted, FindLogKeys(data, chosen.generations, open_root, unfinished));
  COFFER_ASSIGN(const auto manifest, VerifiedManifest(data, chosen.generations.front(), trusted));
  COFFER_ASSIGN(const auto of_keys, VerifiedManifest(keys, chosen.keys_generation, trusted));
  // The newest ledger has all that an earlier one has.
  const auto with_ledger = VerifiedManifest(data, chosen.generations.back(), trusted);
  if (!with_ledger) {
    return Fail(
        Code::kCorrupted, "later_generation_unreadable",
        data.path() + "/generations/" + chosen.generations.back() + " (" +
            std::string(with_ledger.error().reason) +
            "): erasures that its ledger has would not be repeated. Remove the file to go on "
            "without it");
  }

  const std::string keys_path = KeysDatabasePath(into);
  COFFER_TRY(RestoreFile(data, manifest, "keyring.json", KeyringPath(unfinished)));
  COFFER_TRY(RestoreFile(data, manifest, "vault.db", VaultDatabasePath(into)));
  COFFER_TRY(RestoreFile(keys, of_keys, "keys.db", keys_path));
  COFFER_TRY(RestoreFile(keys, of_keys, "keys.db.key", KeysDatabaseKeyPath(keys_path)));
  COFFER_TRY(RestoreFile(data, manifest, "anchor", AnchorPath(into, {})));
  COFFER_TRY(RestoreFile(data, *with_ledger, "erasures.ledger", LedgerPath(into, {})));

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
  return Restored{manifest.generation, of_keys.generation, with_ledger->generation,
                  manifest.created, manifest.log_size};
}

Result<RepositoryReport> VerifyRepository(const std::string& path,
                                          std::span<const audit::VerifierKey> trusted) {
  COFFER_ASSIGN(const auto repository, Repository::Open(path));
  RepositoryReport report{repository.owner().vault, repository.kind(), {}, 0, {}};
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  std::set<Hash> sound;
  for (const auto& generation : generations) {
    const auto check = [&]() -> Status {
      COFFER_ASSIGN(const auto note, repository.GetManifest(generation));
      COFFER_ASSIGN(const auto manifest, trusted.empty()
                                             ? audit::ReadBackupManifest(note)
                                             : audit::VerifyBackupManifest(note, trusted));
      if (manifest.generation != generation || manifest.kind != repository.kind() ||
          manifest.vault != repository.owner().vault) {
        return Fail(Code::kCorrupted, "manifest_malformed", "it is another's");
      }
      COFFER_ASSIGN(const std::uint64_t bytes, CheckObjects(repository, manifest, sound));
      report.bytes += bytes;
      if (generation != generations.back()) return {};
      // That the lists make the files again, too.
      for (const auto& file : manifest.files) {
        if (!file.paged) continue;
        COFFER_TRY(ReadPages(repository, file.object, file.size,
                             [](std::uint64_t, ByteView) { return Status(); }));
      }
      return {};
    };
    if (const auto checked = check(); checked) {
      report.generations.push_back(generation);
    } else {
      report.findings.push_back(generation + ": " + std::string(checked.error().reason) +
                                (checked.error().detail.empty() ? "" : ": ") +
                                checked.error().detail);
    }
  }
  return report;
}

}  // namespace coffer::vault
