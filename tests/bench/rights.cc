// What the registers of clients' rights take in a vault of this size: what is due, a consent that
// is asked for, what a breach met.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "audit/text/clock.h"
#include "tests/bench/filling.h"

namespace coffer::bench {
namespace {

using nlohmann::json;
using testing::Caller;
using testing::HttpReply;
using testing::RunningVault;

constexpr int kCallers = 4;
constexpr int kLooks = 300;

std::vector<std::string> ClientsOf(const Target& target) {
  std::ifstream ids(target.ids);
  std::vector<std::string> clients;
  for (std::string client, record; ids >> client >> record;) clients.push_back(client);
  return clients;
}

// Of several callers at once; how many a second.
double ForEach(RunningVault& vault, const std::string& role, int count,
               const std::function<HttpReply(Caller&, int)>& ask) {
  const auto began = std::chrono::steady_clock::now();
  std::atomic<int> next{0}, failed{0};
  {
    const std::string token = vault.Token(role);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kCallers; ++t) {
      threads.emplace_back([&] {
        Caller caller = vault.WithToken(token);
        for (int i; (i = next++) < count && failed == 0;) {
          if (const auto reply = ask(caller, i); reply.status >= 300) ++failed;
        }
      });
    }
  }
  REQUIRE(failed == 0);
  return count / SecondsSince(began);
}

// One after another by one caller.
void Look(RunningVault& vault, const std::string& role, const char* what, const std::string& path) {
  Caller caller = vault.As(role, "");
  std::array<double, kLooks> ms{};
  std::size_t items = 0;
  for (double& one : ms) {
    const auto began = std::chrono::steady_clock::now();
    const auto reply = caller.Get(path);
    one = SecondsSince(began) * 1000;
    REQUIRE(reply.status == 200);
    items = reply.Json().at("items").size();
  }
  std::ranges::sort(ms);
  std::printf("%-28s p50 %6.2f ms, p99 %6.2f ms, %zu items\n", what, ms[kLooks / 2],
              ms[kLooks * 99 / 100], items);
  std::fflush(stdout);
}

void MeasureRequests(RunningVault& vault, const std::vector<std::string>& clients) {
  const int count = static_cast<int>(clients.size()) / 10;
  constexpr const char* kKinds[] = {"access", "erasure", "rectification", "objection"};
  const std::int64_t now = audit::SystemClock().Now().ms;
  const double rate = ForEach(vault, "privacy-officer", count, [&](Caller& officer, int i) {
    const std::int64_t days = i % 40;
    return officer.Post("/v1/requests",
                        {{"kind", kKinds[i % 4]},
                         {"regime", "gdpr"},
                         {"channel", "email"},
                         {"client", clients[static_cast<std::size_t>(i) * 10]},
                         {"received", audit::FormatTimestamp({now - days * 24 * 3600 * 1000})}});
  });
  std::printf("%d requests registered, %.0f/s\n", count, rate);
  Look(vault, "privacy-officer", "what is due soon", "/v1/requests?due=soon&limit=50");
  Look(vault, "privacy-officer", "what is open", "/v1/requests?due=open&limit=50");
  Look(vault, "privacy-officer", "what is overdue", "/v1/requests?due=overdue&limit=50");
  Look(vault, "privacy-officer", "those of one client", "/v1/requests?client=" + clients[0]);
}

void MeasureConsents(RunningVault& vault, const Target& target,
                     const std::vector<std::string>& clients, const std::string& seconds) {
  Caller officer = vault.As("privacy-officer", "");
  REQUIRE(
      officer
          .Put("/v1/consent-texts/care", {{"texts", {{{"language", "en"}, {"text", "I agree."}}}}})
          .status < 300);
  Wrk(target, "read", kConnections, seconds);
  const auto without = Wrk(target, "read", kConnections, seconds);
  const auto searched_without = Wrk(target, "search", kConnections, seconds);
  const int count = static_cast<int>(clients.size()) * 2;
  const double rate = ForEach(vault, "privacy-officer", count, [&](Caller& caller, int i) {
    const auto& client = clients[static_cast<std::size_t>(i) % clients.size()];
    return caller.Post("/v1/clients/" + client + "/consents",
                       {{"purpose", "client-care"},
                        {"text", {{"name", "care"}, {"version", 1}, {"language", "en"}}},
                        {"channel", "website"},
                        {"evidence", "form"}});
  });
  std::printf("%d consents recorded, %.0f/s\n", count, rate);
  REQUIRE(
      vault.As("administrator", "")
          .Put("/v1/purposes/client-care",
               {{"title", "Client care"}, {"legal_basis", "consent"}, {"requires_consent", true}})
          .status < 300);
  Wrk(target, "read", kConnections, seconds);
  const auto with = Wrk(target, "read", kConnections, seconds);
  const auto searched_with = Wrk(target, "search", kConnections, seconds);
  std::printf("reads that a consent is asked for   %.3f of the rate without, %.0f/s\n",
              with.rate / without.rate, with.rate);
  std::printf("searches that it is asked for       %.3f, %.0f/s\n",
              searched_with.rate / searched_without.rate, searched_with.rate);
  std::fflush(stdout);
}

void MeasureScope(RunningVault& vault) {
  Caller officer = vault.As("security-officer", "");
  const std::int64_t now = audit::SystemClock().Now().ms;
  const json year = {{"from", audit::FormatTimestamp({now - std::int64_t{365} * 24 * 3600 * 1000})},
                     {"to", audit::FormatTimestamp({now})}};
  for (const char* by : {"time alone", "a principal"}) {
    json criteria = year;
    if (std::string(by) == "a principal") criteria["principal"] = "test privacy-officer";
    const double before = Metric(vault, "process_resident_memory_bytes");
    const auto began = std::chrono::steady_clock::now();
    const auto reply = officer.Post("/v1/breach-scopes", criteria);
    const double took = SecondsSince(began);
    if (reply.status != 200) {
      std::printf("scope by %-12s %.1f s: %s\n", by, took, reply.body.c_str());
      continue;
    }
    const json scope = reply.Json();
    std::printf("scope by %-12s %.1f s over %llu entries, %llu clients; RSS %+.0f MiB\n", by, took,
                scope.at("searched").get<unsigned long long>(),
                scope.at("clients").get<unsigned long long>(),
                (Metric(vault, "process_resident_memory_bytes") - before) / (1 << 20));
  }
  std::fflush(stdout);
}

}  // namespace

TEST_CASE("what clients' rights take", "[.rights]") {
  RunningVault vault;
  const auto target =
      Fill(vault, std::stoi(Environment("COFFER_BENCH_CLIENTS", "100000")), Filler(100));
  const auto clients = ClientsOf(target);
  MeasureRequests(vault, clients);
  MeasureScope(vault);
  MeasureConsents(vault, target, clients, Environment("COFFER_BENCH_SECONDS", "8"));
  const auto verified = vault.As("security-officer", "").Post("/v1/log/verify", {{"deep", true}});
  INFO(verified.body);
  CHECK(verified.Json().value("ok", false));
  vault.Stop();
}

}  // namespace coffer::bench
