// Bounds on one exchange with a server. The HTTP library's timeouts are per read: a server that
// sends a byte now and then, "100 Continue" without an end or half a TLS handshake would be waited
// for for ever. Past its bounds, the connection is shut down.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace coffer::cli {

struct ExchangeLimits {
  // For connecting, the handshake, sending and the answer's headers. The bodies have more: the time
  // they take at kSlowestBytesPerS.
  std::chrono::seconds patience{60};
  std::chrono::seconds deadline{0};  // for everything; 0: none
  std::size_t body_bytes = 0;        // of the request
};

class ExchangeWatch {
 public:
  enum class Bound { kNone, kTime, kSize };

  static constexpr std::uint64_t kSlowestBytesPerS = 8192;
  // What is received beyond the body that was taken, such as headers, and lies unread in the
  // kernel.
  static constexpr std::uint64_t kMostBeside = std::uint64_t{64} << 20;

  ExchangeWatch() = default;
  ~ExchangeWatch();
  ExchangeWatch(const ExchangeWatch&) = delete;
  ExchangeWatch& operator=(const ExchangeWatch&) = delete;

  // Over the connection that is there, or none (-1).
  void Begin(const ExchangeLimits& limits, int socket);
  // A new connection, within an exchange.
  void Connected(int socket);
  void Received(std::size_t body_bytes);
  Bound End();  // which bound ended the exchange

 private:
  void Watch();
  Bound Check();
  void Break() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;  // while there is an exchange
  ExchangeLimits limits_;
  std::chrono::steady_clock::time_point began_;
  // A descriptor of its own, so that it never breaks what got the library's number later; none
  // between exchanges, or the library's close would close nothing.
  int socket_ = -1;
  std::uint64_t received_before_ = 0;  // on this connection, ahead of the exchange
  std::uint64_t body_received_ = 0;
  Bound reached_ = Bound::kNone;
  bool running_ = false;
};

}  // namespace coffer::cli
