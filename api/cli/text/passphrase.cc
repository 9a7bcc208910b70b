#include "api/cli/text/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "crypto/root_key_provider.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxPassphrase = 1024;

// The controlling terminal, with neither echo nor signals for as long as this lives: Ctrl-C then is
// a character that ends the prompt, so the terminal is always given back as it was.
class QuietTerminal {
 public:
  QuietTerminal() : descriptor_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0 || tcgetattr(descriptor_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    ready_ = tcsetattr(descriptor_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (ready_) tcsetattr(descriptor_, TCSAFLUSH, &before_);
    if (descriptor_ >= 0) close(descriptor_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  bool ready() const { return ready_; }

  void Show(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written < 0 && errno != EINTR) return;
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  std::optional<std::uint8_t> ReadByte() {
    std::uint8_t byte = 0;
    for (;;) {
      const ssize_t size = read(descriptor_, &byte, 1);
      if (size == 1) return byte;
      if (size == 0 || errno != EINTR) return std::nullopt;
    }
  }

 private:
  int descriptor_;
  termios before_{};
  bool ready_ = false;
};

// Takes the last UTF-8 character away.
std::size_t WithoutLast(std::span<const std::uint8_t> typed) {
  std::size_t size = typed.size();
  while (size > 0 && (typed[size - 1] & 0xc0) == 0x80) --size;
  return size > 0 ? size - 1 : 0;
}

// The length of the line typed into `buffer`, or nothing when it was broken off.
std::optional<std::size_t> ReadLine(QuietTerminal& terminal, std::span<std::uint8_t> buffer) {
  static constexpr std::uint8_t kCtrlC = 3, kCtrlD = 4, kCtrlU = 21, kBackspace = 8, kDelete = 127;
  std::size_t size = 0;
  for (;;) {
    const auto byte = terminal.ReadByte();
    if (!byte || *byte == kCtrlC || (*byte == kCtrlD && size == 0)) return std::nullopt;
    if (*byte == '\n' || *byte == '\r' || *byte == kCtrlD) return size;
    if (*byte == kCtrlU) {
      size = 0;
    } else if (*byte == kBackspace || *byte == kDelete) {
      size = WithoutLast(buffer.first(size));
    } else if (size < buffer.size()) {
      buffer[size++] = *byte;
    }
  }
}

}  // namespace

Outcome<crypto::SecretBytes> AskPassphrase(std::string_view prompt) {
  return AskSecret({prompt, "the passphrase",
                    "Give it with --passphrase-file FILE, or use --root-key-file FILE."});
}

Outcome<crypto::SecretBytes> AskSecret(const Question& question) {
  const std::string what(question.what);
  QuietTerminal terminal;
  if (!terminal.ready()) {
    return Failed(Exit::kUsage, "there is no terminal to ask for " + what + " at",
                  std::string(question.advice));
  }
  terminal.Show(question.prompt);
  crypto::SecretBytes buffer(kMaxPassphrase);
  const auto size = ReadLine(terminal, buffer.ExposeSecretForWriting());
  terminal.Show("\n");
  if (!size) return Failed(Exit::kFailed, what + " was not entered");
  return crypto::SecretBytes::CopyOf(buffer.ExposeSecret().first(*size));
}

Outcome<crypto::SecretBytes> AskNewSecret(const Question& question) {
  COFFER_ASSIGN(auto secret, AskSecret(question));
  COFFER_ASSIGN(const auto again,
                AskSecret({"The same once more: ", question.what, question.advice}));
  if (secret == again) return secret;
  return Failed(Exit::kFailed, "the two differ", "Run the command again.");
}

Outcome<crypto::SecretBytes> ReadOrAsk(const std::string& file, const Question& question) {
  if (file.empty()) return AskSecret(question);
  auto secret = crypto::ReadSecretFile(file);
  if (secret) return *std::move(secret);
  return std::unexpected(
      FailureOf(secret.error(), "cannot read " + std::string(question.what) + " from " + file));
}

}  // namespace coffer::cli
