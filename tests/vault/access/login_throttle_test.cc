#include "vault/access/login_throttle.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coffer::vault {
namespace {

constexpr std::int64_t kSecondMs = 1000, kMinute = 60 * kSecondMs, kHour = 60 * kMinute,
                       kDay = 24 * kHour;
constexpr std::int64_t kLongest = 15 * kMinute;

crypto::Hash Account(unsigned number) {
  crypto::Hash hash{};
  for (unsigned i = 0; i < 4; ++i) hash[i] = static_cast<std::uint8_t>(number >> (8 * i));
  hash[31] = 1;
  return hash;
}

std::string Address(unsigned number) {
  return "10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) +
         "." + std::to_string(number & 255);
}

const crypto::Hash kAlice = Account(1), kBob = Account(2), kNobody = Account(3);
const std::string kHome = "192.0.2.7", kElsewhere = "198.51.100.9";

// A throttle and the time, which is moved by hand.
class TestThrottle {
 public:
  TestThrottle() = default;
  explicit TestThrottle(const LoginThrottle::Capacity& capacity) : throttle(capacity) {}

  // Each is one attempt with this outcome: 0, or how long it must wait in ms.
  std::int64_t Fail(const crypto::Hash& account, std::string_view address) {
    const auto attempt = throttle.Begin(account, address, {now});
    return attempt ? 0 : attempt.error().ms;
  }
  std::int64_t Succeed(const crypto::Hash& account, std::string_view address) {
    auto attempt = throttle.Begin(account, address, {now});
    if (!attempt) return attempt.error().ms;
    attempt->Succeed({now});
    return 0;
  }
  // What the next attempt would have to wait; nothing is changed.
  std::int64_t Wait(const crypto::Hash& account, std::string_view address) {
    auto attempt = throttle.Begin(account, address, {now});
    if (!attempt) return attempt.error().ms;
    attempt->Withdraw();
    return 0;
  }
  // Failures one after the other, each as soon as it may be made; how long that took.
  std::int64_t FailTimes(int times, const crypto::Hash& account, std::string_view address) {
    const std::int64_t begin = now;
    for (int i = 0; i < times; ++i) {
      now += Wait(account, address);
      CHECK(Fail(account, address) == 0);
    }
    return now - begin;
  }

  LoginThrottle throttle;
  std::int64_t now = 1'767'323'045'000;
};

TEST_CASE("five failures are free, then the wait doubles up to fifteen minutes") {
  TestThrottle test;
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  for (const int seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900}) {
    CHECK(test.Fail(kAlice, kHome) == seconds * kSecondMs);
    test.now += seconds * kSecondMs - 1;
    CHECK(test.Fail(kAlice, kHome) == 1);  // trying early makes no wait longer
    test.now += 1;
    CHECK(test.Fail(kAlice, kHome) == 0);
  }
  // The pair alone: neither is anybody else held up from there, nor the account from elsewhere.
  TestThrottle other;
  other.FailTimes(10, kAlice, kHome);
  CHECK(other.Wait(kBob, kHome) == 0);
  CHECK(other.Wait(kAlice, kElsewhere) == 0);
}

TEST_CASE("the count of failures has no end at which it begins again") {
  TestThrottle test;
  test.FailTimes(80, kAlice, kHome);
  CHECK(test.Wait(kAlice, kHome) == kLongest);
}

TEST_CASE("a pair's failures are forgotten 24 hours after the latest") {
  TestThrottle test;
  test.FailTimes(12, kAlice, kHome);
  test.now += kDay - 1;
  CHECK(test.Fail(kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == 256 * kSecondMs);
  test.now += kDay;
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
}

TEST_CASE("a login that succeeds forgets the failures of its pair, and of no other") {
  TestThrottle test;
  test.FailTimes(6, kAlice, kHome);
  test.FailTimes(6, kAlice, kElsewhere);
  test.FailTimes(6, kBob, kHome);
  test.now += 2 * kSecondMs;
  test.FailTimes(1, kAlice, kElsewhere);
  test.FailTimes(1, kBob, kHome);
  CHECK(test.Succeed(kAlice, kHome) == 0);
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kElsewhere) > 0);
  CHECK(test.Wait(kBob, kHome) > 0);
}

