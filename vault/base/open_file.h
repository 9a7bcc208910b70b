// An open file that is closed with this.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace coffer::vault {

class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { Close(); }
  // False: errno says why.
  bool Open(const std::string& path, int flags) {
    Close();
    fd_ = open(path.c_str(), flags | O_CLOEXEC);
    return fd_ >= 0;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace coffer::vault
