// What is wrong with a signed document.
#pragma once

#include <string>

namespace coffer::audit {

struct DocumentFinding {
  std::string check;  // which rule; the verifying function's header lists them
  std::string message;
};

}  // namespace coffer::audit
