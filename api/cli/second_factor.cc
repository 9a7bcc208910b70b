#include "api/cli/second_factor.h"

#include <CLI/CLI.hpp>

#include "api/cli/passphrase.h"

namespace coffer::cli {

void AddCodeOption(CLI::App& command, const char* name, CodeOption& option, const char* help) {
  command
      .add_option_function<std::string>(
          name,
          [&option](const std::string& code) {
            option.code = code;
            option.given = true;
          },
          help)
      ->type_name("CODE");
}

Outcome<crypto::SecretBytes> CodeOrAsk(const CodeOption& option, const char* prompt,
                                       const char* advice) {
  if (option.given) return crypto::SecretBytes::CopyOf(crypto::AsBytes(option.code));
  return AskSecret({prompt, "the code of the authenticator app", advice});
}

}  // namespace coffer::cli
