#include "vault/engine/key_cache.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/secret_bytes.h"

namespace coffer::vault {
namespace {

using namespace std::chrono_literals;

constexpr audit::Timestamp kCacheTime{1'767'323'045'000};

// Clients 0, 1, 2 …; the key of client n is n + 1 in every byte.
class TestCache {
 public:
  explicit TestCache(std::size_t capacity) {
    REQUIRE(crypto::InitializeCrypto());
    auto made = KeyCache::Create(capacity, false);
    REQUIRE(made);
    cache_ = *std::move(made);
    for (int i = 0; i < 64; ++i) clients_.push_back(ClientId::New(kCacheTime));
  }
  KeyCache* operator->() { return cache_.get(); }
  const ClientId& Client(int n) const { return clients_[static_cast<std::size_t>(n)]; }

  Result<KeyCache::Pin> Get(int n) {
    return cache_->FindOrInsert(Client(n),
                                [&](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
                                  ++fills;
                                  std::ranges::fill(slot, static_cast<std::uint8_t>(n + 1));
                                  return {};
                                });
  }
  void Use(int n) {
    auto pin = Get(n);
    REQUIRE(pin);
    CHECK(Holds(*pin, n));
  }
  bool Has(int n) { return cache_->Find(Client(n)).has_value(); }
  static bool Holds(const KeyCache::Pin& pin, int n) {
    return pin.ExposeSecret().size() == crypto::kAeadKeyBytes &&
           std::ranges::all_of(pin.ExposeSecret(),
                               [n](std::uint8_t byte) { return byte == n + 1; });
  }

  int fills = 0;

