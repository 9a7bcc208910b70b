#include "api/cli/files/private_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/input_file.h"
#include "crypto/atomic_file.h"
#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kBeginning = 4096;

std::unexpected<Failure> ExistsAlready(Exit exit, const std::string& path) {
  return Failed(exit, "the file \"" + path + "\" exists already",
                "Name another one: nothing is overwritten.");
}

std::unexpected<Failure> CannotMake(const std::string& path, int error) {
  return Failed(Exit::kFailed, "cannot make the file \"" + path + "\": " + std::strerror(error));
}

// Names that files which are being written are to have: a directory by its device and number, for
// one name can be spelled in many ways.
using Promised = std::tuple<dev_t, ino_t, std::string>;

struct PromisedNames {
  std::mutex mutex;
  std::set<Promised> names;
};
PromisedNames& AllPromised() {
  static PromisedNames all;
  return all;
}

std::string HiddenNameFor(const std::string& name) {
  return "." + name + "." + crypto::HexEncode(crypto::RandomBytes(8)) + ".tmp";
}

// The first bytes of a regular file; nothing for what is none.
std::optional<std::string> BeginningOf(int directory, const std::string& name) {
  const int file =
      openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return std::nullopt;
  struct stat status{};
  std::optional<std::string> beginning;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    std::array<char, kBeginning> bytes{};
    const ssize_t got = pread(file, bytes.data(), bytes.size(), 0);
    if (got >= 0) beginning.emplace(bytes.data(), static_cast<std::size_t>(got));
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  }
  close(file);
  return beginning;
}

}  // namespace

struct NewFile::Place {
  std::string path;  // as it was given
  std::string name;  // within the directory
  int directory = -1;
  std::optional<Promised> promised;

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (promised) {
      PromisedNames& all = AllPromised();
      const std::lock_guard lock(all.mutex);
      all.names.erase(*promised);
    }
    if (directory >= 0) close(directory);
  }

  static Outcome<std::unique_ptr<Place>> Find(const std::string& path) {
    auto place = std::make_unique<Place>();
    place->path = path;
    const std::size_t slash = path.rfind('/');
    place->name = slash == path.npos ? path : path.substr(slash + 1);
    const std::string parent = slash == path.npos ? "." : path.substr(0, slash + 1);
    if (place->name.empty() || place->name == "." || place->name == "..") {
      return Failed(Exit::kUsage, "\"" + path + "\" is the name of a directory, not of a file",
                    "Name the file too.");
    }
    place->directory = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status{};
    if (place->directory < 0 || fstat(place->directory, &status) != 0) {
      return CannotMake(path, errno);
    }
    PromisedNames& all = AllPromised();
    const std::lock_guard lock(all.mutex);
    Promised promised{status.st_dev, status.st_ino, place->name};
    if (!all.names.insert(promised).second) {
      return Failed(Exit::kUsage, "the file \"" + path + "\" is named for two things",
                    "Give each a file of its own.");
    }
    place->promised = std::move(promised);
    return place;
  }

  bool IsTaken() const {
    struct stat status{};
    return fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  }
};

NewFile::NewFile(std::unique_ptr<Place> place, IsOwn is_own)
    : place_(std::move(place)), is_own_(is_own) {}

Outcome<std::unique_ptr<NewFile>> NewFile::Create(const std::string& path) {
  return Open(path, nullptr);
}

Outcome<std::unique_ptr<NewFile>> NewFile::CreateOrReplace(const std::string& path, IsOwn is_own) {
  return Open(path, is_own);
}

Outcome<std::unique_ptr<NewFile>> NewFile::Open(const std::string& path, IsOwn is_own) {
  COFFER_ASSIGN(auto place, Place::Find(path));
  std::unique_ptr<NewFile> file(new NewFile(std::move(place), is_own));
  if (file->place_->IsTaken()) {
    file->replaces_ = file->IsOwnThere();
    if (!file->replaces_) return ExistsAlready(Exit::kUsage, path);
  }
  if (file->OpenUnnamed() || file->OpenHidden()) return file;
  return CannotMake(path, errno);
}

bool NewFile::IsOwnThere() const {
  auto beginning = BeginningOf(place_->directory, place_->name);
  if (!beginning) return false;
  const bool own = is_own_ != nullptr && is_own_(*beginning);
  crypto::Wipe({reinterpret_cast<std::uint8_t*>(beginning->data()), beginning->size()});
  return own;
}

// Nothing is left of such a file whatever ends the process, be it SIGKILL. NFS, FAT and others do
// not have them; and they get their name through /proc.
bool NewFile::OpenUnnamed() {
  if (access("/proc/self/fd", X_OK) != 0) return false;
  descriptor_ = openat(place_->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return descriptor_ >= 0;
}

bool NewFile::OpenHidden() {
  hidden_ = HiddenNameFor(place_->name);
  until_named_.emplace(place_->directory, hidden_);
  descriptor_ = openat(place_->directory, hidden_.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor_ >= 0) return true;
  until_named_.reset();
  hidden_.clear();
  return false;
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!hidden_.empty() && !finished_) unlinkat(place_->directory, hidden_.c_str(), 0);
}

