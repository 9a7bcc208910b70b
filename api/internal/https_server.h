// cpp-httplib's TLS server with a loop of its own over the requests of a connection: they are
// answered in the order in which they came, whatever of them is in one TLS record, until one of
// them was refused or not read to its end.
#pragma once

#include <httplib.h>

#include "api/internal/request_stream.h"

namespace coffer::api {

class HttpsServer : public httplib::SSLServer {
 public:
  using SSLServer::SSLServer;
  // The request that the calling thread serves, as it came; null outside.
  static const ServedRequest* RequestOfThisThread();

 private:
  bool process_and_close_socket(socket_t socket) override;
  bool Serve(SSL* ssl, int socket);
  bool WaitForRequest(const RequestStream& stream) const;
};

}  // namespace coffer::api
