#include "api/http/connections.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <tuple>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "vault/base/network.h"

namespace coffer::api {
namespace {

constexpr std::chrono::milliseconds kWatchInterval{250};
// A caller who is known keeps a connection for so long that he left a moment ago.
constexpr std::int64_t kIdleUnderPressureMs = 2'000;
// An address has a quarter of the workers for itself: of what it holds beyond them, what is between
// two requests makes room, however short a time ago it asked.
constexpr std::size_t kShareOfWorkers = 4;
// At a stop a stranger takes an answer that is there at once, or never.
constexpr std::int64_t kStopAnswerToStrangerMs = 1'000;

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

thread_local Connection* of_this_thread = nullptr;

// From its handshake to its end a connection is one thread's, and no other asks about it.
Connection* Of(const SSL* ssl) {
  return of_this_thread != nullptr && ssl != nullptr && of_this_thread->ssl == ssl ? of_this_thread
                                                                                   : nullptr;
}

enum class Rank : std::uint8_t { kAnswered, kUnknown, kIdle, kSlow, kCrowd };

// How soon it has to go when there is no room; nothing: not at all. `crowd`: its address holds more
// than its share.
std::optional<Rank> RankOf(const Connection& connection, std::int64_t now, std::int64_t patience_ms,
                           bool crowd) {
  const Phase phase = connection.phase.load(std::memory_order_relaxed);
  if (phase == Phase::kWork || phase == Phase::kCut) return std::nullopt;
  if (phase == Phase::kLinger) return Rank::kAnswered;
  if (!connection.known.load(std::memory_order_relaxed)) return Rank::kUnknown;
  const std::int64_t since = now - connection.since_ms.load(std::memory_order_relaxed);
  if (phase == Phase::kIdle) {
    if (since >= kIdleUnderPressureMs) return Rank::kIdle;
    return crowd ? std::optional(Rank::kCrowd) : std::nullopt;
  }
  return since >= patience_ms ? std::optional(Rank::kSlow) : std::nullopt;
}

}  // namespace

Connections::Connections(const Limits& limits) : limits_(limits) {}

Connections::~Connections() { End(); }

void Connections::Begin(std::function<void(Connection&)> serve) {
  serve_ = std::move(serve);
  {
    // A thread that has not run yet is as free as one that waits: nobody need go for its place.
    const std::lock_guard lock(mutex_);
    idle_workers_ = limits_.workers;
  }
  for (std::size_t i = 0; i < limits_.workers; ++i) workers_.emplace_back([this] { Serve(); });
  watch_ = std::thread([this] { Watch(); });
}

void Connections::Admit(int socket, std::string_view address) {
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  const std::int64_t now = SteadyMs();
  const std::string block = vault::AddressBlock(address).value_or(std::string(address));
  const std::lock_guard lock(mutex_);
  ++counters_.accepted;
  const auto refuse = [&](std::uint64_t& counter) {
    ++counter;
    close(socket);
  };
  if (stopping_) return refuse(counters_.refused_stopping);
  if (const auto found = peers_.find(block);
      found != peers_.end() && found->second.open >= limits_.per_address) {
    Connection* const victim = Choose(&found->second, now, Among::kAll);
    // What was cut is not gone yet: many newcomers at once are not let in on its account.
    if (victim == nullptr || found->second.open >= 2 * limits_.per_address) {
      return refuse(counters_.refused_per_address);
    }
    ++counters_.refused_per_address;
    if (victim->Cut()) Shut(*victim);
  }
  if (waiting_.size() >= limits_.waiting) {
    Connection* const victim = Choose(nullptr, now, Among::kAll);
    if (victim == nullptr || waiting_.size() >= 2 * limits_.waiting) {
      return refuse(counters_.refused_full);
    }
    Evict(*victim);
  }
  Peer& peer = peers_[block];
  if (peer.block.empty()) peer.block = block;
  auto owned = std::make_unique<Connection>(socket, &peer, now);
  Connection* const connection = owned.get();
  open_.emplace(connection, std::move(owned));
  try {
    waiting_.push_back(connection);
  } catch (const std::bad_alloc&) {
    open_.erase(connection);
    throw;
  }
  ++peer.open;
  ++peer.unknown;
  arrived_.notify_one();
  MakeRoom();
}

// The first to go: by rank, then of strangers those whose address has the most of them, and of a
// crowd those whose address is served most, then the one that is waited for the longest.
Connection* Connections::Choose(const Peer* only, std::int64_t now, Among among) const {
  const std::size_t share = std::max<std::size_t>(1, limits_.workers / kShareOfWorkers);
  Connection* chosen = nullptr;
  std::tuple<Rank, std::size_t, std::int64_t> best;
  std::size_t strangers = 0;  // that are served
  for (const auto& [connection, owned] : open_) {
    if (only != nullptr && connection->peer != only) continue;
    const Phase phase = connection->phase;
    if (phase != Phase::kWaiting && phase != Phase::kCut && !connection->known) ++strangers;
    if (among == Among::kServed &&
        (phase == Phase::kWaiting || now - connection->served_ms < limits_.tenure_ms)) {
      continue;
    }
    const Peer& peer = *connection->peer;
    const auto rank = RankOf(*connection, now, limits_.pace.patience_ms,
                             among == Among::kServed && peer.served > share);
    if (!rank) continue;
    const bool unknown = *rank == Rank::kUnknown;
    const std::size_t most = unknown                 ? peer.unknown
                             : *rank == Rank::kCrowd ? peer.served
                                                     : SIZE_MAX;
    const std::tuple key(*rank, SIZE_MAX - most,
                         unknown ? connection->opened_ms : connection->since_ms.load());
    if (chosen == nullptr || key < best) {
      chosen = connection;
      best = key;
    }
  }
  // Room for newcomers, and not for as many as care to come: strangers make room for each other.
  if (chosen != nullptr && std::get<Rank>(best) == Rank::kCrowd && strangers >= share) {
    return nullptr;
  }
  return chosen;
}

void Connections::MakeRoom() {
  const std::int64_t now = SteadyMs();
  while (waiting_.size() > idle_workers_ + leaving_) {
    Connection* const victim = Choose(nullptr, now, Among::kServed);
    if (victim == nullptr) return;
    Evict(*victim);
  }
}

void Connections::Evict(Connection& victim) {
  const Phase was = victim.phase.load(std::memory_order_relaxed);
  if (!victim.Cut()) return;
  if (was != Phase::kLinger) {
    ++(!victim.known.load()  ? counters_.evicted_unknown
       : was == Phase::kIdle ? counters_.evicted_idle
                             : counters_.evicted_slow);
  }
  Shut(victim);
}

// Of one that is cut. The worker that owns it closes the descriptor; one that waits has none.
void Connections::Shut(Connection& victim) {
  const auto waits = std::ranges::find(waiting_, &victim);
  if (waits == waiting_.end()) {
    ++leaving_;
    --victim.peer->served;
    shutdown(victim.socket, SHUT_RDWR);
    return;
  }
  waiting_.erase(waits);
  Remove(victim);
}

void Connections::Remove(Connection& connection) {
  Peer& peer = *connection.peer;
  if (!connection.known.load()) --peer.unknown;
  close(connection.socket);
  // Nothing is allocated here: no thread that ends a connection may fail.
  if (--peer.open == 0) peers_.erase(peers_.find(peer.block));
  open_.erase(&connection);
}

void Connections::Serve() {
  std::unique_lock lock(mutex_);
  for (bool begins = true;; begins = false) {
    if (!begins) ++idle_workers_;
    arrived_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    --idle_workers_;
    if (waiting_.empty()) break;
    Connection& connection = *waiting_.front();
    waiting_.pop_front();
    connection.served_ms = SteadyMs();
    ++connection.peer->served;
    const bool begun = connection.Enter(Phase::kHandshake);
    lock.unlock();
    of_this_thread = &connection;
    try {
      if (begun) serve_(connection);
    } catch (const std::exception&) {
      // Out of memory outside of a request: the connection ends, the server goes on.
    }
    of_this_thread = nullptr;
    lock.lock();
    --(connection.phase == Phase::kCut ? leaving_ : connection.peer->served);
    Remove(connection);
  }
  lock.unlock();
  OPENSSL_thread_stop();
}

// Who waits for a worker for longer than a peer would be waited for is turned away; and room that
// nobody could make when somebody arrived is made now.
void Connections::Watch() {
  std::unique_lock lock(mutex_);
  while (!watch_changed_.wait_for(lock, kWatchInterval, [this] { return ended_; })) {
    const std::int64_t now = SteadyMs();
    while (!waiting_.empty() && now - waiting_.front()->opened_ms >= limits_.pace.patience_ms &&
           waiting_.front()->Cut()) {
      ++counters_.refused_full;
      Shut(*waiting_.front());
    }
    MakeRoom();
  }
}

void Connections::BeginStop() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  stopped_ms_ = SteadyMs();
  stopping_ = true;
  for (auto next = open_.begin(); next != open_.end();) {
    Connection& connection = *(next++)->first;  // one that waits is removed
    if (connection.phase == Phase::kAnswer && connection.known) continue;
    if (connection.Cut()) Shut(connection);
  }
}