Failure NewFile::Broken(std::string_view doing) const {
  return {Exit::kFailed,
          "cannot " + std::string(doing) + " \"" + place_->path + "\": " + std::strerror(errno),
          "Check the free space and the rights there."};
}

Outcome<void> NewFile::Reserve(std::size_t bytes) {
  COFFER_TRY(Write(std::string(bytes, '\0')));
  // Only now some file systems look for the blocks.
  if (fsync(descriptor_) != 0 || lseek(descriptor_, 0, SEEK_SET) != 0) {
    return std::unexpected(Broken("write to"));
  }
  reserved_ = std::exchange(written_, 0);
  return {};
}

Outcome<void> NewFile::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(Broken("write to"));
    text.remove_prefix(static_cast<std::size_t>(written));
    written_ += static_cast<std::size_t>(written);
  }
  return {};
}

Outcome<void> NewFile::Sync() {
  if (written_ < reserved_ && ftruncate(descriptor_, static_cast<off_t>(written_)) != 0) {
    return std::unexpected(Broken("write to"));
  }
  if (fsync(descriptor_) != 0) return std::unexpected(Broken("write to"));
  return {};
}

// Gives the file its name: 0, or -1 with errno set.
int NewFile::Publish() const {
  const int directory = place_->directory;
  const char* const name = place_->name.c_str();
  if (hidden_.empty()) {
    const std::string own = "/proc/self/fd/" + std::to_string(descriptor_);
    if (!replaces_) return linkat(AT_FDCWD, own.c_str(), directory, name, AT_SYMLINK_FOLLOW);
    // A link replaces nothing: only what has a name can be renamed over another.
    const std::string beside = HiddenNameFor(place_->name);
    const TakenBySignals until_renamed(directory, beside);
    if (linkat(AT_FDCWD, own.c_str(), directory, beside.c_str(), AT_SYMLINK_FOLLOW) != 0) return -1;
    if (renameat(directory, beside.c_str(), directory, name) == 0) return 0;
    const int error = errno;
    unlinkat(directory, beside.c_str(), 0);
    errno = error;
    return -1;
  }
  if (replaces_) return renameat(directory, hidden_.c_str(), directory, name);
  if (renameat2(directory, hidden_.c_str(), directory, name, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // File systems without such a rename have links.
  if (linkat(directory, hidden_.c_str(), directory, name, 0) != 0) return -1;
  return unlinkat(directory, hidden_.c_str(), 0);
}

Outcome<void> NewFile::Finish() {
  COFFER_TRY(Sync());
  // Another file may have got the name since it was asked for.
  if (replaces_ && place_->IsTaken() && !IsOwnThere()) {
    return ExistsAlready(Exit::kFailed, place_->path);
  }
  replaces_ = replaces_ && place_->IsTaken();
  if (Publish() != 0) {
    if (errno == EEXIST) return ExistsAlready(Exit::kFailed, place_->path);
    return std::unexpected(Broken("name"));
  }
  finished_ = true;
  until_named_.reset();
  if (fsync(place_->directory) != 0) {
    auto broken = Broken("write the directory of");
    Retract();
    return std::unexpected(std::move(broken));
  }
  const int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) == 0) return {};
  auto broken = Broken("close");
  Retract();
  return std::unexpected(std::move(broken));
}

void NewFile::Retract() {
  if (!finished_ || replaces_) return;
  unlinkat(place_->directory, place_->name.c_str(), 0);
  fsync(place_->directory);
}

Outcome<void> WriteNewFile(const std::string& path, std::string_view text) {
  COFFER_ASSIGN(const auto file, NewFile::Create(path));
  COFFER_TRY(file->Write(text));
  return file->Finish();
}

Outcome<void> FinishAll(std::initializer_list<NewFile*> files) {
  const DeferredSignals until_all_are_there;
  std::vector<NewFile*> finished;
  for (NewFile* file : files) {
    auto done = file->Finish();
    if (!done) {
      for (NewFile* before : finished) before->Retract();
      return done;
    }
    finished.push_back(file);
  }
  return {};
}

Outcome<void> RefuseExisting(const std::string& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0) return ExistsAlready(Exit::kUsage, path);
  return {};
}

Outcome<std::string> ReadInputFile(const std::string& path, std::size_t limit) {
  COFFER_ASSIGN(const auto file, InputFile::Open(path, InputFile::Passes::kOne));
  // In pieces that double: the limit is not allocated on trust.
  std::string text;
  for (std::size_t room = 4096; text.size() <= limit; room *= 2) {
    const std::size_t had = text.size();
    const std::size_t piece = std::min(room, limit - had + 1);
    text.resize(had + piece);
    COFFER_ASSIGN(const std::size_t got, file->Read(std::span(text).subspan(had)));
    text.resize(had + got);
    if (got < piece) break;
  }
  if (text.size() > limit) {
    return Failed(Exit::kUsage, file->name() + " is too large",
                  "At most " + std::to_string(limit) + " bytes are taken.");
  }
  if (text.empty() && file->IsReadOnce()) {
    return Failed(Exit::kUsage, file->name() + " gave nothing");
  }
  return text;
}

}  // namespace coffer::cli
