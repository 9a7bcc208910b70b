#include "api/http/tls_server.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <new>

#include "api/http/tls_stream.h"

namespace coffer::api {
namespace {

constexpr int kAcceptBacklog = 1024;

// Runs what httplib has for a thread at once: it hands an accepted socket to the connections.
class AtOnce final : public httplib::TaskQueue {
 public:
  bool enqueue(std::function<void()> task) override {
    task();
    return true;
  }
  // When the listening socket fails, what is connected goes on.
  void shutdown() override {}
};

// What httplib sets, SO_REUSEPORT, lets a second server have the port too: half of the tokens would
// reach the wrong vault. This only lets a server have it again whose old connections linger.
void ReuseAddress(int socket) {
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

thread_local RequestStream* stream_of_this_thread = nullptr;

class Shown {
 public:
  explicit Shown(RequestStream& stream) { stream_of_this_thread = &stream; }
  ~Shown() { stream_of_this_thread = nullptr; }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;
};

// What httplib is shown of the request. Its body is none of httplib's.
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

RequestStream* TlsServer::StreamOfThisThread() { return stream_of_this_thread; }

TlsServer::TlsServer(Connections& connections, const std::function<bool(SSL_CTX&)>& set_up)
    : SSLServer(set_up), connections_(connections) {
  new_task_queue = []() -> httplib::TaskQueue* { return new AtOnce; };
  set_socket_options(ReuseAddress);
  set_tcp_nodelay(true);
  set_keep_alive_timeout(static_cast<time_t>(connections.limits().idle_ms / 1000));
}

std::optional<int> TlsServer::Bind(const std::string& address, int port) {
  const int bound = port == 0 ? bind_to_any_port(address) : bind_to_port(address, port) ? port : -1;
  if (bound < 0) return std::nullopt;
  // httplib's backlog of 5 overflows in a burst of honest connections.
  ::listen(svr_sock_, kAcceptBacklog);
  return bound;
}

bool TlsServer::CanBind(const std::string& address, int port) {
  // httplib itself closes the socket of a server that ran only.
  struct Listener : httplib::Server {
    ~Listener() override {
      if (svr_sock_ != INVALID_SOCKET) close(svr_sock_);
    }
  } http;
  http.set_socket_options(ReuseAddress);
  return port == 0 ? http.bind_to_any_port(address) >= 0 : http.bind_to_port(address, port);
}

bool TlsServer::process_and_close_socket(socket_t socket) {
  try {
    connections_.Admit(socket, PeerOf(socket));
    return true;
  } catch (const std::bad_alloc&) {
    close(socket);
    return false;
  }
}

void TlsServer::Serve(Connection& connection) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(ssl_context()), SSL_free);
  if (ssl == nullptr || SSL_set_fd(ssl.get(), connection.socket) != 1) return;
  connection.ssl = ssl.get();
  ServeRequests(connection, ssl.get());
  connection.ssl = nullptr;
}

void TlsServer::ServeRequests(Connection& connection, SSL* ssl) {
  TlsStream bytes(connections_, connection, ssl);
  if (!bytes.Accept() || !connections_.StartHeaders(connection)) return;
  const std::string peer = PeerOf(connection.socket);
  RequestStream requests(bytes);
  const Shown shown(requests);
  for (bool first = true;; first = false) {
    if (!requests.AwaitRequest()) break;
    if (!first && !connections_.StartHeaders(connection)) return;
    if (!requests.ReadHead()) break;
    bool closed = false;
    bool answered =
        process_request(requests, peer, 0, {}, 0, false, closed,
                        [&](httplib::Request& request) { Show(requests.request(), ssl, request); });
    answered = bytes.Flush() && answered;
    if (connection.doomed || (answered && !requests.AtEnd())) return bytes.Linger();
    if (!answered || closed || !connections_.StartIdle(connection)) break;
  }
  bytes.Close();
}

}  // namespace coffer::api
