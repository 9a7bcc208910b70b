// httplib's server, with its threads, its TLS and its loop over the requests of a connection
// replaced by ours: they are answered in the order in which they came, whatever of them is in one
// TLS record, until one of them was refused or not read to its end. Of httplib are the listening
// socket and what handlers see.
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "api/http/connections.h"
#include "api/http/request_stream.h"

namespace coffer::api {

class TlsServer final : public httplib::SSLServer {
 public:
  TlsServer(Connections& connections, const std::function<bool(SSL_CTX&)>& set_up);
  // What the calling thread reads its requests from; null outside.
  static RequestStream* StreamOfThisThread();

  // The port, or nothing when it cannot be had.
  std::optional<int> Bind(const std::string& address, int port);
  // Whether Bind would find one, tried and given back.
  static bool CanBind(const std::string& address, int port);
  // Serves a connection until it is to be closed.
  void Serve(Connection& connection);

 private:
  // On the thread that accepts: the connection is only handed on.
  bool process_and_close_socket(socket_t socket) override;
  void ServeRequests(Connection& connection, SSL* ssl);

  Connections& connections_;
};

}  // namespace coffer::api
