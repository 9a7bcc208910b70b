#include "crypto/internal/token_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "crypto/internal/file_descriptor.h"

namespace coffer::crypto::internal {
namespace {

using std::chrono::steady_clock;

// For the module to log out and to end, once all was said. Some hang in that.
constexpr std::chrono::seconds kFarewell{2};

// Beside the program, as it is installed and as it is built.
std::string HelperPath() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "libexec" / "coffer" / "coffer-token").string();
}

// Its end of the socket is not ours to trust: nothing here waits past the deadline.
class HelperChannel final : public TokenChannel {
 public:
  HelperChannel(int fd, steady_clock::time_point deadline) : fd_(fd), deadline_(deadline) {}

  bool Put(ByteView bytes) override {
    while (!bytes.empty()) {
      if (!Wait(POLLOUT)) return false;
      const ssize_t sent =
          send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // it may have died
      if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (sent <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool Take(std::span<std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      if (!Wait(POLLIN)) return false;
      const ssize_t got = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return true;
  }

  bool late() const { return late_; }

  // Until the other end is closed.
  void AwaitEnd(steady_clock::duration at_most) {
    deadline_ = steady_clock::now() + at_most;
    std::array<std::uint8_t, 1> nothing;
    while (Take(nothing)) {
    }
  }

 private:
  bool Wait(short what) {
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady_clock::now());
      if (left.count() <= 0) break;
      pollfd ready{.fd = fd_, .events = what, .revents = 0};
      const int found = poll(&ready, 1, static_cast<int>(left.count()));
      if (found > 0) return true;
      if (found < 0 && errno != EINTR) return false;
    }
    late_ = true;
    return false;
  }

  int fd_;
  steady_clock::time_point deadline_;
  bool late_ = false;
};

// The process, which does not outlive this.
class Helper {
 public:
  explicit Helper(pid_t pid) : pid_(pid) {}
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper() { static_cast<void>(End()); }

  // Its wait status: of how it ended, where it had already begun to, and of SIGKILL elsewhere.
  int End() {
    if (pid_ <= 0) return status_;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status_;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

std::unexpected<Error> NotStarted(const std::string& path, int error) {
  return Fail(
      Code::kUnavailable, "token_helper_missing",
      "cannot start " + path + ", which asks the token: " + std::generic_category().message(error));
}

// With the socket as its standard input, and nothing else of ours: no descriptor, no blocked or
// ignored signal. What a module prints goes nowhere, as it may be the PIN.
Result<pid_t> Start(const std::string& path, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    if (error == 0) {
      error = posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    }
  }
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &none);
  if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &all);
  if (error == 0) {
    error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  pid_t pid = -1;
  std::string name = "coffer-token";
  const std::array<char*, 2> arguments{name.data(), nullptr};
  if (error == 0) {
    error = posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environ);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return NotStarted(path, error);
  return pid;
}

// After a question without an answer.
std::unexpected<Error> EndedEarly(int status) {
  if (WIFSIGNALED(status)) {
    const char* const name = sigabbrev_np(WTERMSIG(status));
    return Fail(Code::kUnavailable, "token_module_crashed",
                std::string("the token's module ended its process by SIG") +
                    (name == nullptr ? "?" : name));
  }
  return Fail(Code::kUnavailable, "token_module_crashed",
              "the token's module ended its process, with exit code " +
                  std::to_string(WEXITSTATUS(status)));
}

}  // namespace

Result<TokenAnswer> AskToken(const TokenRequest& request, std::chrono::milliseconds limit) {
  const std::string path = HelperPath();
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return NotStarted(path, errno);
  }
  const FileDescriptor ours(ends[0]);
  FileDescriptor theirs(ends[1]);
  COFFER_ASSIGN(const pid_t pid, Start(path, theirs.get()));
  Helper helper(pid);
  static_cast<void>(theirs.Close());  // so that its death is seen
  HelperChannel channel(ours.get(), steady_clock::now() + limit);
  Result<TokenAnswer> answer;
  if (PutRequest(channel, request) && TakeAnswer(channel, answer)) {
    channel.AwaitEnd(kFarewell);
    return answer;
  }
  if (channel.late()) {
    return Fail(Code::kUnavailable, "token_module_hangs",
                "the token's module did not answer within " + std::to_string(limit.count() / 1000) +
                    " s, and its process was ended");
  }
  return EndedEarly(helper.End());
}

}  // namespace coffer::crypto::internal
