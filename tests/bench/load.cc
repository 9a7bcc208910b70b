#include "tests/bench/load.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/support/running_vault.h"

namespace coffer::bench {
namespace {

using testing::RunProgram;

std::string SourceFile(const std::string& name) {
  return std::string(COFFER_SOURCE_DIR) + "/tests/bench/" + name;
}

// The number after `label`, which pgbench prints.
double NumberAfter(const std::string& label, const std::string& text) {
  const auto at = text.find(label);
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at + label.size());
}

// pgbench's log has a line a transaction, the third word of which is its microseconds.
std::vector<double> LoggedMilliseconds(const std::string& directory) {
  std::vector<double> times;
  for (const auto& log : std::filesystem::directory_iterator(directory)) {
    std::ifstream lines(log.path());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string client, number;
      double microseconds = 0;
      if (words >> client >> number >> microseconds) times.push_back(microseconds / 1000);
    }
  }
  std::ranges::sort(times);
  return times;
}

}  // namespace

double SecondsSince(Instant start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

Run Wrk(const Target& target, const std::string& scenario, int connections,
        const std::string& seconds) {
  const auto result = RunProgram({"/usr/bin/wrk", "-t1", "-c" + std::to_string(connections),
                                  "-d" + seconds + "s", "-s", SourceFile("load.lua"), target.url},
                                 {{"SCENARIO", scenario},
                                  {"TOKEN", target.token},
                                  {"IDS", target.ids},
                                  {"CLIENTS", std::to_string(target.clients)}});
  INFO(result.out << result.err);
  REQUIRE(result.exit_code == 0);
  const auto at = result.out.find("RESULT ");
  REQUIRE(at != std::string::npos);
  std::istringstream numbers(result.out.substr(at + 7));
  double duration_us = 0, p50 = 0, p99 = 0, max = 0;
  Run run;
  numbers >> run.requests >> duration_us >> p50 >> p99 >> max >> run.errors;
  run.rate = static_cast<double>(run.requests) / (duration_us / 1e6);
  run.p50_ms = p50 / 1000;
  run.p99_ms = p99 / 1000;
  run.max_ms = max / 1000;
  return run;
}

Run Pgbench(const std::string& script, int connections, const std::string& seconds,
            const std::string& clients, const std::string& document) {
  const testing::TemporaryDirectory logs;
  const auto result =
      RunProgram({Environment("COFFER_BENCH_POSTGRES", "") + "/pgbench", "--no-vacuum",
                  "--protocol=prepared", "--jobs=1", "--client=" + std::to_string(connections),
                  "--time=" + seconds, "--log", "--log-prefix=" + (logs / "transactions"),
                  "--define=clients=" + clients, "--define=document=" + document,
                  "--define=key=" + Environment("COFFER_BENCH_POSTGRES_KEY", ""),
                  "--file=" + SourceFile("postgres/" + script + ".sql")});
  INFO(result.out << result.err);
  REQUIRE(result.exit_code == 0);
  const auto times = LoggedMilliseconds(logs.path());
  REQUIRE_FALSE(times.empty());
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  Run run;
  run.rate = NumberAfter("\ntps = ", result.out);
  run.requests = static_cast<long>(times.size());
  run.errors = static_cast<long>(NumberAfter("number of failed transactions: ", result.out));
  run.p50_ms = at(0.5);
  run.p99_ms = at(0.99);
  run.max_ms = times.back();
  return run;
}

}  // namespace coffer::bench