void Connections::End() {
  BeginStop();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  arrived_.notify_all();
  watch_changed_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  if (watch_.joinable()) watch_.join();
}

std::int64_t Connections::StopAnswersAt(const Connection& connection) const {
  if (!stopping_) return INT64_MAX;
  return stopped_ms_ + (connection.known ? limits_.stop_answer_ms : kStopAnswerToStrangerMs);
}

bool Connections::StartBody(const SSL* ssl, std::uint64_t limit) {
  Connection* const connection = Of(ssl);
  if (connection != nullptr) connection->body_limit = limit;
  return connection == nullptr || (connection->Enter(Phase::kBody) && !stopping_);
}

bool Connections::StartWork(const SSL* ssl) {
  Connection* const connection = Of(ssl);
  return connection == nullptr || connection->Enter(Phase::kWork);
}

bool Connections::StartReply(const SSL* ssl) {
  Connection* const connection = Of(ssl);
  return connection == nullptr || connection->Enter(Phase::kAnswer);
}

bool Connections::StartHeaders(Connection& connection) {
  return connection.Enter(Phase::kHeaders) && !stopping_;
}

bool Connections::StartIdle(Connection& connection) {
  return connection.Enter(Phase::kIdle) && !stopping_;
}

void Connections::Doom(const SSL* ssl) {
  if (Connection* connection = Of(ssl)) connection->doomed = true;
}

