#include "vault/base/concurrency_gate.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace coffer::vault {
namespace {

using namespace std::chrono_literals;

template <class Condition>
bool ComesTrue(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

void CheckBusy(ConcurrencyGate& gate) {
  const auto refused = gate.Enter();
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kExhausted);
  CHECK(refused.error().reason == "logins_busy");
}

TEST_CASE("no more are inside than there are places") {
  ConcurrencyGate gate(2, 0);
  auto first = gate.Enter();
  std::optional second(gate.Enter());
  REQUIRE(first);
  REQUIRE(*second);
  CheckBusy(gate);
  CheckBusy(gate);  // a refusal takes no place, and frees none
  second.reset();
  second.emplace(gate.Enter());
  CHECK(*second);
  CheckBusy(gate);
}

TEST_CASE("a ticket that is moved is given back once") {
  ConcurrencyGate gate(2, 0);
  {
    auto first = gate.Enter(), second = gate.Enter();
    REQUIRE(first);
    REQUIRE(second);
    ConcurrencyGate::Ticket moved(*std::move(first));
    CheckBusy(gate);
    *second = std::move(moved);
    CheckBusy(gate);
  }
  const auto first = gate.Enter(), second = gate.Enter();
  CHECK(first);
  CHECK(second);
  CheckBusy(gate);
}

TEST_CASE("who waits comes in when somebody leaves, and who finds no place to wait is refused") {
  ConcurrencyGate gate(1, 1);
  std::optional inside(gate.Enter());
  REQUIRE(*inside);
  std::atomic<bool> entered = false, may_leave = false;
  std::thread waiter([&] {
    const auto ticket = gate.Enter();
    entered = ticket.has_value();
    while (!may_leave) std::this_thread::sleep_for(1ms);
  });
  REQUIRE(ComesTrue([&] { return gate.waiting() == 1; }));
  CheckBusy(gate);
  CHECK_FALSE(entered);
  inside.reset();
  CHECK(ComesTrue([&] { return entered.load(); }));
  CHECK(gate.waiting() == 0);
  may_leave = true;
  waiter.join();
  CHECK(gate.Enter());
}

TEST_CASE("those who wait come in by the order of their arrival") {
  ConcurrencyGate gate(1, 8);
  std::optional inside(gate.Enter());
  std::vector<int> order;  // written by whoever is inside
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&gate, &order, i] {
      const auto ticket = gate.Enter();
      order.push_back(i);
    });
    const auto arrived = static_cast<std::size_t>(i) + 1;
    REQUIRE(ComesTrue([&] { return gate.waiting() == arrived; }));
  }
  inside.reset();
  for (auto& thread : threads) thread.join();
  CHECK(order.size() == 8);
  CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("under a rush of threads the bounds hold, and every place is free at the end") {
  constexpr int kInside = 3, kWaiting = 4;
  ConcurrencyGate gate(kInside, kWaiting);
  std::atomic<int> inside = 0, most = 0, entered = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const auto ticket = gate.Enter();
        if (!ticket) {
          ++refused;
          std::this_thread::yield();
          continue;
        }
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++entered;
        if (round % 8 == 0) std::this_thread::sleep_for(100us);
        --inside;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(most <= kInside);
  CHECK(entered + refused == 16 * 200);
  CHECK(gate.waiting() == 0);
  CHECK(entered >= 200);
  std::vector<ConcurrencyGate::Ticket> tickets;
  for (int i = 0; i < kInside; ++i) {
    auto ticket = gate.Enter();
    REQUIRE(ticket);
    tickets.push_back(*std::move(ticket));
  }
}

}  // namespace
}  // namespace coffer::vault
