#include "api/cli/client/second_factor.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>

#include "api/cli/text/passphrase.h"

namespace coffer::cli {

namespace {

constexpr std::size_t kMostTyped = 1024;

// No more than the line is taken: what follows may be for somebody else.
Outcome<crypto::SecretBytes> FirstLineOfInput(const char* what) {
  crypto::SecretBytes buffer(kMostTyped);
  const auto bytes = buffer.ExposeSecretForWriting();
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(STDIN_FILENO, &bytes[size], 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || bytes[size] == '\n') break;
    ++size;
  }
  if (size > 0 && bytes[size - 1] == '\r') --size;
  if (size > 0) return crypto::SecretBytes::CopyOf(bytes.first(size));
  return Failed(Exit::kUsage, std::string("standard input holds no ") + what,
                "Its first line is used.");
}

}  // namespace

void AddCodeOption(CLI::App& command, const char* name, CodeOption& option, const char* help) {
  auto* code = command.add_option_function<std::string>(
      name,
      [&option](const std::string& given) {
        option.code = given;
        option.given = true;
      },
      help);
  code->type_name("CODE|-");
  command
      .add_option_function<std::string>(
          std::string(name) + "-file",
          [&option](const std::string& given) {
            option.file = given;
            option.given = true;
          },
          "File whose first line is that code, readable by you alone")
      ->type_name("FILE")
      ->excludes(code);
}

Outcome<crypto::SecretBytes> CodeOrAsk(const CodeOption& option, const char* prompt,
                                       const char* advice) {
  if (option.given && option.file.empty() && option.code != "-") {
    return crypto::SecretBytes::CopyOf(crypto::AsBytes(option.code));
  }
  static constexpr const char* kWhat = "code of the authenticator app";
  if (option.code == "-") return FirstLineOfInput(kWhat);
  return ReadOrAsk(option.file, {prompt, "the code of the authenticator app", advice});
}

}  // namespace coffer::cli
