#include "api/cli/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crypto/atomic_file.h"
#include "crypto/bytes.h"

namespace coffer::cli {

Outcome<std::unique_ptr<NewFile>> NewFile::Create(const std::string& path) {
  const int descriptor =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) return std::unique_ptr<NewFile>(new NewFile(path, descriptor));
  const int error = errno;
  if (error == EEXIST) {
    return Failed(Exit::kUsage, "the file \"" + path + "\" exists already",
                  "Name another one: nothing is overwritten.");
  }
  return Failed(Exit::kFailed, "cannot make the file \"" + path + "\": " + std::strerror(error));
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!finished_) unlink(path_.c_str());
}

Failure NewFile::Broken(std::string_view doing) const {
  return {Exit::kFailed,
          "cannot " + std::string(doing) + " \"" + path_ + "\": " + std::strerror(errno),
          "Check the free space and the rights there."};
}

Outcome<void> NewFile::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(Broken("write to"));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Outcome<void> NewFile::Finish() {
  if (fsync(descriptor_) != 0) return std::unexpected(Broken("write to"));
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) != 0) return std::unexpected(Broken("close"));
  finished_ = true;
  return {};
}

Outcome<void> WriteNewFile(const std::string& path, std::string_view text) {
  COFFER_ASSIGN(const auto file, NewFile::Create(path));
  COFFER_TRY(file->Write(text));
  return file->Finish();
}

Outcome<std::string> ReadInputFile(const std::string& path, std::size_t limit) {
  const auto bytes = crypto::ReadFile(path, limit);
  if (bytes) return std::string(crypto::AsText(*bytes));
  if (bytes.error().code == Code::kTooLarge) {
    return Failed(Exit::kUsage, "the file \"" + path + "\" is too large",
                  "At most " + std::to_string(limit) + " bytes are taken.");
  }
  return Failed(Exit::kUsage, "the file \"" + path + "\" cannot be read: " + bytes.error().detail);
}

}  // namespace coffer::cli
