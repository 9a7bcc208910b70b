// A peer that writes what it likes: bytes over TLS (or without) to 127.0.0.1, from any address of
// 127.0.0.0/8. For requests that no honest client sends.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/running_vault.h"

namespace coffer::testing {

class RawConnection {
 public:
  struct Options {
    std::string source = "127.0.0.1";
    bool tls = true;
    int tls_version = 0;        // only this one (TLS1_2_VERSION ...); 0: what both know best
    std::string tls12_ciphers;  // OpenSSL cipher list
  };
  explicit RawConnection(int port) : RawConnection(port, Options()) {}
  RawConnection(int port, const Options& options);
  ~RawConnection();
  RawConnection(RawConnection&&) noexcept;

  bool connected() const;        // including the handshake
  std::string protocol() const;  // "TLSv1.3"
  std::string cipher() const;
  int descriptor() const;

  // False when the peer has gone. Blocks while the peer takes nothing, for at most `within`.
  bool Send(const std::string& bytes, std::chrono::seconds within = std::chrono::seconds(60));
  // One answer; status 0 when the connection ended without one.
  HttpReply Read(std::chrono::seconds within = std::chrono::seconds(60));
  // One answer to HEAD, which has no body whatever its length says.
  HttpReply ReadHead(std::chrono::seconds within = std::chrono::seconds(60));
  // True when the peer ended the connection within the time; what else it sent is thrown away.
  bool EndsWithin(std::chrono::seconds within);

 private:
  struct State;
  std::unique_ptr<State> state_;
  bool Fill(std::chrono::steady_clock::time_point until);
};

// "GET /path HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ...\r\nCoffer-Purpose: ...\r\n",
// without the blank line, for more headers to follow.
std::string RequestHead(const std::string& method, const std::string& target,
                        const std::string& token, const std::string& purpose = "client-care");

}  // namespace coffer::testing
