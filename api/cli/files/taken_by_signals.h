// Files that end with the process when a signal ends it.
#pragma once

#include <string>

namespace coffer::cli {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT remove the file before they end the tool as
// they always do. Nothing does against SIGKILL. A signal that is ignored, or that somebody else
// handles, stays so; and of many files at once, those beyond a limit stay.
class TakenBySignals {
 public:
  // `directory` stays open meanwhile.
  TakenBySignals(int directory, const std::string& name);
  ~TakenBySignals();
  TakenBySignals(const TakenBySignals&) = delete;
  TakenBySignals& operator=(const TakenBySignals&) = delete;

 private:
  int slot_ = -1;
};

}  // namespace coffer::cli