TEST_CASE("spraying: twenty failures from an address are free, at whichever accounts") {
  TestThrottle test;
  for (unsigned i = 0; i < 20; ++i) CHECK(test.Fail(Account(100 + i), kHome) == 0);
  unsigned account = 200;
  for (const int seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    CHECK(test.Fail(Account(++account), kHome) == seconds * kSecondMs);
    test.now += seconds * kSecondMs;
    CHECK(test.Fail(Account(account), kHome) == 0);
  }
  CHECK(test.Wait(kAlice, kElsewhere) == 0);
}

TEST_CASE("an attacker's own logins do not clear the counter of his address") {
  TestThrottle test;
  for (unsigned i = 0; i < 20; ++i) {
    CHECK(test.Fail(Account(100 + i), kHome) == 0);
    CHECK(test.Succeed(kBob, kHome) == (i < 19 ? 0 : kSecondMs));
  }
  test.now += kSecondMs;
  CHECK(test.Succeed(kBob, kHome) == 0);
  CHECK(test.Fail(kAlice, kHome) == 0);  // the wait is over, and was not made longer by the login
  CHECK(test.Fail(kAlice, kHome) == 2 * kSecondMs);
}

TEST_CASE("an address's failures are forgotten an hour after the latest") {
  TestThrottle test;
  for (unsigned i = 0; i < 30; ++i) test.FailTimes(1, Account(100 + i), kHome);
  CHECK(test.Wait(kAlice, kHome) == kLongest);
  test.now += kHour - 1;
  CHECK(test.Fail(kAlice, kHome) == 0);
  CHECK(test.Wait(kBob, kHome) == kLongest);
  test.now += kHour;
  for (unsigned i = 0; i < 20; ++i) CHECK(test.Fail(Account(200 + i), kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
}

TEST_CASE("logins that succeed count nowhere, however many an office makes") {
  TestThrottle test;
  for (unsigned i = 0; i < 1000; ++i) CHECK(test.Succeed(Account(i), kHome) == 0);
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
}

TEST_CASE("strangers together have a hundred failures at an account, then one a minute") {
  TestThrottle test;
  for (unsigned i = 0; i < 100; ++i) CHECK(test.Fail(kAlice, Address(i)) == 0);
  for (unsigned i = 100; i < 110; ++i) {
    CHECK(test.Fail(kAlice, Address(i)) == kMinute);
    test.now += kMinute - 1;
    CHECK(test.Fail(kAlice, Address(i)) == 1);
    test.now += 1;
    CHECK(test.Fail(kAlice, Address(i)) == 0);
  }
  CHECK(test.Wait(kBob, Address(0)) == 0);
  test.now += 40 * kMinute;
  for (unsigned i = 200; i < 240; ++i) CHECK(test.Fail(kAlice, Address(i)) == 0);
  CHECK(test.Fail(kAlice, Address(240)) == kMinute);
  test.now += 100 * kMinute;
  for (unsigned i = 300; i < 400; ++i) CHECK(test.Fail(kAlice, Address(i)) == 0);
  CHECK(test.Fail(kAlice, Address(400)) == kMinute);
}

TEST_CASE("a failure in between does not hold up that the others are forgotten") {
  TestThrottle test;
  for (unsigned i = 0; i < 99; ++i) test.Fail(kAlice, Address(i));
  for (unsigned i = 0; i < 20;
       ++i) {  // one each half minute, of which each second one finds no room
    test.now += kMinute / 2;
    const bool full = i >= 2 && i % 2 == 0;
    CHECK((test.Fail(kAlice, Address(100 + i)) > 0) == full);
  }
}

TEST_CASE("ten thousand guesses from one address: fourteen in a thousand seconds") {
  TestThrottle test;
  int through = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (test.Fail(kAlice, kElsewhere) == 0) ++through;
    test.now += 100;
  }
  CHECK(through == 14);
}

TEST_CASE(
    "ten thousand guesses from a thousand addresses: a hundred, and the user is not held up") {
  TestThrottle test;
  CHECK(test.Succeed(kAlice, kHome) == 0);
  int through = 0;
  for (unsigned i = 0; i < 10'000; ++i) {
    if (test.Fail(kAlice, Address(i % 1000)) == 0) ++through;
    if (i % 1000 == 500) {
      CHECK(test.Fail(kAlice, kHome) == 0);  // a slip of the fingers
      CHECK(test.Succeed(kAlice, kHome) == 0);
    }
  }
  CHECK(through == 100);
  // An hour of it: one a minute more. The user keeps the free failures that a pair has.
  for (unsigned i = 0; i < 3600; ++i) {
    test.now += kSecondMs;
    if (test.Fail(kAlice, Address(i % 1000)) == 0) ++through;
  }
  CHECK(through == 160);
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
}

TEST_CASE("an address is known for thirty days after a login from it") {
  auto siege = [](TestThrottle& test) {
    for (unsigned i = 0; i < 200; ++i) test.Fail(kAlice, Address(i));
  };
  TestThrottle test;
  CHECK(test.Succeed(kAlice, kHome) == 0);
  test.now += 20 * kDay;
  CHECK(test.Succeed(kAlice, kHome) == 0);
  test.now += 30 * kDay - 1;
  siege(test);
  CHECK(test.Wait(kAlice, kHome) == 0);
  test.now += 1;
  CHECK(test.Wait(kAlice, kHome) == kMinute - 1);
  // Known from there is one account, not whoever calls from there, and no other address of it.
  TestThrottle other;
  CHECK(other.Succeed(kBob, kHome) == 0);
  CHECK(other.Succeed(kAlice, kElsewhere) == 0);
  siege(other);
  CHECK(other.Wait(kAlice, kHome) == kMinute);
  CHECK(other.Wait(kAlice, kElsewhere) == 0);
}

TEST_CASE("failures from a known address leave strangers what they have") {
  TestThrottle test;
  CHECK(test.Succeed(kAlice, kHome) == 0);
  for (unsigned i = 0; i < 99; ++i) CHECK(test.Fail(kAlice, Address(i)) == 0);
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kElsewhere) == 0);
}

