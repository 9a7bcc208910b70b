#include "api/cli/files/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "api/cli/files/environment.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMostInMemory = std::size_t{1} << 20;

}  // namespace

InputFile::InputFile(std::string name, int descriptor)
    : name_(std::move(name)), descriptor_(descriptor) {}

InputFile::~InputFile() { close(descriptor_); }

Outcome<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path, Passes passes) {
  const bool standard = path == "-";
  const int descriptor =
      standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const std::string name = NameOfInput(path);
  if (descriptor < 0) {
    return Failed(Exit::kUsage, "cannot open " + name + ": " + std::strerror(errno));
  }
  std::unique_ptr<InputFile> file(new InputFile(name, descriptor));
  if (fstat(descriptor, &file->opened_) != 0 || S_ISDIR(file->opened_.st_mode)) {
    return Failed(Exit::kUsage, "cannot read " + name + ": it is no file");
  }
  file->start_ = S_ISREG(file->opened_.st_mode) ? lseek(descriptor, 0, SEEK_CUR) : -1;
  if (file->start_ < 0 && passes == Passes::kMany) {
    const std::string directory = ProcessEnvironment()("TMPDIR").value_or("");
    COFFER_ASSIGN(file->kept_, SealedSpool::Create(directory.empty() ? "/tmp" : directory));
  }
  return file;
}

// Of a file that is written to while it is read, the parts need not belong together.
Outcome<void> InputFile::CheckUnchanged() const {
  struct stat now{};
  if (fstat(descriptor_, &now) == 0 && now.st_size == opened_.st_size &&
      now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec) {
    return {};
  }
  return Failed(Exit::kFailed, name_ + " was changed while it was read",
                "Give a copy that no other program writes to.");
}

Outcome<std::size_t> InputFile::ReadDescriptor(std::span<char> into) {
  std::size_t got = 0;
  while (got < into.size() && !ended_) {
    const ssize_t size = read(descriptor_, into.data() + got, into.size() - got);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      pollfd wanted{descriptor_, POLLIN, 0};
      poll(&wanted, 1, -1);
      continue;
    }
    if (size < 0) {
      return Failed(Exit::kFailed, "cannot read " + name_ + ": " + std::strerror(errno));
    }
    ended_ = size == 0;
    got += static_cast<std::size_t>(size);
  }
  return got;
}

Outcome<std::size_t> InputFile::ReadKept(std::span<char> into) {
  std::size_t got = 0;
  while (got < into.size() && at_ < kept_->size()) {
    COFFER_ASSIGN(const std::size_t size, kept_->Read(at_, into.subspan(got)));
    got += size;
    at_ += size;
  }
  if (got == into.size()) return got;
  COFFER_ASSIGN(const std::size_t fresh, ReadDescriptor(into.subspan(got)));
  COFFER_TRY(kept_->Append({into.data() + got, fresh}));
  at_ += fresh;
  return got + fresh;
}

Outcome<std::size_t> InputFile::Read(std::span<char> into) {
  if (kept_ != nullptr) return ReadKept(into);
  COFFER_ASSIGN(const std::size_t got, ReadDescriptor(into));
  if (ended_ && start_ >= 0) COFFER_TRY(CheckUnchanged());
  return got;
}

Outcome<void> InputFile::Rewind() {
  at_ = 0;
  if (kept_ != nullptr) return {};
  ended_ = false;
  if (lseek(descriptor_, start_, SEEK_SET) < 0) {
    return Failed(Exit::kFailed, "cannot read " + name_ + ": " + std::strerror(errno));
  }
  return {};
}

std::string NameOfInput(const std::string& path) { return path == "-" ? "standard input" : path; }

Outcome<std::string> NameToReadAgain(const std::string& path) {
  struct stat status{};
  if (path.empty() || stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) return path;
  COFFER_ASSIGN(const auto file, InputFile::Open(path, InputFile::Passes::kOne));
  crypto::SecretBytes content(kMostInMemory + 1);  // it may be a private key
  const std::span<std::uint8_t> bytes = content.ExposeSecretForWriting();
  COFFER_ASSIGN(const std::size_t size,
                file->Read({reinterpret_cast<char*>(bytes.data()), bytes.size()}));
  if (size == 0) return Failed(Exit::kUsage, path + " gave nothing");
  if (size > kMostInMemory) return Failed(Exit::kUsage, path + " is too large");
  const int copy = memfd_create("coffer-input", MFD_CLOEXEC);
  if (copy < 0 || fchmod(copy, 0600) != 0 ||
      write(copy, bytes.data(), size) != static_cast<ssize_t>(size)) {
    return Failed(Exit::kFailed, "cannot keep " + path + ": " + std::strerror(errno));
  }
  return "/proc/self/fd/" + std::to_string(copy);
}

}  // namespace coffer::cli
