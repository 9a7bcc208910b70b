// One accepted connection: what its own thread, and those that look for room, know of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "vault/vault.h"

struct ssl_st;

namespace coffer::api {

// What others than the one that reads them are told of a connection's bytes.
class ByteStream {
 public:
  // Whether so many bytes are here without waiting. False also where they are more than one buffer.
  virtual bool Holds(std::size_t bytes) = 0;
  virtual bool late() const = 0;  // the peer was too slow, and was given up

 protected:
  ~ByteStream() = default;
};

// What is waited for. Each phase has a patience of its own; in kWork it is the server that works.
enum class Phase : std::uint8_t {
  kWaiting,  // for a thread
  kHandshake,
  kHeaders,
  kBody,
  kWork,
  kAnswer,
  kIdle,
  kLinger,
  kCut,  // another thread has shut the socket down: nothing may begin on it any more
};

// How slow a peer may be. Time saved by being fast at first is not there to be silent later.
struct Pace {
  std::int64_t patience_ms = 10'000;
  std::int64_t bytes_per_s = 16'384;

  // When who began at `begun` and moved `bytes`, the last of them at `last`, is too slow.
  std::int64_t LateAt(std::int64_t begun, std::uint64_t bytes, std::int64_t last) const {
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 4096);
    const auto earned = static_cast<std::int64_t>(std::min(bytes, most)) * 1000 /
                        std::max<std::int64_t>(1, bytes_per_s);
    return std::min(begun + patience_ms + earned, last + patience_ms);
  }
  // The same where little is to be sent: not longer than twice the patience, whatever comes.
  std::int64_t ShortLateAt(std::int64_t begun, std::uint64_t bytes, std::int64_t last) const {
    return std::min(LateAt(begun, bytes, last), begun + 2 * patience_ms);
  }
  // The same of a body of at most `limit` bytes: not longer than all of it takes, however much is
  // wrapped around it.
  std::int64_t BodyLateAt(std::int64_t begun, std::uint64_t bytes, std::int64_t last,
                          std::uint64_t limit) const {
    return std::min(LateAt(begun, bytes, last), LateAt(begun, limit, INT64_MAX - patience_ms));
  }
};

std::int64_t SteadyMs();

// Peers that count as one: an address, or the /64 of an IPv6 address.
struct Peer {
  std::string block;
  std::size_t open = 0;
  std::size_t unknown = 0;  // of them, nobody showed a credential on
  std::size_t served = 0;   // of them, that hold a worker and are not cut
};

struct Connection {
  Connection(int descriptor, Peer* of, std::int64_t now)
      : socket(descriptor), peer(of), opened_ms(now), since_ms(now) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const int socket;
  Peer* const peer;  // under the lock of Connections
  const std::int64_t opened_ms;
  std::int64_t served_ms = 0;  // since when it has a thread; under the lock of Connections
  std::atomic<Phase> phase{Phase::kWaiting};
  std::atomic<std::int64_t> since_ms;  // of the phase
  std::atomic<bool> known{false};      // the latest that was decided: somebody known calls

  // Of the thread that serves it alone.
  ssl_st* ssl = nullptr;
  ByteStream* stream = nullptr;
  bool doomed = false;           // it must not carry another request
  std::uint64_t body_limit = 0;  // what the body that is waited for may have
  bool certificate_read = false;
  std::optional<vault::ClientCertificate> certificate;

  // False when it was cut meanwhile: then nothing of that phase may begin.
  bool Enter(Phase next);
  // By other threads. False when it is cut already or its work has begun, which is never cut.
  bool Cut();
};

}  // namespace coffer::api