bool Connections::IsDoomed(const SSL* ssl) const {
  const Connection* connection = Of(ssl);
  return connection != nullptr && connection->doomed;
}

void Connections::SetKnown(const SSL* ssl, bool known) {
  Connection* const connection = Of(ssl);
  if (connection == nullptr || connection->known == known) return;
  const std::lock_guard lock(mutex_);
  connection->known = known;
  known ? --connection->peer->unknown : ++connection->peer->unknown;
}

bool Connections::Holds(const SSL* ssl, std::size_t bytes) {
  Connection* const connection = Of(ssl);
  return connection != nullptr && connection->stream != nullptr && connection->stream->Holds(bytes);
}

bool Connections::IsLate(const SSL* ssl) const {
  const Connection* connection = Of(ssl);
  return connection != nullptr && connection->stream != nullptr && connection->stream->late();
}

std::optional<vault::ClientCertificate> Connections::ClientCertificateOf(const SSL* ssl) {
  Connection* const connection = Of(ssl);
  if (connection == nullptr) return std::nullopt;
  if (!connection->certificate_read) {
    connection->certificate_read = true;
    connection->certificate = ReadPeerCertificate(ssl);
  }
  return connection->certificate;
}

SSL* Connections::OfThisThread() {
  return of_this_thread == nullptr ? nullptr : of_this_thread->ssl;
}

void Connections::CountLate(Phase phase) {
  const std::lock_guard lock(mutex_);
  ++counters_.timed_out;
  switch (phase) {
    case Phase::kHandshake:
      ++counters_.late_handshake;
      break;
    case Phase::kBody:
      ++counters_.late_body;
      break;
    case Phase::kAnswer:
    case Phase::kWork:
      ++counters_.late_answer;
      break;
    case Phase::kIdle:
      ++counters_.late_idle;
      break;
    default:
      ++counters_.late_headers;
  }
}

Connections::Counters Connections::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.open = open_.size();
  return counters;
}

}  // namespace coffer::api
