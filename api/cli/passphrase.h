// Asking a person for a secret.
#pragma once

#include <string_view>

#include "api/cli/failure.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// One line from the terminal, not shown while it is typed, straight into locked memory. Ctrl-C and
// end of input are a failure. Exit::kUsage where there is no terminal to ask at.
Outcome<crypto::SecretBytes> AskPassphrase(std::string_view prompt);

}  // namespace coffer::cli
