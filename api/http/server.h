// The HTTPS server: TLS, limits, and the pipeline that every request goes through. cpp-httplib
// stays behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "api/http/connections.h"
#include "api/http/route.h"
#include "api/http/tls.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace coffer::api {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8443;  // 0: any free port
  TlsFiles tls;
  std::size_t workers = 256;
  std::size_t connections_per_address = 128;
  std::uint32_t idle_timeout_s = 15;
  // How long a peer may be silent within a request, a handshake or an answer, and how fast it must
  // be on the whole.
  std::uint32_t patience_s = 10;
  std::uint32_t min_bytes_per_s = 16'384;
  std::vector<vault::Network> trusted_proxies;  // whose X-Forwarded-For is believed
  // Called after each request, with what is safe to log. Null: not called.
  std::function<void(std::string_view request_id, std::string_view operation, int status,
                     std::int64_t microseconds)>
      on_request;
  vault::OperatorLog log;
};

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
