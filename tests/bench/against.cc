// Coffer beside what does a part of its work: PostgreSQL keeps encrypted records and a log, nginx
// answers over TLS. tests/bench/run starts those and says here where they are.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <functional>
#include <vector>

#include "tests/bench/filling.h"

namespace coffer::bench {
namespace {

using testing::RunningVault;
using testing::RunProgram;

struct Contender {
  std::string name;
  std::string of;  // Coffer's contender that does the same for more; empty: this is Coffer's
  std::function<Run(const std::string& seconds)> run;
  std::vector<Run> rounds{};
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> Of(const Contender& contender, double Run::* figure) {
  std::vector<double> values;
  for (const auto& run : contender.rounds) values.push_back(run.*figure);
  return values;
}

std::vector<Contender> Contenders(const Target& coffer) {
  const auto wrk = [](const Target& target, const std::string& scenario) {
    return [=](const std::string& seconds) { return Wrk(target, scenario, kConnections, seconds); };
  };
  // What wrk stores.
  const std::string document =
      R"({"email":"w1.1@example.com","phone":"+15550000001","text":")" + Filler(855) + R"("})";
  const auto pgbench = [=](const std::string& script) {
    return [=](const std::string& seconds) {
      return Pgbench(script, kConnections, seconds, std::to_string(coffer.clients), document);
    };
  };
  const bool postgres = !Environment("COFFER_BENCH_POSTGRES", "").empty();
  const std::string nginx = Environment("COFFER_BENCH_NGINX", "");
  std::vector<Contender> all;
  if (!nginx.empty()) {
    all.push_back({"Coffer, bare answers", "", wrk(coffer, "bare")});
    all.push_back(
        {"nginx, 1 KiB file", "Coffer, bare answers", wrk({nginx, "none", ""}, "static")});
  }
  all.push_back({"Coffer, reads", "", wrk(coffer, "read")});
  if (postgres) {
    all.push_back({"PostgreSQL, reads", "Coffer, reads", pgbench("read")});
    all.push_back({"PostgreSQL, reads, chained log", "Coffer, reads", pgbench("read_chained")});
  }
  all.push_back({"Coffer, stores", "", wrk(coffer, "write")});
  if (postgres) {
    all.push_back({"PostgreSQL, stores", "Coffer, stores", pgbench("store")});
    all.push_back({"PostgreSQL, stores, chained log", "Coffer, stores", pgbench("store_chained")});
  }
  return all;
}

// Of the rates of one round, which a noisy machine slows alike.
double Ratio(const Contender& contender, const std::vector<Contender>& all) {
  const auto& ours = *std::ranges::find(all, contender.of, &Contender::name);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < contender.rounds.size(); ++i) {
    ratios.push_back(ours.rounds[i].rate / contender.rounds[i].rate);
  }
  return Median(ratios);
}

void PrintTable(const std::vector<Contender>& all) {
  std::printf("\n%-32s %8s %17s %8s %8s   %s\n", "medians", "rate/s", "(least - most)", "p50 ms",
              "p99 ms", "Coffer's rate by this");
  for (const auto& contender : all) {
    const auto rates = Of(contender, &Run::rate);
    std::printf("%-32s %8.0f %8.0f -%7.0f %8.2f %8.2f", contender.name.c_str(), Median(rates),
                std::ranges::min(rates), std::ranges::max(rates),
                Median(Of(contender, &Run::p50_ms)), Median(Of(contender, &Run::p99_ms)));
    if (!contender.of.empty()) std::printf("   %.2f", Ratio(contender, all));
    std::printf("\n");
  }
}

// The chain is what the slow rows pay for: it has to be one.
void CheckPostgresChain() {
  const auto checked =
      RunProgram({Environment("COFFER_BENCH_POSTGRES", "") + "/psql", "--no-psqlrc", "-qtA", "-v",
                  "ON_ERROR_STOP=1", "-f",
                  std::string(COFFER_SOURCE_DIR) + "/tests/bench/postgres/check_chain.sql"});
  INFO(checked.out << checked.err);
  CHECK(checked.exit_code == 0);
  CHECK(checked.out.ends_with("|0\n"));
  std::printf("PostgreSQL's chain, rows and breaks: %s", checked.out.c_str());
}

}  // namespace

TEST_CASE("against others", "[.against]") {
  const int rounds = std::stoi(Environment("COFFER_BENCH_ROUNDS", "3"));
  const std::string seconds = Environment("COFFER_BENCH_SECONDS", "8");
  RunningVault vault;
  const auto coffer =
      Fill(vault, std::stoi(Environment("COFFER_BENCH_CLIENTS", "100000")), Filler(900));
  auto all = Contenders(coffer);
  std::printf("%d connections over TLS, %d rounds of %s s each in turns\n", kConnections, rounds,
              seconds.c_str());
  for (const auto& contender : all) contender.run("2");  // the caches hold what they can hold
  for (int round = 1; round <= rounds; ++round) {
    std::printf("round %d:", round);
    for (auto& contender : all) {
      sync();  // nobody waits for what another left to be written
      const auto& run = contender.rounds.emplace_back(contender.run(seconds));
      std::printf(" %.0f", run.rate);
      std::fflush(stdout);
      INFO(contender.name);
      CHECK(run.errors == 0);
    }
    std::printf("\n");
  }
  PrintTable(all);
  if (!Environment("COFFER_BENCH_POSTGRES", "").empty()) CheckPostgresChain();
  const auto verified = vault.Verify();
  CHECK(verified.value("ok", false));
  std::printf("Coffer's log verified, deep: %s entries, %s records\n",
              verified["size"].dump().c_str(), verified["records_checked"].dump().c_str());
  vault.Stop();
}

}  // namespace coffer::bench
