#include "api/internal/tls_server.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <new>

#include "api/internal/tls_stream.h"

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

}  // namespace

TlsServer::TlsServer(Connections& connections, const std::function<bool(SSL_CTX&)>& set_up,
                     std::function<std::string()> late_answer)
    : SSLServer(set_up), connections_(connections), late_answer_(std::move(late_answer)) {
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

bool TlsServer::process_and_close_socket(socket_t socket) {
  try {
    std::string ip;
    int port = 0;
    PeerOf(socket, ip, port);
    connections_.Admit(socket, ip);
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
  TlsStream stream(connections_, connection, ssl);
  if (!stream.Accept() || !connections_.StartHeaders(connection)) return;
  std::string remote, local;
  int remote_port = 0, local_port = 0;
  stream.get_remote_ip_and_port(remote, remote_port);
  stream.get_local_ip_and_port(local, local_port);
  const auto set_up = [ssl](httplib::Request& request) { request.ssl = ssl; };
  for (bool first = true;; first = false) {
    if (!stream.AwaitRequest()) break;
    if (!first && !connections_.StartHeaders(connection)) return;
    bool closed = false;
    bool answered =
        process_request(stream, remote, remote_port, local, local_port, false, closed, set_up);
    if (!answered && stream.late() && !stream.wrote() && connections_.StartReply(ssl)) {
      const std::string answer = late_answer_();
      stream.write(answer.data(), answer.size());
      connection.doomed = true;
    }
    answered = stream.Flush() && answered;
    if (connection.doomed) return stream.Linger();
    if (!answered || closed || !connections_.StartIdle(connection)) break;
  }
  stream.Close();
}

}  // namespace coffer::api
