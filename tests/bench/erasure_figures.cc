// Figures about erasures beside readers: coffer_figures "[erasure]".
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {

using enum Role;

TEST_CASE("erasing clients with a thousand records beside readers", "[erasure]") {
  constexpr int kErased = 40, kRecords = 1000;
  TestVault vault;
  const auto other = vault.NewClient("other");
  const auto kept = vault.NewContact(other, {{"last_name", "Doe"}});
  std::vector<ClientId> clients;
  for (int i = 0; i < kErased; ++i) {
    clients.push_back(vault.NewClient("E-" + std::to_string(i)));
    for (int k = 0; k < kRecords; ++k) {
      vault.NewContact(clients.back(),
                       {{"last_name", "N" + std::to_string(k)},
                        {"email", std::to_string(i * kRecords + k) + "@x.example"}});
    }
  }
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> reads{0};
  std::vector<double> taken;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) {
      readers.emplace_back([&] {
        while (!done) {
          if (vault->records().GetRecord(vault.As(kCrmService), other, kept)) ++reads;
        }
      });
    }
    for (const auto& client : clients) {
      const auto began = std::chrono::steady_clock::now();
      REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
      taken.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
              .count());
    }
    done = true;
  }
  std::ranges::sort(taken);
  std::printf("erasing a client with %d records: p50 %.1f ms, p99 %.1f ms; %llu reads meanwhile\n",
              kRecords, taken[taken.size() / 2], taken.back(),
              static_cast<unsigned long long>(reads.load()));
}

}  // namespace coffer::vault
