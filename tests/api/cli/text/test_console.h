// A console whose two streams can be looked at.
#pragma once

#include <sstream>
#include <string>

#include "api/cli/text/console.h"

namespace coffer::cli {

struct TestConsole {
  std::ostringstream out, err;
  Console console{out, err};

  std::string Out() const { return out.str(); }
  std::string Err() const { return err.str(); }
};

}  // namespace coffer::cli
