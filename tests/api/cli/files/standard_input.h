#pragma once

#include <unistd.h>

namespace coffer::cli {

// Standard input for as long as this lives.
class AsStandardInput {
 public:
  explicit AsStandardInput(int descriptor) : before_(dup(STDIN_FILENO)) {
    dup2(descriptor, STDIN_FILENO);
  }
  ~AsStandardInput() {
    dup2(before_, STDIN_FILENO);
    close(before_);
  }
  AsStandardInput(const AsStandardInput&) = delete;
  AsStandardInput& operator=(const AsStandardInput&) = delete;

 private:
  int before_;
};

}  // namespace coffer::cli
