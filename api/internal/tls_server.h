// httplib's server, with its threads, its TLS and its look at connections replaced by ours: of
// httplib are the listening socket, and what a request and an answer look like.
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "api/connections.h"

namespace coffer::api {

class TlsServer final : public httplib::SSLServer {
 public:
  // `late_answer`: what is said to a peer whose request line never came, with its head.
  TlsServer(Connections& connections, const std::function<bool(SSL_CTX&)>& set_up,
            std::function<std::string()> late_answer);

  // The port, or nothing when it cannot be had.
  std::optional<int> Bind(const std::string& address, int port);
  // Serves a connection until it is to be closed.
  void Serve(Connection& connection);

 private:
  // On the thread that accepts: the connection is only handed on.
  bool process_and_close_socket(socket_t socket) override;
  void ServeRequests(Connection& connection, SSL* ssl);

  Connections& connections_;
  const std::function<std::string()> late_answer_;
};

}  // namespace coffer::api
