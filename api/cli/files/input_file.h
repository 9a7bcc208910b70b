// A file that somebody named, read from its beginning as often as is needed. What can be read only
// once (a pipe, a terminal) is kept while it is read for the first time.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "api/cli/files/sealed_spool.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

class InputFile {
 public:
  enum class Passes : std::uint8_t { kMany, kOne };  // with one, nothing is kept

  // "-" is standard input, from where it stands. Exit::kUsage when the file cannot be opened, and
  // for a directory.
  static Outcome<std::unique_ptr<InputFile>> Open(const std::string& path,
                                                  Passes passes = Passes::kMany);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Fills `into` unless the file ends before; 0 at its end. Exit::kFailed when it cannot be read,
  // and at its end when it was changed since it was opened.
  Outcome<std::size_t> Read(std::span<char> into);
  Outcome<void> Rewind();  // precondition: opened for many passes

  const std::string& name() const { return name_; }  // as messages have it
  // Whoever writes to it may have failed: nothing from there is no empty file.
  bool IsReadOnce() const { return start_ < 0; }

 private:
  InputFile(std::string name, int descriptor);
  Outcome<std::size_t> ReadDescriptor(std::span<char> into);
  Outcome<std::size_t> ReadKept(std::span<char> into);
  Outcome<void> CheckUnchanged() const;

  std::string name_;
  int descriptor_;
  struct stat opened_{};
  bool ended_ = false;                 // a terminal, or a pipe with new writers, would begin again
  off_t start_ = -1;                   // of what is read again where it lies
  std::unique_ptr<SealedSpool> kept_;  // of what can be read only once
  std::uint64_t at_ = 0;               // of the next byte of `kept_`
};

// How messages name it: "-" is "standard input".
std::string NameOfInput(const std::string& path);

// For libraries that open a file by its name, and again with each connection: what can be read only
// once is copied into memory, and has the name that is returned until the process ends.
// Exit::kUsage for more than 1 MiB. What cannot be opened keeps its name, and whoever opens it says
// so.
Outcome<std::string> NameToReadAgain(const std::string& path);

}  // namespace coffer::cli
