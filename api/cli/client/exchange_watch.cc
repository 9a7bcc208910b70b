#include "api/cli/client/exchange_watch.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>

namespace coffer::cli {
namespace {

constexpr std::chrono::milliseconds kLook{50};

// The kernel's struct tcp_info as far as the member that the C library's does not know.
struct LongTcpInfo {
  unsigned char before[128];
  std::uint64_t bytes_received;
};
static_assert(offsetof(LongTcpInfo, bytes_received) > sizeof(tcp_info));

// Bytes that arrived on the connection since it was made; 0 where the kernel does not say.
std::uint64_t BytesReceived(int socket) {
  LongTcpInfo info{};
  socklen_t size = sizeof info;
  if (socket < 0 || getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return size == sizeof info ? info.bytes_received : 0;
}

}  // namespace

ExchangeWatch::~ExchangeWatch() { End(); }

void ExchangeWatch::Connected(int socket) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) close(socket_);
  socket_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  received_before_ = 0;
}

void ExchangeWatch::Begin(const ExchangeLimits& limits, int socket) {
  End();
  if (socket >= 0) Connected(socket);
  limits_ = limits;
  began_ = std::chrono::steady_clock::now();
  received_before_ = BytesReceived(socket_);
  body_received_ = 0;
  reached_ = Bound::kNone;
  running_ = true;
  thread_ = std::thread([this] { Watch(); });
}

void ExchangeWatch::Received(std::size_t body_bytes) {
  const std::lock_guard lock(mutex_);
  body_received_ += body_bytes;
}

ExchangeWatch::Bound ExchangeWatch::End() {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  return reached_;
}

ExchangeWatch::Bound ExchangeWatch::Check() {
  const auto elapsed = std::chrono::steady_clock::now() - began_;
  const std::chrono::seconds for_bodies(
      static_cast<std::int64_t>((limits_.body_bytes + body_received_) / kSlowestBytesPerS));
  if (elapsed > limits_.patience + for_bodies) return Bound::kTime;
  if (limits_.deadline.count() > 0 && elapsed > limits_.deadline) return Bound::kTime;
  const std::uint64_t received = BytesReceived(socket_);
  // The same again for chunks and records, which a server may make small.
  if (received > received_before_ + 2 * body_received_ + kMostBeside) return Bound::kSize;
  return Bound::kNone;
}

// A connection that is shut down still gives what has arrived, in pieces as small as the server
// made them; one that is dissolved gives nothing. While somebody waits in it, it cannot be
// dissolved.
void ExchangeWatch::Break() const {
  if (socket_ < 0) return;
  shutdown(socket_, SHUT_RDWR);
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  static_cast<void>(connect(socket_, &nobody, sizeof nobody));
}

// After a bound is reached it goes on: the library may try with a connection anew.
void ExchangeWatch::Watch() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (reached_ == Bound::kNone) reached_ = Check();
    if (reached_ != Bound::kNone) Break();
    changed_.wait_for(lock, kLook);
  }
}

}  // namespace coffer::cli
