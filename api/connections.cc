#include "api/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "crypto/certificate.h"
#include "crypto/encoding.h"

namespace coffer::api {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kNoDeadline = INT64_MAX;
constexpr std::chrono::milliseconds kWatchInterval{250};
// With most workers taken, a connection that waits for its next request must make room.
constexpr std::chrono::seconds kIdleUnderPressure{2};
// A refused peer that sent nothing for so many milliseconds has stopped.
constexpr std::int64_t kSilence = 500;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
      .count();
}

std::string PeerAddress(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
          : &reinterpret_cast<sockaddr_in*>(&address)->sin_addr;
  const char* printed = inet_ntop(address.ss_family, raw, text.data(), text.size());
  return printed == nullptr ? std::string() : std::string(printed);
}

// Verified in the handshake, or there would be no connection. One that cannot be read binds to
// nothing, but was shown.
std::optional<vault::ClientCertificate> ReadPeerCertificate(const SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl), X509_free);
  if (peer == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  vault::ClientCertificate certificate;
  unsigned char* der = nullptr;
  const int size = i2d_X509(peer.get(), &der);
  if (size <= 0) return certificate;
  const auto facts = crypto::ReadCertificate({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  if (!facts) return certificate;
  certificate.bindings.push_back("spki:" + crypto::HexEncode(facts->spki));
  certificate.bindings.insert(certificate.bindings.end(), facts->names.begin(), facts->names.end());
  return certificate;
}

int SslIndex();
int ContextIndex();

thread_local SSL* served = nullptr;

}  // namespace

struct Connections::Connection {
  Connections* owner = nullptr;
  int fd = -1;
  std::string address;
  std::atomic<std::int64_t> deadline_ms{kNoDeadline};
  std::atomic<std::int64_t> idle_since_ms{0};  // 0: busy
  std::atomic<bool> doomed{false};
  // Of the thread that serves the connection alone.
  bool certificate_read = false;
  std::optional<vault::ClientCertificate> certificate;
};

// OpenSSL calls these; they find their way back through ex_data.
struct ConnectionCallbacks {
  static void Info(const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
    if (SSL_get_ex_data(ssl, SslIndex()) != nullptr) return;  // a later handshake message
    auto* connections =
        static_cast<Connections*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ContextIndex()));
    if (connections != nullptr) connections->Opened(const_cast<SSL*>(ssl));
  }
  // Runs in SSL_free, before the socket is closed: the descriptor is still ours until then.
  static void Free(void* ssl, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    if (ssl == served) served = nullptr;
    auto* connection = static_cast<Connections::Connection*>(data);
    if (connection != nullptr) connection->owner->Closed(connection);
  }
  static Connections::Connection* Of(const SSL* ssl) {
    return ssl == nullptr ? nullptr
                          : static_cast<Connections::Connection*>(SSL_get_ex_data(ssl, SslIndex()));
  }
};

namespace {

int SslIndex() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, ConnectionCallbacks::Free);
  return index;
}

int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

Connections::Connections(const Limits& limits) : limits_(limits), watchdog_([this] { Watch(); }) {}

Connections::~Connections() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  watchdog_.join();
}

void Connections::Attach(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, ContextIndex(), this);
  SSL_CTX_set_info_callback(context, ConnectionCallbacks::Info);
}

std::optional<vault::ClientCertificate> Connections::ClientCertificateOf(const SSL* ssl) {
  Connection* const connection = ConnectionCallbacks::Of(ssl);
  if (connection == nullptr) return std::nullopt;
  if (!connection->certificate_read) {
    connection->certificate_read = true;
    connection->certificate = ReadPeerCertificate(ssl);
  }
  return connection->certificate;
}

void Connections::Opened(SSL* ssl) {
  auto owned = std::make_unique<Connection>();
  Connection* connection = owned.get();
  connection->owner = this;
  connection->fd = SSL_get_fd(ssl);
  connection->address = PeerAddress(connection->fd);
  connection->deadline_ms = NowMs() + std::chrono::milliseconds(limits_.handshake).count();
  if (SSL_set_ex_data(ssl, SslIndex(), connection) != 1) {
    shutdown(connection->fd, SHUT_RDWR);
    return;
  }
  served = ssl;
  const std::lock_guard lock(mutex_);
  ++counters_.accepted;
  if (++per_address_[connection->address] > limits_.per_address) {
    ++counters_.refused_per_address;
    connection->doomed = true;
    shutdown(connection->fd, SHUT_RDWR);
  }
  open_.emplace(connection, std::move(owned));
}

