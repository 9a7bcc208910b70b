// The HTTPS server: it listens, and hands what it accepts to the pipeline (pipeline.h). cpp-httplib
// stays behind it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "api/http/route.h"
#include "api/http/server_options.h"
#include "api/http/tls.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace coffer::api {

class Server {
 public:
  // Binds the port, which no other process can then have as well. Errors: those of CheckTlsFiles;
  // kConflict "port_taken".
  // `routes` live as long as the server.
  static Result<std::unique_ptr<Server>> Create(vault::Vault& vault, std::span<const Route> routes,
                                                const ServerOptions& options);
  ~Server();

  int port() const;
  // Serves until Stop(); requests that are being worked on finish before it returns. Errors:
  // kUnavailable "listening_failed" when connections cannot be accepted any more.
  Status Run();
  // Returns when Run() is about to, or before it was called, which then serves nothing. From one
  // other thread, not from a signal handler.
  void Stop();
  // As Tls::Exchange, while serving.
  Status ExchangeCertificates(const TlsFiles& files);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether a server could listen there; free again on return. Errors: as Server::Create.
Status CheckPort(const std::string& address, int port);

}  // namespace coffer::api
