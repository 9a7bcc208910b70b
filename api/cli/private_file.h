// Files the tool writes: new ones only, for their owner only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/cli/failure.h"

namespace coffer::cli {

// A file that did not exist before, mode 0600. What was not finished is removed again, so that no
// half file is taken for a whole one.
class NewFile {
 public:
  // Exit::kUsage when the file exists already.
  static Outcome<std::unique_ptr<NewFile>> Create(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Outcome<void> Write(std::string_view text);
  Outcome<void> Finish();  // fsync; from here on the file stays

 private:
  NewFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Failure Broken(std::string_view doing) const;

  std::string path_;
  int descriptor_;
  bool finished_ = false;
};

Outcome<void> WriteNewFile(const std::string& path, std::string_view text);

// A file given on the command line, at most `limit` bytes. Exit::kUsage when it cannot be read.
Outcome<std::string> ReadInputFile(const std::string& path, std::size_t limit);

}  // namespace coffer::cli
