#include "api/internal/https_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <memory>

namespace coffer::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// So often a connection that waits for its next request looks whether the server stops.
constexpr milliseconds kStopLook{50};

thread_local const ServedRequest* served_request = nullptr;

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

bool Accept(SSL* ssl, int socket, milliseconds within) {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_accept(ssl);
    if (done == 1) return true;
    const int why = SSL_get_error(ssl, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
    pollfd wait{socket, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    const int ready = poll(&wait, 1, static_cast<int>(within.count()));
    if (ready <= 0 && (ready == 0 || errno != EINTR)) return false;
  }
}

// What httplib is shown of the request. The coding of a body is undone already.
void Show(const ServedRequest& served, const SSL* ssl, httplib::Request& request) {
  request.ssl = ssl;
  request.method = served.head.method;
  request.target = served.head.target;
  request.headers.clear();
  if (served.refusal) return;
  for (const auto& [name, value] : served.head.headers) request.headers.emplace(name, value);
  request.headers.erase("Transfer-Encoding");
}

}  // namespace

const ServedRequest* HttpsServer::RequestOfThisThread() { return served_request; }

bool HttpsServer::process_and_close_socket(socket_t socket) {
  bool served = false;
  try {
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(ssl_context()), SSL_free);
    if (ssl != nullptr && SSL_set_fd(ssl.get(), socket) == 1) {
      served = Accept(ssl.get(), socket, seconds(read_timeout_sec_)) && Serve(ssl.get(), socket);
      ERR_clear_error();
      if ((SSL_get_shutdown(ssl.get()) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(ssl.get());
    }
  } catch (const std::exception&) {
    // Out of memory outside of a request: the connection ends, the server goes on.
  }
  served_request = nullptr;
  shutdown(socket, SHUT_RDWR);
  close(socket);
  return served;
}

bool HttpsServer::WaitForRequest(const RequestStream& stream) const {
  const auto until = std::chrono::steady_clock::now() + seconds(keep_alive_timeout_sec_);
  while (!stream.WaitForRequest(kStopLook)) {
    if (svr_sock_ == INVALID_SOCKET || std::chrono::steady_clock::now() > until) return false;
  }
  return svr_sock_ != INVALID_SOCKET;
}

bool HttpsServer::Serve(SSL* ssl, int socket) {
  const std::string peer = PeerOf(socket);
  RequestStream stream(ssl, socket,
                       {.read = seconds(read_timeout_sec_), .write = seconds(write_timeout_sec_)});
  // A connection that was told its end must not carry another request, whatever is left of what it
  // sent.
  while (SSL_get_shutdown(ssl) == 0 && WaitForRequest(stream) && stream.ReadHead()) {
    served_request = &stream.request();
    bool closed = false;
    const bool answered =
        process_request(stream, peer, 0, {}, 0, false, closed,
                        [&](httplib::Request& request) { Show(stream.request(), ssl, request); });
    served_request = nullptr;
    if (!answered || closed || !stream.AtEnd()) return answered;
  }
  return true;
}

}  // namespace coffer::api
