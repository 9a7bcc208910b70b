// coffer-token: asks a PKCS#11 token one question for cofferd or coffer, and ends. The module that
// knows the token runs here and nowhere else.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "crypto/internal/file_descriptor.h"
#include "crypto/internal/token_messages.h"
#include "crypto/standard_streams.h"
#include "crypto/token/root_secret.h"

namespace {

using coffer::Result;
using coffer::crypto::ByteView;
using coffer::crypto::internal::TokenAnswer;
using coffer::crypto::internal::TokenRequest;
using coffer::crypto::token::Session;

enum ExitCode { kAnswered = 0, kNotAsked = 64, kNoCrypto = 70 };

class AskerChannel final : public coffer::crypto::internal::TokenChannel {
 public:
  explicit AskerChannel(int fd) : fd_(fd) {}
  bool Put(ByteView bytes) override { return coffer::crypto::internal::WriteAll(fd_, bytes); }
  bool Take(std::span<std::uint8_t> bytes) override {
    return coffer::crypto::internal::ReadUpTo(fd_, bytes) ==
           static_cast<std::ptrdiff_t>(bytes.size());
  }

 private:
  int fd_;
};

Result<TokenAnswer> Answer(TokenRequest& request, std::unique_ptr<Session>& session) {
  COFFER_ASSIGN(const auto uri, coffer::crypto::ParseTokenUri(request.uri));
  const bool making = request.task == TokenRequest::Task::kMake;
  COFFER_ASSIGN(session, Session::Open(uri, std::move(request.pin), making));
  return making ? coffer::crypto::token::MakeRoot(*session, uri, request.root_secret)
                : coffer::crypto::token::OpenRoot(*session, request.root);
}

// The socket, where no module looks for input.
int TakeChannel() {
  int kind = 0;
  socklen_t size = sizeof kind;
  if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &kind, &size) != 0) return -1;
  const int channel = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (channel < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) return -1;
  return channel;
}

}  // namespace

int main() {
  coffer::crypto::OccupyStandardStreams();
  // Who asked is gone: nobody waits for an answer, nor sees to it that this ends.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  const int fd = TakeChannel();
  if (fd < 0) {
    std::fputs("coffer-token: is started by cofferd and coffer, for a root key in a token\n",
               stderr);
    return kNotAsked;
  }
  // Before any secret is here: a core file would have it. Where it fails, the end says so.
  if (!coffer::crypto::InitializeCrypto()) return kNoCrypto;
  AskerChannel channel(fd);
  TokenRequest request;
  if (!coffer::crypto::internal::TakeRequest(channel, request)) return kNotAsked;
  std::unique_ptr<Session> session;
  const bool said = coffer::crypto::internal::PutAnswer(channel, Answer(request, session));
  if (session != nullptr) session->End();
  // Without what modules have registered for the end of a process.
  _exit(said ? kAnswered : kNotAsked);
}
