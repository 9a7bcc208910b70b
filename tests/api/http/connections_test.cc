#include "api/http/connections.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "api/http/body_slots.h"

namespace coffer::api {
namespace {

// The other ends of the connections, each of which does what its letter says and says it back.
class Crowd {
 public:
  explicit Crowd(const Connections::Limits& limits) : connections(limits) {
    connections.Begin([this](Connection& connection) { Serve(connection); });
  }
  ~Crowd() {
    for (const int end : ends_) shutdown(end, SHUT_RDWR);
    connections.End();
    for (const int end : ends_) close(end);
  }

  int Connect(const std::string& address) {
    int pair[2] = {-1, -1};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    ends_.push_back(pair[0]);
    connections.Admit(pair[1], address);
    return pair[0];
  }
  // False: it was ended.
  static bool Do(int end, char what) {
    char said = 0;
    return send(end, &what, 1, MSG_NOSIGNAL) == 1 && recv(end, &said, 1, 0) == 1 && said == what;
  }
  static bool Ended(int end) {
    char none = 0;
    pollfd wait{end, POLLIN, 0};
    return poll(&wait, 1, 0) > 0 && recv(end, &none, 1, 0) <= 0;
  }

  Connections connections;

 private:
  void Serve(Connection& connection) {
    auto* const ssl = reinterpret_cast<ssl_st*>(&connection);
    connection.ssl = ssl;
    for (char what = 0;;) {
      pollfd wait{connection.socket, POLLIN, 0};
      if (poll(&wait, 1, -1) <= 0 || recv(connection.socket, &what, 1, 0) != 1) return;
      switch (what) {
        case 'k':
          connections.SetKnown(ssl, true);
          break;
        case 'w':
          if (!connections.StartWork(ssl)) return;
          break;
        case 'b':
          if (!connections.StartBody(ssl, 0)) return;
          break;
        case 'a':
          if (!connections.StartReply(ssl)) return;
          break;
        case 'i':
          if (!connections.StartIdle(connection)) return;
          break;
        default:
          return;
      }
      if (send(connection.socket, &what, 1, MSG_NOSIGNAL) != 1) return;
    }
  }