TEST_CASE("of an account's addresses the sixteen that were used last are known") {
  TestThrottle test;
  for (unsigned i = 0; i < 17; ++i) CHECK(test.Succeed(kAlice, Address(i)) == 0);
  CHECK(test.Succeed(kAlice, Address(1)) == 0);
  CHECK(test.Succeed(kAlice, Address(17)) == 0);
  for (unsigned i = 100; i < 200; ++i) test.Fail(kAlice, Address(i));
  for (unsigned i = 0; i < 18; ++i) {
    CHECK((test.Wait(kAlice, Address(i)) == 0) == (i != 0 && i != 2));
  }
}

TEST_CASE("a name of no account gets the answers that an account gets") {
  TestThrottle test;
  CHECK(test.Succeed(kAlice, kHome) == 0);
  for (unsigned i = 0; i < 5000; ++i) {
    const std::string address = i % 3 == 0 ? kElsewhere : Address(i % 100);
    // Each from an own address, as both would share the address's counter.
    const auto known = test.Fail(kAlice, address);
    const auto unknown =
        test.Fail(kNobody, "2001:db8:" + std::to_string(i % 3 == 0 ? 999 : i % 100) + "::1");
    CHECK(known == unknown);
    test.now += 7 * kSecondMs;
  }
}

TEST_CASE("of a thousand guesses at the same time five are the first") {
  LoginThrottle throttle;
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 125; ++round) {
        if (throttle.Begin(kAlice, kHome, {5000})) ++through;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(through == 5);
}

