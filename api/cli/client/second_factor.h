// The code that a person gives beside the password: the app's, or a recovery code.
#pragma once

#include <string>

#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct CodeOption {
  std::string code;  // as given on the command line; "-": the first line of standard input
  std::string file;  // its first line
  bool given = false;
};

// `--NAME CODE` and `--NAME-file FILE`; the option is found given only once the whole line has been
// understood.
void AddCodeOption(CLI::App& command, const char* name, CodeOption& option, const char* help);

// What was given, or asked for. Empty: there is none.
Outcome<crypto::SecretBytes> CodeOrAsk(const CodeOption& option, const char* prompt,
                                       const char* advice);

}  // namespace coffer::cli
