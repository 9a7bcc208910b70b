#include "api/http/tls_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace coffer::api {
namespace {

// A refused peer that sent nothing for so many milliseconds has stopped.
constexpr std::int64_t kSilence = 500;
// So often an answer that nobody takes looks whether the server stops.
constexpr std::int64_t kLookAgain = 250;

std::uint64_t MovedBytes(SSL* ssl) {
  return BIO_number_read(SSL_get_rbio(ssl)) + BIO_number_written(SSL_get_wbio(ssl));
}

}  // namespace

std::string PeerOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
          : &reinterpret_cast<sockaddr_in*>(&address)->sin_addr;
  const char* printed = inet_ntop(address.ss_family, raw, text.data(), text.size());
  return printed == nullptr ? std::string() : std::string(printed);
}

TlsStream::TlsStream(Connections& connections, Connection& connection, SSL* ssl)
    : connections_(connections), connection_(connection), ssl_(ssl) {
  connection_.stream = this;
  // One look at the socket fetches whole records, and one write may end where the peer stops
  // taking.
  SSL_set_read_ahead(ssl, 1);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

TlsStream::~TlsStream() { connection_.stream = nullptr; }

std::int64_t TlsStream::LateAt(Phase phase, std::int64_t now) {
  const Connections::Limits& limits = connections_.limits();
  const std::int64_t since = connection_.since_ms.load(std::memory_order_relaxed);
  const std::uint64_t moved = MovedBytes(ssl_);
  if (since != phase_since_) {
    phase_since_ = since;
    phase_base_ = moved_ = moved;
    last_ms_ = since;
  } else if (moved != moved_) {
    moved_ = moved;
    last_ms_ = now;
  }
  const std::uint64_t bytes = moved - phase_base_;
  switch (phase) {
    case Phase::kIdle:
      return since + limits.idle_ms;
    case Phase::kBody:
      return limits.pace.BodyLateAt(since, bytes, last_ms_, connection_.body_limit);
    case Phase::kAnswer:
    case Phase::kWork: {
      const std::int64_t late_at = limits.pace.LateAt(since, bytes, last_ms_);
      return std::min({late_at, connections_.StopAnswersAt(connection_)});
    }
    default:
      return limits.pace.ShortLateAt(since, bytes, last_ms_);
  }
}

std::int64_t TlsStream::TimeLeft(Phase phase) {
  if (phase == Phase::kCut) return 0;
  const std::int64_t now = SteadyMs();
  const std::int64_t left = LateAt(phase, now) - now;
  if (left > 0) return left;
  late_ = true;
  connections_.CountLate(phase);
  return 0;
}

bool TlsStream::Await(short events) {
  for (;;) {
    const Phase phase = connection_.phase.load(std::memory_order_relaxed);
    std::int64_t left = TimeLeft(phase);
    if (left == 0) return false;
    if (phase == Phase::kAnswer || phase == Phase::kWork) left = std::min(left, kLookAgain);
    pollfd wait{connection_.socket, events, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool TlsStream::AwaitFor(int outcome) {
  switch (SSL_get_error(ssl_, outcome)) {
    case SSL_ERROR_WANT_READ:
      return Await(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return Await(POLLOUT);
    default:
      broken_ = true;
      return false;
  }
}

bool TlsStream::Accept() {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_accept(ssl_);
    if (done == 1) return true;
    if (!AwaitFor(done)) return false;
  }
}

TlsStream::Filled TlsStream::TryFill() {
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (broken_ || end_ == in_.size()) return Filled::kEnd;
  ERR_clear_error();
  const int got = SSL_read(ssl_, in_.data() + end_, static_cast<int>(in_.size() - end_));
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    return Filled::kSome;
  }
  if (SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ) return Filled::kNothingYet;
  broken_ = true;
  return Filled::kEnd;
}

bool TlsStream::Fill() {
  if (!Flush()) return false;
  // Who always has more on its way is late as well.
  const bool waits = SSL_has_pending(ssl_) == 0;
  if (waits ? !Await(POLLIN) : TimeLeft(connection_.phase) == 0) return false;
  for (;;) {
    const Filled filled = TryFill();
    if (filled != Filled::kNothingYet) return filled == Filled::kSome;
    if (!Await(POLLIN)) return false;
  }
}

bool TlsStream::Holds(std::size_t bytes) {
  if (bytes > in_.size()) return false;
  while (end_ - begin_ < bytes) {
    if (TryFill() != Filled::kSome) return false;
  }
  return true;
}

// Head and body of an answer leave in one record where they fit.
bool TlsStream::Write(const char* data, std::size_t size) {
  if (out_.size() + size <= in_.size()) {
    out_.append(data, size);
    return !broken_;
  }
  return Flush() && WriteAll(data, size);
}

bool TlsStream::Flush() {
  if (out_.empty()) return !broken_;
  const bool written = WriteAll(out_.data(), out_.size());
  out_.clear();
  return written;
}

bool TlsStream::WriteAll(const char* data, std::size_t size) {
  while (!broken_ && size > 0) {
    ERR_clear_error();
    const auto piece = static_cast<int>(std::min<std::size_t>(size, 1 << 20));
    const int done = SSL_write(ssl_, data, piece);
    if (done > 0) {
      data += done;
      size -= static_cast<std::size_t>(done);
    } else if (!AwaitFor(done)) {
      broken_ = true;
    }
  }
  return !broken_;
}

void TlsStream::Linger() {
  const Connections::Limits& limits = connections_.limits();
  const int fd = connection_.socket;
  if (!connection_.Enter(Phase::kLinger)) return;
  Close();
  shutdown(fd, SHUT_WR);
  const std::int64_t most = connections_.stopping() ? kSilence : limits.linger_ms;
  const std::int64_t until = SteadyMs() + most;
  // Below TLS: these bytes are never decrypted, so they cannot be taken for a request.
  for (std::size_t taken = 0; taken < limits.linger_bytes;) {
    const std::int64_t left = until - SteadyMs();
    pollfd wait{fd, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(std::min(left, kSilence))) <= 0) break;
    const auto got = recv(fd, in_.data(), in_.size(), MSG_DONTWAIT);
    if (got <= 0) break;
    taken += static_cast<std::size_t>(got);
  }
}

void TlsStream::Close() {
  if (broken_ || SSL_is_init_finished(ssl_) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // only sends the end; what the peer may answer is not waited for
}

}  // namespace coffer::api
