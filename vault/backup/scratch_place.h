// A directory that is there for as long as it is needed, and for nobody else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "crypto/result.h"

namespace coffer::vault {

class ScratchPlace {
 public:
  // A new one in `parent`, "coffer-drill-" and six characters, mode 0700. Those that nobody uses
  // any more go first: what made them died. Errors: kConflict "scratch_unfit": `parent` is a vault
  // or a repository; kUnavailable "file_not_written", "file_not_removed".
  static Result<ScratchPlace> Make(const std::string& parent);
  ScratchPlace(ScratchPlace&& other) noexcept
      : path_(std::exchange(other.path_, {})), fd_(std::exchange(other.fd_, -1)) {}
  ScratchPlace(const ScratchPlace&) = delete;
  ScratchPlace& operator=(const ScratchPlace&) = delete;
  ScratchPlace& operator=(ScratchPlace&&) = delete;
  ~ScratchPlace() { (void)Destroy(); }

  const std::string& path() const { return path_; }
  // With all that is in it. Errors: kUnavailable "file_not_removed"; the next one tries it again.
  Status Destroy();

 private:
  ScratchPlace(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;  // whose lock says that it is in use
};

// Bytes that whoever asks may still write there. Errors: kUnavailable "file_not_read".
Result<std::uint64_t> RoomIn(const std::string& directory);

}  // namespace coffer::vault