void Connections::Closed(Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto address = per_address_.find(connection->address);
  if (address != per_address_.end() && --address->second == 0) per_address_.erase(address);
  open_.erase(connection);
}

void Connections::SetDeadline(const SSL* ssl, std::chrono::seconds after) {
  Connection* connection = ConnectionCallbacks::Of(ssl);
  if (connection == nullptr) return;
  connection->idle_since_ms.store(0, std::memory_order_relaxed);
  connection->deadline_ms.store(NowMs() + std::chrono::milliseconds(after).count(),
                                std::memory_order_relaxed);
}

void Connections::StartBody(const SSL* ssl) { SetDeadline(ssl, limits_.body); }

void Connections::StartWork(const SSL* ssl) {
  Connection* connection = ConnectionCallbacks::Of(ssl);
  if (connection == nullptr) return;
  connection->idle_since_ms.store(0, std::memory_order_relaxed);
  connection->deadline_ms.store(kNoDeadline, std::memory_order_relaxed);
}

void Connections::StartReply(const SSL* ssl) { SetDeadline(ssl, limits_.reply); }

void Connections::StartIdle(const SSL* ssl) {
  SetDeadline(ssl, limits_.idle + limits_.handshake);
  if (Connection* connection = ConnectionCallbacks::Of(ssl)) {
    connection->idle_since_ms.store(NowMs(), std::memory_order_relaxed);
  }
}

void Connections::Doom(const SSL* ssl) {
  if (Connection* connection = ConnectionCallbacks::Of(ssl)) connection->doomed = true;
}

bool Connections::IsDoomed(const SSL* ssl) const {
  const Connection* connection = ConnectionCallbacks::Of(ssl);
  return connection != nullptr && connection->doomed;
}

SSL* Connections::OfThisThread() { return served; }

void Connections::Linger(SSL* ssl) {
  const int fd = SSL_get_fd(ssl);
  SetDeadline(ssl, limits_.linger);  // for a peer that takes nothing any more
  ERR_clear_error();
  SSL_shutdown(ssl);  // only sends the end; what the peer may answer is not waited for
  shutdown(fd, SHUT_WR);
  const std::int64_t until = NowMs() + std::chrono::milliseconds(limits_.linger).count();
  std::array<char, 16384> sink{};
  // Below TLS: these bytes are never decrypted, so they cannot be taken for a request.
  for (std::size_t taken = 0; taken < limits_.linger_bytes;) {
    const std::int64_t left = until - NowMs();
    pollfd wait{fd, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(std::min(left, kSilence))) <= 0) break;
    const auto got = recv(fd, sink.data(), sink.size(), MSG_DONTWAIT);
    if (got <= 0) break;
    taken += static_cast<std::size_t>(got);
  }
  shutdown(fd, SHUT_RDWR);
}

Connections::Counters Connections::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.open = open_.size();
  return counters;
}

void Connections::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kWatchInterval, [this] { return stopping_; })) {
    const std::int64_t now = NowMs();
    const bool pressed = open_.size() * 4 >= limits_.workers * 3;
    const std::int64_t idle_limit = std::chrono::milliseconds(kIdleUnderPressure).count();
    for (auto& [connection, owned] : open_) {
      const std::int64_t idle_since = connection->idle_since_ms.load(std::memory_order_relaxed);
      const bool late = connection->deadline_ms.load(std::memory_order_relaxed) <= now;
      const bool idle = pressed && idle_since != 0 && now - idle_since > idle_limit;
      if (!late && !idle) continue;
      connection->deadline_ms.store(kNoDeadline, std::memory_order_relaxed);
      connection->doomed = true;
      ++counters_.timed_out;
      // Only shut down: the worker that owns the connection closes the descriptor.
      shutdown(connection->fd, SHUT_RDWR);
    }
  }
}

}  // namespace coffer::api
