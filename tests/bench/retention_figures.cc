// Figures about retention: coffer_figures "[retention-scale]", "[retention-beside]".
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

}  // namespace

// What 8 callers wait for a read, without a run and beside one, which both go on for some seconds.
TEST_CASE("reads beside a run", "[retention-beside]") {
  using Clock = std::chrono::steady_clock;
  constexpr int kCallers = 8, kClients = 400;
  constexpr auto kMeasured = std::chrono::seconds(8);
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  std::vector<std::pair<ClientId, RecordId>> records;
  for (int i = 0; i < kClients; ++i) {
    const ClientId client = vault.NewClient("B-" + std::to_string(i));
    records.emplace_back(client, vault.Contact(client));
  }
  FillUnreadable(vault, 50'000, [](int) { return 4; });
  vault.Open();
  std::atomic<int> unanswered{0};  // threads make no assertions
  const auto read = [&](std::string_view what) {
    std::vector<std::vector<double>> waits(kCallers);
    const auto until = Clock::now() + kMeasured;
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < kCallers; ++i) {
        callers.emplace_back([&, i] {
          auto& mine = waits[static_cast<std::size_t>(i)];
          for (std::size_t at = static_cast<std::size_t>(i); Clock::now() < until; at += kCallers) {
            const auto& [client, record] = records[at % records.size()];
            const auto caller = vault.As(kCrmService);
            const auto began = Clock::now();
            if (!vault->records().GetRecord(caller, client, record)) ++unanswered;
            mine.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
          }
        });
      }
    }
    std::vector<double> all;
    for (const auto& mine : waits) all.insert(all.end(), mine.begin(), mine.end());
    std::ranges::sort(all);
    const auto at = [&](double part) {
      return all[static_cast<std::size_t>(static_cast<double>(all.size() - 1) * part)];
    };
    WARN(what << ": " << all.size() << " reads, p50 " << at(0.5) << " ms, p99 " << at(0.99)
              << " ms, most " << all.back() << " ms");
    return at(0.99);
  };
  read("before");
  const double without = read("without a run");
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  const double beside = read("beside a run");
  const auto went_on = vault->retention().GetRetentionRun(vault.As(kPrivacyOfficer), run->id);
  WARN("p99 " << beside / without << " times as long; erased meanwhile " << went_on->erased);
  CHECK(!went_on->finished);
  CHECK(went_on->erased > 0);
  CHECK(unanswered == 0);
}

// How fast, with RETENTION_RECORDS records of a fourth as many clients.
TEST_CASE("a preview and a run over many records", "[retention-scale]") {
  const char* const given = std::getenv("RETENTION_RECORDS");
  const int clients = (given != nullptr ? std::atoi(given) : 100'000) / 4;
  RetainingVault vault({.key_cache_entries = 131'072, .page_cache_mib = 160});
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  const ClientId first = vault.NewEnded("first");
  vault.Contact(first);
  const auto filling = Clock::now();
  FillUnreadable(vault, clients, [](int) { return 4; });
  vault.Open();
  WARN("filled within " << seconds(filling) << " s");
  auto began = Clock::now();
  const auto preview = vault.Preview();
  WARN("preview of " << preview.records << " records: " << seconds(began) << " s");
  began = Clock::now();
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  while (!vault->retention().GetRetentionRun(vault.As(kPrivacyOfficer), run->id)->finished) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  const auto ended = vault.Await(run->id);
  const double took = seconds(began);
  WARN("erased " << ended.erased << " of " << ended.due << " in " << took << " s, "
                 << static_cast<double>(ended.erased) / took << " a second");
  CHECK(ended.erased == static_cast<std::uint64_t>(clients) * 4 + 1);
  CHECK(vault.Number("SELECT count(*) FROM records") == 0);
  vault.CheckRows();
}

}  // namespace coffer::vault
