// A directory that has its name only once it is whole and on the disk.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/cli/text/failure.h"

namespace coffer::cli {

// Exit::kFailed, with what the system said.
std::unexpected<Failure> CannotMake(const std::string& path);
std::string ParentOf(const std::string& path);

// Filled under a hidden name beside, which it loses when it is whole. Else it is removed again.
class NewDirectory {
 public:
  static Outcome<std::unique_ptr<NewDirectory>> Create(const std::string& path);
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory();

  const std::string& hidden() const { return hidden_; }
  Outcome<void> Finish();

 private:
  NewDirectory(std::string path, std::string hidden)
      : path_(std::move(path)), hidden_(std::move(hidden)) {}
  std::string path_, hidden_;
  bool finished_ = false;
};

}  // namespace coffer::cli
