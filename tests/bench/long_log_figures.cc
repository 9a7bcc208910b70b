// Figures about a long log: coffer_figures "[long-log]". COFFER_LOG_ENTRIES entries, a million when
// it is not set.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;
using Clock = std::chrono::steady_clock;

double MillisecondsOf(const std::function<void()>& work) {
  const auto began = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

void Print(const char* what, std::vector<double> times) {
  std::ranges::sort(times);
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  std::printf("%-44s p50 %8.2f ms  p99 %8.2f ms\n", what, at(0.5), at(0.99));
}

template <class Work>
std::vector<double> Repeat(int times, Work&& work) {
  std::vector<double> taken;
  for (int i = 0; i < times; ++i) taken.push_back(MillisecondsOf([&] { work(i); }));
  return taken;
}

}  // namespace

TEST_CASE("searching, proving, opening and verifying a long log", "[long-log]") {
  const char* const wanted = std::getenv("COFFER_LOG_ENTRIES");
  const std::uint64_t entries = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1'000'000;
  TestVault vault({.page_cache_mib = 160});
  std::vector<ClientId> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(vault.NewClient("C-" + std::to_string(i)));
  const auto token = vault.As(kCrmService);
  {
    std::vector<std::jthread> callers;
    for (std::uint64_t thread = 0; thread < 32; ++thread) {
      callers.emplace_back([&, thread] {
        for (std::uint64_t i = thread; i < entries; i += 32) {
          Caller caller = token;
          caller.call = CallId::New(vault.clock.Now());
          (void)vault->clients().GetClient(caller, clients[i * 7919 % clients.size()]);
        }
      });
    }
  }
  for (;;) {
    const auto statistics = vault->monitoring().ReadStatistics(vault.As(kAdministrator));
    REQUIRE(statistics);
    if (statistics->log_index_size >= entries) break;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  vault.Close();
  std::printf("opening with the whole index                 %8.2f ms\n",
              MillisecondsOf([&] { vault.Open(); }));
  const auto page = [&](LogFilter filter) {
    return Repeat(300, [&](int i) {
      if (filter.client == "?") filter.client = clients[static_cast<std::size_t>(i)].Text();
      REQUIRE(
          vault->access_log().ReadLog(vault.As(kSecurityOfficer), filter, {100, i % 2 == 0, {}}));
      if (i % 2 == 1 && !filter.client.empty()) filter.client = "?";
    });
  };
  LogFilter filter;
  filter.client = "?";
  Print("page of 100 about a client", page(filter));
  filter = {};
  filter.action = "client.read";
  Print("page of 100 of a frequent action", page(filter));
  filter = {};
  filter.decision = "deny";
  Print("page that finds next to nothing", page(filter));
  filter = {};
  filter.action = "client.read";
  filter.class_name = "contact";
  Print("page of two frequent values, no match", page(filter));
  LogSummaryRequest summary;
  Print("summary of the whole log by action", Repeat(5, [&](int) {
          REQUIRE(vault->access_log().SummariseLog(vault.As(kSecurityOfficer), summary));
        }));
  Print("proof of an entry", Repeat(1000, [&](int i) {
          REQUIRE(vault->access_log().ProveLogEntry(vault.As(kAuditor),
                                                    static_cast<std::uint64_t>(i) * 997 % entries));
        }));
  std::printf("verifying the whole log                      %8.2f ms\n", MillisecondsOf([&] {
                const auto report = vault->verification().VerifyLog(vault.As(kAuditor), false);
                REQUIRE(report);
                CHECK(report->log.ok());
              }));
}

}  // namespace coffer::vault
