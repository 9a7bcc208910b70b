// Asking a person for a secret.
#pragma once

#include <string>
#include <string_view>

#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// One line from the terminal, not shown while it is typed, straight into locked memory. Ctrl-C and
// end of input are a failure. Exit::kUsage where there is no terminal to ask at.
Outcome<crypto::SecretBytes> AskPassphrase(std::string_view prompt);

struct Question {
  std::string_view prompt;
  std::string_view what;    // "the password"
  std::string_view advice;  // how else it can be given
};
// The same for any other secret; an empty line is an empty answer.
Outcome<crypto::SecretBytes> AskSecret(const Question& question);
// Twice, because a slip of the finger would go unseen.
Outcome<crypto::SecretBytes> AskNewSecret(const Question& question);
// The first line of `file`, or asked for where none is named.
Outcome<crypto::SecretBytes> ReadOrAsk(const std::string& file, const Question& question);

}  // namespace coffer::cli
