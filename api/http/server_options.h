// What a server is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/tls.h"
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

}  // namespace coffer::api
