// The code that a person gives beside the password: the app's, or a recovery code.
#pragma once

#include <string>

#include "api/cli/failure.h"
#include "crypto/secret_bytes.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct CodeOption {
  std::string code;
  bool given = false;  // on the command line: such a code counts once only
};

// `--NAME CODE`; the option is found given only once the whole line has been understood.
void AddCodeOption(CLI::App& command, const char* name, CodeOption& option, const char* help);

// What was given, or asked for. Empty: there is none.
Outcome<crypto::SecretBytes> CodeOrAsk(const CodeOption& option, const char* prompt,
                                       const char* advice);

}  // namespace coffer::cli
