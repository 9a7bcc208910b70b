#include "vault/backup/repository.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <ranges>
#include <system_error>
#include <utility>

#include "audit/documents/canonical_json.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "vault/base/ids.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kFormat = "coffer-backup-repository-v1";
constexpr std::string_view kMarker = "/coffer-backup";
constexpr std::string_view kUnfinishedName = "/unfinished";
constexpr std::string_view kObjects = "/objects";
constexpr std::string_view kGenerations = "/generations";
constexpr std::string_view kIncrements = "/increments";
constexpr std::size_t kIncrementDigits = 6;  // at least
constexpr std::size_t kMaxMarkerBytes = 4096;
constexpr std::size_t kMaxManifestBytes = 64 * 1024;
constexpr std::size_t kRepositoryIdBytes = 16;

std::unexpected<Error> Unavailable(const std::string& detail) {
  return Fail(Code::kUnavailable, "destination_unavailable", detail);
}

Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Unavailable(path + ": " + std::strerror(errno));
}

Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) close(fd);
  if (!synced) return Unavailable("cannot sync " + path + ": " + std::strerror(why));
  return {};
}

Status Write(const std::string& path, ByteView content) {
  auto written = crypto::WriteFileAtomically(path, content);
  if (!written) return Unavailable(written.error().detail);
  return {};
}

// Not of what is no file: a pipe that somebody put there would be waited for.
Result<Bytes> Read(const std::string& path, std::size_t limit) {
  struct stat about{};
  if (lstat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return Fail(Code::kCorrupted, "object_wrong", path + " is no file");
  }
  return crypto::ReadFile(path, limit);
}

std::string FormatMarker(const std::string& id, BackupKind kind, const Repository::Owner& owner) {
  audit::CanonicalWriter out;
  out.Open().Text("format", kFormat).Text("id", id).Text("kind", audit::Name(kind));
  out.Text("vault", owner.vault).Text("vault_id", owner.vault_id).Close();
  return out.Take() + "\n";
}

}  // namespace

std::string InWords(const Error& error) {
  std::string text(error.reason);
  if (!error.detail.empty()) text.append(": ").append(error.detail);
  return text;
}

Result<Repository> Repository::Create(const std::string& path, BackupKind kind,
                                      const Owner& owner) {
  COFFER_TRY(MakeDirectory(path));
  std::error_code error;
  if (std::filesystem::exists(path + std::string(kMarker), error)) {
    return Fail(Code::kConflict, "repository_exists", path);
  }
  const bool empty = std::filesystem::is_empty(path, error);
  if (error) return Unavailable(path + ": " + error.message());
  if (!empty) return Fail(Code::kConflict, "repository_not_empty", path);
  const std::string objects = path + std::string(kObjects);
  COFFER_TRY(MakeDirectory(objects));
  for (int first = 0; first < 256; ++first) {
    const auto byte = static_cast<std::uint8_t>(first);
    COFFER_TRY(MakeDirectory(objects + "/" + crypto::HexEncode({&byte, 1})));
  }
  COFFER_TRY(SyncFolder(objects));
  COFFER_TRY(MakeDirectory(path + std::string(kGenerations)));
  const std::string id = crypto::HexEncode(crypto::RandomBytes(kRepositoryIdBytes));
  COFFER_TRY(Write(path + std::string(kMarker), crypto::AsBytes(FormatMarker(id, kind, owner))));
  return Open(path);
}

Result<Repository> Repository::Open(const std::string& path) {
  auto marker = Read(path + std::string(kMarker), kMaxMarkerBytes);
  if (!marker && marker.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound, "repository_missing", path + " has no repository");
  }
  if (!marker && marker.error().code == Code::kUnavailable) {
    return Unavailable(marker.error().detail);
  }
  Repository repository;
  repository.path_ = path;
  const std::string_view text = marker ? crypto::AsText(*marker) : std::string_view();
  audit::CanonicalReader in(text.substr(0, text.size() - std::min<std::size_t>(1, text.size())));
  if (!in.Open() || !in.Constant("format", kFormat) || !in.Text("id", repository.id_) ||
      !in.OneOf("kind", audit::kBackupKinds, repository.kind_) ||
      !in.Text("vault", repository.owner_.vault) ||
      !in.Text("vault_id", repository.owner_.vault_id) || !in.Close() || !in.AtEnd() ||
      FormatMarker(repository.id_, repository.kind_, repository.owner_) != text) {
    return Fail(Code::kCorrupted, "repository_malformed", path + std::string(kMarker));
  }
  return repository;
}

