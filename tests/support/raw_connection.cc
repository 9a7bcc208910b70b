#include "tests/support/raw_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace coffer::testing {
namespace {

using Clock = std::chrono::steady_clock;

bool WaitFor(int fd, short events, Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  pollfd wait{fd, events, 0};
  return left.count() > 0 && poll(&wait, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

struct RawConnection::State {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  bool connected = false;
  std::string received;
  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0) close(fd);
  }
};

RawConnection::RawConnection(int port, const Options& options) : state_(std::make_unique<State>()) {
  State& s = *state_;
  const auto until = Clock::now() + std::chrono::seconds(60);
  s.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, options.source.c_str(), &address.sin_addr);
  const int on = 1;
  setsockopt(s.fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (s.fd < 0 || bind(s.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fcntl(s.fd, F_SETFL, O_NONBLOCK);
  if (connect(s.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    if (!WaitFor(s.fd, POLLOUT, until)) return;
    if (getsockopt(s.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return;
  }
  if (!options.tls) {
    s.connected = true;
    return;
  }
  s.context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(s.context, 0);  // old versions are for the server to refuse
  s.ssl = SSL_new(s.context);
  if (options.tls_version != 0) {
    SSL_set_min_proto_version(s.ssl, options.tls_version);
    SSL_set_max_proto_version(s.ssl, options.tls_version);
  }
  if (!options.tls12_ciphers.empty()) SSL_set_cipher_list(s.ssl, options.tls12_ciphers.c_str());
  SSL_set_fd(s.ssl, s.fd);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(s.ssl);
    if (done == 1) break;
    const int why = SSL_get_error(s.ssl, done);
    const short events = why == SSL_ERROR_WANT_READ    ? POLLIN
                         : why == SSL_ERROR_WANT_WRITE ? POLLOUT
                                                       : 0;
    if (events == 0 || !WaitFor(s.fd, events, until)) return;
  }
  s.connected = true;
}

RawConnection::~RawConnection() = default;
RawConnection::RawConnection(RawConnection&&) noexcept = default;

bool RawConnection::connected() const { return state_->connected; }
std::string RawConnection::protocol() const { return SSL_get_version(state_->ssl); }
std::string RawConnection::cipher() const { return SSL_get_cipher_name(state_->ssl); }
int RawConnection::descriptor() const { return state_->fd; }

bool RawConnection::Send(const std::string& bytes, std::chrono::seconds within) {
  const auto until = Clock::now() + within;
  std::size_t sent = 0;
  while (state_->connected && sent < bytes.size()) {
    long written = 0;
    bool wait = false;
    if (state_->ssl == nullptr) {
      written = send(state_->fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      wait = written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    } else {
      const auto piece = std::min<std::size_t>(bytes.size() - sent, 16384);
      ERR_clear_error();  // of other connections of this thread
      written = SSL_write(state_->ssl, bytes.data() + sent, static_cast<int>(piece));
      wait = written <= 0 &&
             SSL_get_error(state_->ssl, static_cast<int>(written)) == SSL_ERROR_WANT_WRITE;
    }
    if (written > 0) {
      sent += static_cast<std::size_t>(written);
    } else if (!wait || !WaitFor(state_->fd, POLLOUT, until)) {
      return false;
    }
  }
  return sent == bytes.size();
}

bool RawConnection::Fill(Clock::time_point until) {
  char buffer[16384];
  while (state_->connected) {
    long got = 0;
    bool wait = false;
    if (state_->ssl == nullptr) {
      got = recv(state_->fd, buffer, sizeof buffer, 0);
      wait = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    } else {
      ERR_clear_error();
      got = SSL_read(state_->ssl, buffer, sizeof buffer);
      wait = got <= 0 && SSL_get_error(state_->ssl, static_cast<int>(got)) == SSL_ERROR_WANT_READ;
    }
    if (got > 0) {
      state_->received.append(buffer, static_cast<std::size_t>(got));
      return true;
    }
    if (!wait) {
      state_->connected = false;
    } else if (!WaitFor(state_->fd, POLLIN, until)) {
      return false;
    }
  }
  return false;
}

HttpReply RawConnection::Read(std::chrono::seconds within) {
  const auto until = Clock::now() + within;
  HttpReply reply = ReadHead(within);
  const auto length = static_cast<std::size_t>(std::atol(reply.Header("content-length").c_str()));
  std::string& in = state_->received;
  while (in.size() < length) {
    if (!Fill(until)) break;
  }
  reply.body = in.substr(0, length);
  in.erase(0, length);
  return reply;
}

HttpReply RawConnection::ReadHead(std::chrono::seconds within) {
  const auto until = Clock::now() + within;
  std::string& in = state_->received;
  while (in.find("\r\n\r\n") == std::string::npos) {
    if (!Fill(until)) return {};
  }
  HttpReply reply;
  const auto end = in.find("\r\n\r\n");
  std::size_t at = in.find("\r\n");
  reply.status = std::atoi(in.substr(in.find(' ') + 1, 3).c_str());
  while (at < end) {
    const auto next = in.find("\r\n", at + 2);
    const auto line = in.substr(at + 2, next - at - 2);
    auto name = line.substr(0, line.find(':'));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    auto value = line.substr(std::min(line.size(), name.size() + 1));
    value.erase(0, value.find_first_not_of(' '));
    reply.headers[name] = value;
    at = next;
  }
  in.erase(0, end + 4);
  return reply;
}

bool RawConnection::EndsWithin(std::chrono::seconds within) {
  const auto until = Clock::now() + within;
  while (Fill(until)) state_->received.clear();
  return !state_->connected;
}

std::string RequestHead(const std::string& method, const std::string& target,
                        const std::string& token, const std::string& purpose) {
  std::string head = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!token.empty()) head += "Authorization: Bearer " + token + "\r\n";
  if (!purpose.empty()) head += "Coffer-Purpose: " + purpose + "\r\n";
  return head;
}

}  // namespace coffer::testing