TEST_CASE("attempts under way count until it is known what they were") {
  TestThrottle test;
  std::vector<LoginThrottle::Attempt> under_way;
  for (int i = 0; i < 5; ++i) {
    auto attempt = test.throttle.Begin(kAlice, kHome, {test.now});
    REQUIRE(attempt);
    under_way.push_back(*std::move(attempt));
  }
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
  under_way[0].Withdraw();
  CHECK(test.Wait(kAlice, kHome) == 0);
  under_way[1].Withdraw();
  under_way[1].Withdraw();  // only the first word counts
  under_way[1].Succeed({test.now});
  CHECK(test.FailTimes(2, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
  under_way.clear();  // without a word: failures
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
}

TEST_CASE("an attempt that is withdrawn leaves everything as it was") {
  TestThrottle test;
  test.FailTimes(10, kAlice, kHome);
  test.now += 32 * kSecondMs;
  for (int i = 0; i < 1000; ++i) CHECK(test.Wait(kAlice, kHome) == 0);
  CHECK(test.Fail(kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == 64 * kSecondMs);
  // But what has failed in the meantime: that is the latest then.
  TestThrottle other;
  CHECK(other.FailTimes(6, kAlice, kHome) == kSecondMs);
  other.now += 2 * kSecondMs;
  auto attempt = other.throttle.Begin(kAlice, kHome, {other.now});
  REQUIRE(attempt);
  CHECK(other.Wait(kAlice, kHome) == 4 * kSecondMs);
  other.now += 4 * kSecondMs;
  CHECK(other.Fail(kAlice, kHome) == 0);
  attempt->Withdraw();
  CHECK(other.Wait(kAlice, kHome) == 4 * kSecondMs);
}

TEST_CASE("threads that log in, fail and withdraw leave what failed") {
  LoginThrottle throttle;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&throttle, i] {
      for (int round = 0; round < 500; ++round) {
        auto first = throttle.Begin(Account(10 + i), Address(i), {1000 + round});
        if (first) first->Succeed({1000 + round});
        auto second = throttle.Begin(kAlice, Address(100 + i), {1000 + round});
        if (second) second->Withdraw();
        static_cast<void>(throttle.Begin(kBob, Address(200 + i), {1000 + round}));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (unsigned i = 0; i < 4; ++i) {
    CHECK(throttle.Begin(Account(10 + i), Address(i), {2000}));
    CHECK(throttle.Begin(kAlice, Address(100 + i), {2000}));
    // Five at 1000 to 1004 ms, and one a second later.
    CHECK_FALSE(throttle.Begin(kBob, Address(200 + i), {2003}));
    CHECK(throttle.Begin(kBob, Address(200 + i), {2004}));
    CHECK_FALSE(throttle.Begin(kBob, Address(200 + i), {2004}));
  }
}

TEST_CASE("a /64 of IPv6 is one address, and a mapped address its IPv4 address") {
  TestThrottle test;
  for (unsigned i = 0; i < 5; ++i) {
    CHECK(test.Fail(kAlice, "2001:db8:1:2::" + std::to_string(i)) == 0);
  }
  CHECK(test.Fail(kAlice, "2001:DB8:1:2:ffff:ffff:ffff:ffff") == kSecondMs);
  CHECK(test.Fail(kAlice, "2001:db8:1:3::1") == 0);
  for (int i = 0; i < 5; ++i) CHECK(test.Fail(kAlice, i % 2 ? kHome : "::ffff:" + kHome) == 0);
  CHECK(test.Fail(kAlice, kHome) == kSecondMs);
  CHECK(test.Fail(kAlice, "::ffff:" + kHome) == kSecondMs);
}

TEST_CASE("callers without an address share one, from which no account is known") {
  TestThrottle test;
  CHECK(test.Succeed(kAlice, "") == 0);
  int free = 0;
  for (const char* text : {"", "unknown", "192.0.2.7:80", "x", "::g"}) {
    if (test.Fail(kBob, text) == 0) ++free;
  }
  CHECK(free == 5);
  CHECK(test.Fail(kBob, "y") == kSecondMs);
  for (unsigned i = 0; i < 100; ++i) test.Fail(kAlice, Address(i));
  CHECK(test.Fail(kAlice, "") == kMinute);
}

TEST_CASE("a clock that is set back makes no wait longer than its longest, and forgives nothing") {
  for (const std::int64_t back : {kSecondMs, kHour, 3650 * kDay}) {
    TestThrottle test;
    CHECK(test.Succeed(kAlice, kHome) == 0);
    test.FailTimes(12, kBob, kHome);
    for (unsigned i = 0; i < 100; ++i) test.Fail(kAlice, Address(i));
    for (unsigned i = 0; i < 20; ++i) test.FailTimes(1, Account(100 + i), kElsewhere);
    const std::int64_t before = test.Wait(kBob, kHome);
    CHECK(before == 128 * kSecondMs);
    test.now -= back;
    // From the first look at it after the step it runs as always.
    CHECK(test.Wait(kBob, kHome) == 128 * kSecondMs);
    CHECK(test.Wait(kAlice, Address(500)) == kMinute);
    CHECK(test.Wait(kNobody, kElsewhere) == kSecondMs);
    CHECK(test.Wait(kAlice, kHome) == 0);  // still known
    test.now += kSecondMs;
    CHECK(test.Wait(kBob, kHome) == 127 * kSecondMs);
    test.now += kMinute - kSecondMs;
    CHECK(test.Fail(kAlice, Address(500)) == 0);
    CHECK(test.Wait(kAlice, Address(501)) == kMinute);
    test.now += 68 * kSecondMs;
    CHECK(test.Fail(kBob, kHome) == 0);
    CHECK(test.Fail(kBob, kHome) == 256 * kSecondMs);
    test.now += kDay;
    CHECK(test.FailTimes(5, kBob, kHome) == 0);
    test.now += 29 * kDay;
    for (unsigned i = 0; i < 100; ++i) test.Fail(kAlice, Address(i));
    CHECK(test.Wait(kAlice, kHome) > 0);  // known for thirty days from then on, not for ten years
  }
}

TEST_CASE("times before 1970 are times") {
  TestThrottle test;
  test.now = -5 * kDay;
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kHome) == kSecondMs);
}

TEST_CASE("a full table forgets the oldest pairs and addresses, and no more than it must") {
  TestThrottle test({.pairs = 64, .addresses = 64, .accounts = 1000, .known_addresses = 4});
  for (int i = 0; i < 5; ++i) test.Fail(kAlice, kHome);
  for (unsigned i = 0; i < 20; ++i) test.Fail(Account(100 + i), kElsewhere);
  CHECK(test.Fail(kAlice, kHome) == kSecondMs);
  ++test.now;
  for (unsigned i = 0; i < 40; ++i) CHECK(test.Fail(Account(200), Address(i)) == 0);
  CHECK(test.Wait(kAlice, kHome) > 0);
  ++test.now;
  for (unsigned i = 100; i < 200; ++i) test.Fail(Account(201 + i), Address(i));
  CHECK(test.Wait(kAlice, kHome) == 0);
  CHECK(test.Wait(kAlice, kElsewhere) == 0);
}

TEST_CASE("junk does not clear the counter of an account under attack") {
  TestThrottle test({.pairs = 64, .addresses = 64, .accounts = 64, .known_addresses = 4});
  CHECK(test.Succeed(kAlice, kHome) == 0);
  for (unsigned i = 0; i < 100; ++i) CHECK(test.Fail(kAlice, Address(i)) == 0);
  // Names of no account, from addresses without end, and the oldest entry is the attacked one's.
  unsigned through = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    ++test.now;
    CHECK(test.Fail(Account(1000 + i), Address(1000 + i)) == 0);
    if (test.Fail(kAlice, Address(100'000 + i)) == 0) ++through;
  }
  CHECK(through == 0);  // in twenty seconds
  CHECK(test.Wait(kAlice, kHome) == 0);
}

TEST_CASE("an account's own addresses push out no other account's") {
  TestThrottle test({.pairs = 64, .addresses = 64, .accounts = 4, .known_addresses = 4});
  CHECK(test.Succeed(kAlice, kHome) == 0);
  for (unsigned i = 0; i < 1000; ++i) CHECK(test.Succeed(kBob, Address(i)) == 0);
  for (unsigned i = 0; i < 100; ++i) test.Fail(kAlice, Address(2000 + i));
  CHECK(test.Wait(kAlice, kHome) == 0);
  // More accounts than there is room for: the one whose latest login is oldest is known no more.
  ++test.now;
  CHECK(test.Succeed(kBob, kHome) == 0);
  for (unsigned i = 0; i < 3; ++i) CHECK(test.Succeed(Account(10 + i), kElsewhere) == 0);
  CHECK(test.Wait(kAlice, kHome) > 0);
  for (unsigned i = 0; i < 100; ++i) test.Fail(kBob, Address(3000 + i));
  CHECK(test.Wait(kBob, kHome) == 0);
}

TEST_CASE("an account that is known from nowhere any more takes no room") {
  TestThrottle test({.pairs = 64, .addresses = 64, .accounts = 2, .known_addresses = 4});
  CHECK(test.Succeed(kAlice, kHome) == 0);
  test.now += 30 * kDay;
  CHECK(test.Succeed(kBob, kHome) == 0);
  CHECK(test.Succeed(Account(10), kHome) == 0);
  for (unsigned i = 0; i < 100; ++i) test.Fail(kBob, Address(i));
  CHECK(test.Wait(kBob, kHome) == 0);
}

TEST_CASE("tables of the usual size can be filled, and answer") {
  TestThrottle test;
  for (unsigned i = 0; i < 70'000; ++i) {
    ++test.now;
    REQUIRE(test.Fail(Account(1000 + i), Address(i)) == 0);
  }
  CHECK(test.Fail(kAlice, kHome) == 0);
}

TEST_CASE("the smallest table there can be still counts") {
  TestThrottle test({.pairs = 1, .addresses = 1, .accounts = 1, .known_addresses = 1});
  CHECK(test.FailTimes(5, kAlice, kHome) == 0);
  CHECK(test.Fail(kAlice, kHome) == kSecondMs);
  CHECK(test.Fail(kBob, kElsewhere) == 0);
  CHECK(test.Fail(kAlice, kHome) == 0);
}

}  // namespace
}  // namespace coffer::vault