std::string Repository::ObjectPath(const Hash& name) const {
  const std::string hex = crypto::HexEncode(name);
  return path_ + std::string(kObjects) + "/" + hex.substr(0, 2) + "/" + hex.substr(2);
}

std::string Repository::GenerationPath(const std::string& generation) const {
  return path_ + std::string(kGenerations) + "/" + generation;
}

std::string Repository::IncrementPath(const std::string& generation, std::uint64_t n) const {
  std::string number = std::to_string(n);
  number.insert(0, kIncrementDigits - std::min(kIncrementDigits, number.size()), '0');
  return path_ + std::string(kIncrements) + "/" + generation + "." + number;
}

Repository::Claim::~Claim() {
  if (fd_ >= 0) close(fd_);
}

Result<Repository::Claim> Repository::Take() const {
  const std::string path = path_ + std::string(kMarker);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return Unavailable(path + ": " + std::strerror(errno));
  Claim claim(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Fail(Code::kConflict, "repository_in_use", "another process writes to " + path_);
  }
  return claim;
}

Result<bool> Repository::BeginWriting() const {
  const std::string path = path_ + std::string(kUnfinishedName);
  std::error_code error;
  if (std::filesystem::exists(path, error)) return true;
  COFFER_TRY(Write(path, {}));
  return false;
}

Status Repository::EndWriting() const {
  const std::string path = path_ + std::string(kUnfinishedName);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Unavailable(path + ": " + std::strerror(errno));
  }
  return {};
}

bool Repository::Has(const Hash& name) const {
  std::error_code error;
  return std::filesystem::is_regular_file(ObjectPath(name), error);
}

Result<Hash> Repository::Put(ByteView bytes, bool& written) const {
  const Hash name = crypto::Sha256(bytes);
  written = !Has(name);
  if (written) COFFER_TRY(Write(ObjectPath(name), bytes));
  return name;
}

Result<Bytes> Repository::Get(const Hash& name) const {
  const std::string path = ObjectPath(name);
  auto bytes = Read(path, kMaxObjectBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound, "object_missing", path);
  }
  if (!bytes && bytes.error().code == Code::kUnavailable) {
    return Unavailable(bytes.error().detail);
  }
  if (!bytes || crypto::Sha256(*bytes) != name) {
    return Fail(Code::kCorrupted, "object_wrong", path);
  }
  return bytes;
}

Result<std::vector<std::string>> Repository::ListGenerations() const {
  std::vector<std::string> ids;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_ + std::string(kGenerations), error), end;
       !error && at != end; at.increment(error)) {
    std::string name = at->path().filename();
    if (BackupId::Parse(name)) ids.push_back(std::move(name));
  }
  if (error) return Unavailable(path_ + std::string(kGenerations) + ": " + error.message());
  std::ranges::sort(ids);
  return ids;
}

// `missing` and `malformed` are what is said where it is none.
Result<std::string> Repository::GetNote(const std::string& path, std::string_view missing,
                                        std::string_view malformed) {
  auto note = Read(path, kMaxManifestBytes);
  if (note) return std::string(crypto::AsText(*note));
  switch (note.error().code) {
    case Code::kNotFound:
      return Fail(Code::kNotFound, missing, path);
    case Code::kUnavailable:
      return Unavailable(note.error().detail);
    default:
      return Fail(Code::kCorrupted, malformed, path);
  }
}

Result<std::string> Repository::GetManifest(const std::string& generation) const {
  return GetNote(GenerationPath(generation), "generation_missing", "manifest_malformed");
}

