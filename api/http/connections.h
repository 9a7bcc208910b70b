// Who is connected, and who has to go when there is no room: each connection that is served holds a
// thread, so those that nobody showed a credential on make room first, then idle ones, then slow
// ones, then those between two requests of an address that has more than its share. Work that has
// begun is never cut.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/http/connection.h"

namespace coffer::api {

class Connections {
 public:
  struct Limits {
    std::size_t workers = 256;  // connections that are served at a time
    std::size_t waiting = 128;  // for a worker
    std::size_t per_address = 128;
    Pace pace;
    std::int64_t idle_ms = 15'000;       // between requests
    std::int64_t linger_ms = 2'000;      // to stop sending what was refused
    std::size_t linger_bytes = 9 << 20;  // of it, thrown away: the largest body and a MiB
    // So long whoever got a worker has it to show who he is, unless more wait than there is room
    // for: a burst of honest callers waits, instead of pushing each other out.
    std::int64_t tenure_ms = 1'000;
    std::int64_t stop_answer_ms = 5'000;  // at a stop, to take the answer of what was worked on
  };
  struct Counters {
    std::size_t open = 0;
    std::uint64_t accepted = 0, refused_per_address = 0, timed_out = 0;
    std::uint64_t refused_full = 0, refused_stopping = 0;
    // To make room, by what they were then.
    std::uint64_t evicted_unknown = 0, evicted_idle = 0, evicted_slow = 0;
    // Too slow, or silent; all of them are `timed_out`.
    std::uint64_t late_handshake = 0, late_headers = 0, late_body = 0, late_answer = 0,
                  late_idle = 0;
  };

  explicit Connections(const Limits& limits);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Threads that serve what is admitted. `serve` returns when the connection is to be closed.
  void Begin(std::function<void(Connection&)> serve);
  // Takes over an accepted socket from `address`.
  void Admit(int socket, std::string_view address);
  // Closes all but those whose request is being worked on, or whose answer a known caller takes.
  void BeginStop();
  // As BeginStop; returns when the last of them has ended, and their threads.
  void End();
  bool stopping() const { return stopping_.load(); }
  // Until when an answer may be written at a stop.
  std::int64_t StopAnswersAt(const Connection& connection) const;

  // What a connection does now. False: it was cut, and what would begin must not.
  bool StartBody(const ssl_st* ssl, std::uint64_t limit);
  bool StartWork(const ssl_st* ssl);
  bool StartReply(const ssl_st* ssl);
  bool StartHeaders(Connection& connection);
  bool StartIdle(Connection& connection);
  // The connection must not carry another request: refuse whatever follows, and end it.
  void Doom(const ssl_st* ssl);
  bool IsDoomed(const ssl_st* ssl) const;
  // Whether its last request was by somebody whom the vault knows.
  void SetKnown(const ssl_st* ssl, bool known);
  // So many bytes of a body are here already, and need not be waited for.
  bool Holds(const ssl_st* ssl, std::size_t bytes);
  // Whether the peer was too slow, and was given up.
  bool IsLate(const ssl_st* ssl) const;
  // What the peer's certificate says of it; nothing when it showed none. Read once a connection.
  std::optional<vault::ClientCertificate> ClientCertificateOf(const ssl_st* ssl);
  // The connection that the calling thread serves. Null outside.
  static ssl_st* OfThisThread();

  void CountLate(Phase phase);
  Counters counters() const;
  const Limits& limits() const { return limits_; }

 private:
  void Serve();
  void Watch();
  void Remove(Connection& connection);
  // With the lock.
  void MakeRoom();
  enum class Among { kAll, kServed };  // kServed: that hold a worker, and have had their time
  Connection* Choose(const Peer* only, std::int64_t now, Among among) const;
  void Evict(Connection& victim);
  void Shut(Connection& victim);

  const Limits limits_;
  std::function<void(Connection&)> serve_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_, watch_changed_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
  std::deque<Connection*> waiting_;
  std::unordered_map<std::string, Peer> peers_;
  std::size_t idle_workers_ = 0;
  std::size_t leaving_ = 0;  // cut, and still holding their workers
  Counters counters_;
  bool ended_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> stopped_ms_{0};
  std::vector<std::thread> workers_;
  std::thread watch_;
};

}  // namespace coffer::api
