// A TLS server on a free port of 127.0.0.1 that answers in any way a test likes, also such as no
// server should. One connection and one request of it at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace coffer::testing {

class TlsServer {
 public:
  using Write = std::function<bool(std::string_view)>;  // false when the client is gone
  // Gets the request up to its blank line. The connection is closed afterwards.
  using Answer = std::function<void(const std::string& head, const Write& write)>;

  explicit TlsServer(Answer answer);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  int port() const;
  std::string ca_file() const;
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port()); }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::testing