Result<std::string> Repository::GetIncrement(const std::string& generation, std::uint64_t n) const {
  return GetNote(IncrementPath(generation, n), "increment_missing", "increment_malformed");
}

Result<Repository::Increments> Repository::ListIncrements() const {
  Increments increments;
  const std::string folder = path_ + std::string(kIncrements);
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  if (error == std::errc::no_such_file_or_directory) return increments;
  for (const std::filesystem::directory_iterator end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    const std::size_t dot = name.find('.');
    std::uint64_t n = 0;
    if (dot == std::string::npos || !BackupId::Parse(name.substr(0, dot))) continue;
    const char* const last = name.data() + name.size();
    const auto read = std::from_chars(name.data() + dot + 1, last, n);
    const std::string generation = name.substr(0, dot);
    if (read.ec != std::errc() || read.ptr != last ||
        IncrementPath(generation, n) != folder + "/" + name) {
      continue;
    }
    increments[generation].push_back(n);
  }
  if (error) return Unavailable(folder + ": " + error.message());
  for (auto& [generation, numbers] : increments) std::ranges::sort(numbers);
  return increments;
}

// By whoever claims the repository.
Status Repository::PutIncrement(const std::string& generation, std::uint64_t n,
                                const std::string& note) const {
  if (n == 1) {
    COFFER_TRY(MakeDirectory(path_ + std::string(kIncrements)));
    COFFER_TRY(SyncFolder(path_));
  }
  const std::string path = IncrementPath(generation, n);
  const std::string before = n == 1 ? GenerationPath(generation) : IncrementPath(generation, n - 1);
  std::error_code error;
  if (!std::filesystem::exists(before, error)) {
    if (error) return Unavailable(before + ": " + error.message());
    return Fail(Code::kConflict, "increment_missing", before);
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) {
    return Fail(Code::kConflict, "increment_exists", path);
  }
  return Write(path, crypto::AsBytes(note));
}

Status Repository::RemoveIncrements(const std::string& generation,
                                    std::span<const std::uint64_t> numbers) const {
  for (const std::uint64_t n : numbers | std::views::reverse) {
    const std::string path = IncrementPath(generation, n);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return Unavailable(path + ": " + std::strerror(errno));
    }
  }
  return numbers.empty() ? Status() : SyncFolder(path_ + std::string(kIncrements));
}

Status Repository::PutManifest(const std::string& generation, const std::string& note) const {
  return Write(GenerationPath(generation), crypto::AsBytes(note));
}

Status Repository::RemoveManifest(const std::string& generation) const {
  const std::string path = GenerationPath(generation);
  if (unlink(path.c_str()) != 0) return Unavailable(path + ": " + std::strerror(errno));
  return SyncFolder(path_ + std::string(kGenerations));
}

Status Repository::RemoveObjects(const std::function<bool(const Hash&)>& goes) const {
  const auto sweep = [&](const std::string& folder) -> Status {
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    for (const std::filesystem::recursive_directory_iterator end; !error && at != end;
         at.increment(error)) {
      if (at->symlink_status(error).type() == std::filesystem::file_type::directory) continue;
      const auto& path = at->path();
      const std::string file = path.filename();
      const auto bytes = crypto::HexDecode(path.parent_path().filename().string() + file);
      Hash name{};
      const bool object = bytes && bytes->size() == name.size();
      if (object) std::ranges::copy(*bytes, name.begin());
      const bool goes_too = object ? goes(name) : file.ends_with(".tmp");
      if (goes_too && unlink(path.c_str()) != 0 && errno != ENOENT) {
        return Unavailable(path.string() + ": " + std::strerror(errno));
      }
    }
    return error ? Unavailable(folder + ": " + error.message()) : Status();
  };
  COFFER_TRY(sweep(path_ + std::string(kObjects)));
  COFFER_TRY(sweep(path_ + std::string(kGenerations)));
  return sweep(path_ + std::string(kIncrements));
}

}  // namespace coffer::vault