 private:
  std::unique_ptr<KeyCache> cache_;
  std::vector<ClientId> clients_;
};

TEST_CASE("a key is filled in once and found from then on") {
  TestCache cache(4);
  CHECK(!cache.Has(0));
  cache.Use(0);
  cache.Use(0);
  CHECK(cache.fills == 1);
  CHECK(cache.Has(0));
  CHECK(cache->size() == 1);
}

TEST_CASE("of a client's two keys nothing is to be sealed under the older, and both go together") {
  TestCache cache(4);
  const auto fill = [](std::uint8_t with) {
    return [with](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
      std::ranges::fill(slot, with);
      return with;
    };
  };
  auto first = cache->FindOrInsert(cache.Client(0), fill(1));
  REQUIRE(first);
  CHECK(first->generation() == 1);
  CHECK(first->IsCurrent());
  cache->Demote(cache.Client(0));
  CHECK(!first->IsCurrent());
  CHECK(!cache.Has(0));
  {
    const auto second = cache->FindOrInsert(cache.Client(0), fill(2));
    const auto older = cache->FindOrInsertOlder(cache.Client(0), fill(9));
    REQUIRE((second && older));
    CHECK(second->IsCurrent());
    CHECK(second->generation() == 2);
    CHECK(older->generation() == 1);
    CHECK(older->ExposeSecret()[0] == 1);
    CHECK(!older->IsCurrent());
    CHECK(cache->size() == 2);
  }
  // The one before the older goes with the next step.
  cache->Demote(cache.Client(0));
  CHECK(first->ExposeSecret()[0] == 1);  // as long as it is pinned
  cache->Remove(cache.Client(0));
  CHECK(cache->size() == 0);
  auto again = cache->FindOrInsertOlder(cache.Client(0), fill(3));
  REQUIRE(again);
  CHECK(again->ExposeSecret()[0] == 3);
}

TEST_CASE("a key that cannot be filled in takes no place") {
  TestCache cache(1);
  const auto failed = cache->FindOrInsert(
      cache.Client(0), [](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
        std::ranges::fill(slot, std::uint8_t{7});
        return Fail(Code::kNotFound, "not_found");
      });
  REQUIRE(!failed);
  CHECK(failed.error().reason == "not_found");
  CHECK(cache->size() == 0);
  CHECK(!cache.Has(0));
  cache.Use(1);
}

TEST_CASE("a slot holds nothing of the key that left it") {
  TestCache cache(1);
  cache.Use(0);
  std::vector<std::uint8_t> before(crypto::kAeadKeyBytes, 0xff);
  const auto look = [&](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
    std::ranges::copy(slot, before.begin());
    return Fail(Code::kNotFound, "not_found");
  };
  CHECK(!cache->FindOrInsert(cache.Client(1), look));  // evicts 0
  CHECK(std::ranges::all_of(before, [](std::uint8_t byte) { return byte == 0; }));
  cache.Use(2);
  cache->Remove(cache.Client(2));
  before.assign(before.size(), 0xff);
  CHECK(!cache->FindOrInsert(cache.Client(3), look));
  CHECK(std::ranges::all_of(before, [](std::uint8_t byte) { return byte == 0; }));
}

TEST_CASE("the key that was not used since the hand last passed is evicted") {
  TestCache cache(3);
  for (int n = 0; n < 3; ++n) cache.Use(n);
  cache.Use(3);  // every one was recent: the hand clears them and takes the first
  CHECK(cache->size() == 3);
  CHECK(!cache.Has(0));
  CHECK(cache.Has(1));  // and is recent again
  cache.Use(4);
  CHECK(cache.Has(1));
  CHECK(!cache.Has(2));
}

TEST_CASE("a key in use is never evicted") {
  TestCache cache(2);
  auto pinned = cache.Get(0);
  REQUIRE(pinned);
  for (int n = 1; n < 20; ++n) cache.Use(n);
  CHECK(TestCache::Holds(*pinned, 0));
  CHECK(cache.Has(0));
  CHECK(cache->size() == 2);
}

TEST_CASE("a cache whose keys are all in use says so, and recovers with the first pin that goes") {
  TestCache cache(2);
  auto first = cache.Get(0);
  auto second = cache.Get(1);
  REQUIRE(first);
  REQUIRE(second);
  const auto third = cache.Get(2);
  REQUIRE(!third);
  CHECK(third.error().code == Code::kExhausted);
  CHECK(third.error().reason == "key_cache_full");
  CHECK(cache.Get(0).has_value());  // what is there is found
  {
    const auto gone = *std::move(first);
  }
  cache.Use(2);
  CHECK(TestCache::Holds(*second, 1));
}

TEST_CASE("a removed key is not found while it is pinned, and wiped with its last pin") {
  TestCache cache(1);
  auto pin = cache.Get(0);
  REQUIRE(pin);
  auto another = cache->Find(cache.Client(0));
  REQUIRE(another);
  cache->Remove(cache.Client(0));
  CHECK(!cache.Has(0));
  CHECK(cache->size() == 0);
  CHECK(TestCache::Holds(*pin, 0));  // who holds it may finish
  CHECK(!cache.Get(1));              // the slot is not free yet
  {
    const auto gone = *std::move(pin);
  }
  CHECK(TestCache::Holds(*another, 0));
  CHECK(!cache.Get(1));
  another.reset();
  cache.Use(1);
}

TEST_CASE("a removed key may come back while the old one is still pinned") {
  TestCache cache(2);
  auto old = cache.Get(0);
  REQUIRE(old);
  cache->Remove(cache.Client(0));
  cache.Use(0);
  CHECK(cache.fills == 2);
  CHECK(TestCache::Holds(*old, 0));
  CHECK(cache->size() == 1);
}

TEST_CASE("removing what is not there is no matter, and nothing is awaited") {
  TestCache cache(1);
  cache->Remove(cache.Client(5));
  cache->AwaitWiped(cache.Client(5));
  cache.Use(0);
  cache->Remove(cache.Client(0));
  cache->Remove(cache.Client(0));
  cache->AwaitWiped(cache.Client(0));
  CHECK(cache->size() == 0);
}

TEST_CASE("who awaits the wiping of a key is held until the last thread lets it go") {
  TestCache cache(4);
  std::vector<KeyCache::Pin> pins;
  for (int i = 0; i < 3; ++i) pins.push_back(*cache.Get(0));
  auto other = cache.Get(1);
  REQUIRE(other);
  cache->Remove(cache.Client(0));
  cache->Remove(cache.Client(1));
  std::atomic<bool> wiped{false};
  std::jthread waiter([&] {
    cache->AwaitWiped(cache.Client(0));
    wiped = true;
  });
  while (!pins.empty()) {
    std::this_thread::sleep_for(10ms);
    CHECK(!wiped);
    pins.pop_back();
  }
  waiter.join();  // although the other client's key is still pinned
  CHECK(wiped);
  CHECK(TestCache::Holds(*other, 1));
}

TEST_CASE("a pin that is moved counts once") {
  TestCache cache(1);
  {
    auto pin = cache.Get(0);
    REQUIRE(pin);
    KeyCache::Pin moved = *std::move(pin);
    KeyCache::Pin again = std::move(moved);
    CHECK(TestCache::Holds(again, 0));
  }
  cache.Use(1);
  CHECK(!cache.Has(0));
}

TEST_CASE("threads find, fill, evict and remove keys, and each holds the key it asked for") {
  constexpr int kThreads = 8;
  constexpr int kClients = 24;
  TestCache cache(12);  // more clients than slots, and more slots than threads
  std::atomic<int> wrong{0};
  std::atomic<int> full{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::minstd_rand random(static_cast<unsigned>(t + 1));
        for (int i = 0; i < 5'000; ++i) {
          const int n = static_cast<int>(random() % kClients);
          if (i % 17 == 0) {
            cache->Remove(cache.Client(n));
            if (i % 34 == 0) cache->AwaitWiped(cache.Client(n));
            continue;
          }
          const auto pin = cache->FindOrInsert(
              cache.Client(n), [n](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
                std::ranges::fill(slot, static_cast<std::uint8_t>(n + 1));
                return {};
              });
          if (!pin) {
            ++full;
          } else if (!TestCache::Holds(*pin, n)) {
            ++wrong;
          }
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(full == 0);
  CHECK(cache->size() <= 12);
  for (int n = 0; n < kClients; ++n) cache->Remove(cache.Client(n));
  CHECK(cache->size() == 0);
  for (int n = 0; n < 12; ++n) cache.Use(n);  // every slot came back
}

}  // namespace
}  // namespace coffer::vault