  std::vector<int> ends_;
};

// By which the connections tell their ages.
void NextMillisecond() {
  for (const auto at = SteadyMs(); SteadyMs() == at;) usleep(200);
}

Connections::Limits Few(std::size_t workers, std::size_t per_address = 100) {
  Connections::Limits limits;
  limits.workers = workers;
  limits.per_address = per_address;
  limits.tenure_ms = 0;
  limits.pace.patience_ms = 600'000;  // nothing here ends by being late
  return limits;
}

TEST_CASE("addresses of one /64 are one, and an IPv4 address is one in either spelling") {
  Crowd crowd(Few(16, 2));
  const auto refused = [&] { return crowd.connections.counters().refused_per_address; };
  struct Case {
    std::vector<std::string> same;
    std::string other;
  };
  for (const auto& [same, other] :
       {Case{{"2001:db8:1:2::1", "2001:db8:1:2:ffff::7", "2001:DB8:1:2:0:0:0:9"},
             "2001:db8:1:3::1"},
        Case{{"192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"}, "192.0.2.2"}}) {
    const auto before = refused();
    for (std::size_t i = 0; i < 2; ++i) {
      const int end = crowd.Connect(same[i]);
      CHECK(Crowd::Do(end, 'k'));
      CHECK(Crowd::Do(end, 'w'));  // busy, so that it makes no room
    }
    CHECK(refused() == before);
    CHECK(Crowd::Ended(crowd.Connect(same[2])));
    CHECK(refused() == before + 1);
    CHECK(Crowd::Do(crowd.Connect(other), 'w'));
    CHECK(refused() == before + 1);
  }
}

TEST_CASE("strangers go first, of the address that has the most of them, the oldest of it first") {
  Crowd crowd(Few(6));
  const int known = crowd.Connect("192.0.2.1");
  CHECK(Crowd::Do(known, 'k'));
  CHECK(Crowd::Do(known, 'b'));
  const int single = crowd.Connect("192.0.2.2");
  CHECK(Crowd::Do(single, 'b'));
  std::vector<int> many;
  for (int i = 0; i < 4; ++i) {
    many.push_back(crowd.Connect("192.0.2.3"));
    CHECK(Crowd::Do(many.back(), 'b'));
    NextMillisecond();
  }
  // Each newcomer is served, as a worker is made free for it.
  const int first = crowd.Connect("192.0.2.4");
  CHECK(Crowd::Do(first, 'k'));
  CHECK(Crowd::Ended(many[0]));
  CHECK(Crowd::Do(many[1], 'b'));
  CHECK(Crowd::Do(crowd.Connect("192.0.2.5"), 'k'));
  CHECK(Crowd::Ended(many[1]));
  CHECK(Crowd::Do(single, 'b'));
  CHECK(Crowd::Do(known, 'b'));
  CHECK(crowd.connections.counters().evicted_unknown == 2);
}

TEST_CASE(
    "a burst waits for those who were let in, and pushes out when it is larger than the room") {
  auto limits = Few(2);
  limits.tenure_ms = 600'000;
  limits.waiting = 3;
  Crowd crowd(limits);
  const int alone = crowd.Connect("192.0.2.1");
  CHECK(Crowd::Do(alone, 'b'));
  CHECK(Crowd::Do(crowd.Connect("192.0.2.2"), 'w'));
  std::vector<int> burst;
  for (int i = 0; i < 10; ++i) {
    burst.push_back(crowd.Connect("192.0.2.3"));
    NextMillisecond();
  }
  // Of their own address, the oldest first, and nobody else.
  for (std::size_t i = 0; i < burst.size(); ++i) CHECK(Crowd::Ended(burst[i]) == (i < 7));
  CHECK(Crowd::Do(alone, 'b'));
  CHECK(crowd.connections.counters().evicted_unknown == 7);
}

TEST_CASE("of a crowd that keeps asking the largest makes room, down to its share") {
  const auto begun = SteadyMs();
  Crowd crowd(Few(12));
  const auto asks = [&](const std::string& address) {
    const int end = crowd.Connect(address);
    CHECK(Crowd::Do(end, 'k'));
    CHECK(Crowd::Do(end, 'i'));
    NextMillisecond();
    return end;
  };
  std::vector<int> few, many;
  for (int i = 0; i < 5; ++i) few.push_back(asks("192.0.2.1"));
  for (int i = 0; i < 7; ++i) many.push_back(asks("192.0.2.2"));
  // The oldest of the larger one first, though the others were there before.
  const bool in_time = SteadyMs() - begun < 1'000;
  for (int i = 0; i < 2; ++i) {
    CHECK(Crowd::Do(crowd.Connect("192.0.2." + std::to_string(3 + i)), 'k'));
    if (in_time) CHECK(Crowd::Ended(many[static_cast<std::size_t>(i)]));
  }
  if (in_time) CHECK(Crowd::Do(few[0], 'i'));
  for (int i = 2; i < 6; ++i) {
    CHECK(Crowd::Do(crowd.Connect("192.0.2." + std::to_string(3 + i)), 'k'));
  }
  // Three each are left, which is a quarter: what is connected now makes no room among them.
  crowd.Connect("192.0.2.9");
  if (SteadyMs() - begun < 1'500) CHECK(crowd.connections.counters().evicted_idle == 6);
}

TEST_CASE("a crowd makes no room for strangers once they have their share") {
  const auto begun = SteadyMs();
  Crowd crowd(Few(8));
  std::vector<int> known;
  for (int i = 0; i < 8; ++i) {
    known.push_back(crowd.Connect("192.0.2.1"));
    CHECK(Crowd::Do(known.back(), 'k'));
    CHECK(Crowd::Do(known.back(), 'i'));
  }
  // Strangers that are at work, which makes no room either.
  for (int i = 0; i < 2; ++i) CHECK(Crowd::Do(crowd.Connect("192.0.2.2"), 'w'));
  crowd.Connect("192.0.2.3");
  if (SteadyMs() - begun < 1'500) CHECK(crowd.connections.counters().evicted_idle == 2);
}

TEST_CASE("what is worked on is never cut, neither for room nor at a stop") {
  Crowd crowd(Few(3));
  const int working = crowd.Connect("192.0.2.1");
  CHECK(Crowd::Do(working, 'w'));  // a stranger's login, say
  const int answered = crowd.Connect("192.0.2.2");
  CHECK(Crowd::Do(answered, 'k'));
  CHECK(Crowd::Do(answered, 'a'));
  for (int i = 0; i < 5; ++i) CHECK(Crowd::Do(crowd.Connect("192.0.2.3"), 'b'));
  const int body = crowd.Connect("192.0.2.4");
  CHECK(Crowd::Do(body, 'k'));
  CHECK(Crowd::Do(body, 'b'));
  crowd.connections.BeginStop();
  CHECK_FALSE(Crowd::Do(body, 'b'));
  CHECK(Crowd::Do(working, 'a'));  // its answer
  CHECK(Crowd::Do(answered, 'a'));
  CHECK_FALSE(Crowd::Do(working, 'i'));  // and no further request
  CHECK_FALSE(Crowd::Do(answered, 'b'));
  CHECK(Crowd::Ended(crowd.Connect("192.0.2.5")));
  CHECK(crowd.connections.counters().refused_stopping == 1);
}

TEST_CASE("once it is cut, nothing begins on a connection") {
  Connection connection(-1, nullptr, 0);
  for (const Phase phase : {Phase::kWaiting, Phase::kHandshake, Phase::kHeaders, Phase::kBody,
                            Phase::kAnswer, Phase::kIdle, Phase::kLinger}) {
    connection.phase = phase;
    CHECK(connection.Cut());
    CHECK_FALSE(connection.Cut());
    CHECK_FALSE(connection.Enter(Phase::kWork));
  }
  connection.phase = Phase::kWork;
  CHECK_FALSE(connection.Cut());
  CHECK(connection.Enter(Phase::kAnswer));
}

TEST_CASE("a peer is late by its speed, by its silence, and in short phases by the time") {
  const Pace pace{.patience_ms = 1'000, .bytes_per_s = 100};
  CHECK(pace.LateAt(5'000, 0, 5'000) == 6'000);
  CHECK(pace.LateAt(5'000, 50, 5'800) == 6'500);
  CHECK(pace.LateAt(5'000, 1'000'000, 5'100) == 6'100);  // what was saved is not kept for silence
  CHECK(pace.LateAt(5'000, 1'000, 14'900) == 15'900);
  CHECK(pace.LateAt(5'000, UINT64_MAX, 5'000) == 6'000);
  CHECK(pace.ShortLateAt(5'000, 1'000'000, 6'900) == 7'000);
}

TEST_CASE("a body is late by what it may have, however much is wrapped around it") {
  const Pace pace{.patience_ms = 1'000, .bytes_per_s = 100};
  CHECK(pace.BodyLateAt(5'000, 0, 5'000, 1'000) == 6'000);
  CHECK(pace.BodyLateAt(5'000, 500, 9'900, 1'000) == 10'900);
  CHECK(pace.BodyLateAt(5'000, 1'000'000, 15'900, 1'000) == 16'000);
}

TEST_CASE("the place of a large body is given back however its request ends") {
  BodySlots slots;
  for (int i = 0; i < 2 * BodySlots::kSlots; ++i) {
    try {
      const auto slot = slots.Take();
      REQUIRE(slot);
      throw std::bad_alloc();
    } catch (const std::bad_alloc&) {
    }
  }
  std::vector<BodySlots::Slot> taken;
  for (int i = 0; i < BodySlots::kSlots; ++i) taken.push_back(slots.Take().value());
  for (int i = 0; i < 2; ++i) CHECK_FALSE(slots.Take());
  taken.pop_back();
  CHECK(slots.Take());
}

}  // namespace
}  // namespace coffer::api
