// Bounds on connections, by a look at each TLS handshake and a watchdog: cpp-httplib gives each
// connection a thread and its read timeout is per recv, so a peer that sends one byte a second
// would hold a thread for ever. Each connection has a deadline; past it, its socket is shut down.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "vault/vault.h"

struct ssl_ctx_st;
struct ssl_st;

namespace coffer::api {

class Connections {
 public:
  struct Limits {
    std::size_t workers = 256;  // connections that are served at a time
    std::size_t per_address = 128;
    std::chrono::seconds handshake{10};  // until the first request's headers are complete
    std::chrono::seconds idle{15};       // between requests
    std::chrono::seconds body{30};       // to send a body
    std::chrono::seconds reply{30};      // to take the answer
    std::chrono::seconds linger{2};      // to stop sending what was refused
    std::size_t linger_bytes = 9 << 20;  // of it, thrown away: the largest body and a MiB
  };
  struct Counters {
    std::size_t open = 0;
    std::uint64_t accepted = 0, refused_per_address = 0, timed_out = 0;
  };

  explicit Connections(const Limits& limits);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Watches every connection of the context from its handshake on. `context` must not outlive this.
  void Attach(ssl_ctx_st* context);

  // What a connection is doing now; each phase has its own deadline.
  void StartBody(const ssl_st* ssl);  // headers are read
  void StartWork(const ssl_st* ssl);  // the body is read: the server's own time, no deadline
  void StartReply(const ssl_st* ssl);
  void StartIdle(const ssl_st* ssl);
  // The connection must not carry another request: refuse whatever follows, and end it.
  void Doom(const ssl_st* ssl);
  bool IsDoomed(const ssl_st* ssl) const;
  // Says that nothing more will be said, throws away what the peer still sends, for a moment, and
  // ends the connection. To close over unread bytes would be a reset, which takes the answer away
  // from a peer that is still sending.
  void Linger(ssl_st* ssl);
  // What the peer's certificate says of it; nothing when it showed none. Read once a connection.
  std::optional<vault::ClientCertificate> ClientCertificateOf(const ssl_st* ssl);
  // The connection that the calling thread serves: from its handshake to its end it is one
  // thread's. Null outside.
  static ssl_st* OfThisThread();

  Counters counters() const;

 private:
  struct Connection;
  friend struct ConnectionCallbacks;

  void Opened(ssl_st* ssl);
  void Closed(Connection* connection);
  void SetDeadline(const ssl_st* ssl, std::chrono::seconds after);
  void Watch();

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
  std::unordered_map<std::string, std::size_t> per_address_;
  Counters counters_;
  bool stopping_ = false;
  std::thread watchdog_;
};

}  // namespace coffer::api
