// The HTTPS server: TLS, limits, and the pipeline that every request goes through. cpp-httplib
// stays behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/connections.h"
#include "api/metrics.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace coffer::api {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8443;                 // 0: any free port
  std::string certificate;         // PEM file, the chain
  std::string private_key;         // PEM file
  std::string client_authorities;  // PEM file: of client certificates, beside the vault's own
  std::size_t workers = 256;
  std::size_t connections_per_address = 128;
  std::uint32_t idle_timeout_s = 15;
  std::vector<vault::Network> trusted_proxies;  // whose X-Forwarded-For is believed
  // Called after each request, with what is safe to log. Null: not called.
  std::function<void(std::string_view request_id, std::string_view operation, int status,
                     std::int64_t microseconds)>
      on_request;
  vault::OperatorLog log;
};

class Server {
 public:
  // Binds the port. Errors: kInvalidArgument "certificate_unusable"; kConflict "port_taken";
  // kUnavailable "address_unusable".
  static Result<std::unique_ptr<Server>> Create(vault::Vault& vault, const ServerOptions& options);
  ~Server();

  int port() const;
  // Serves until Stop(); running requests finish before it returns.
  void Run();
  void Stop();  // from any thread, not from a signal handler

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
