// What drives the servers that the benchmark measures, and what comes of it.
#pragma once

#include <chrono>
#include <string>

namespace coffer::bench {

constexpr int kConnections = 32;  // where one number of them is measured

struct Run {
  double rate = 0, p50_ms = 0, p99_ms = 0, max_ms = 0;
  long requests = 0, errors = 0;
};

// What requests are made of: `ids` names a file with a line "CLIENT RECORD" for each pair to choose
// from.
struct Target {
  std::string url, token, ids;
  int clients = 0;
};

using Instant = std::chrono::steady_clock::time_point;
double SecondsSince(Instant start);
std::string Environment(const char* name, const char* otherwise);

// One thread of wrk with SCENARIO of load.lua. Fails the test when wrk does.
Run Wrk(const Target& target, const std::string& scenario, int connections,
        const std::string& seconds);

// One thread of pgbench with SCRIPT of tests/bench/postgres, against the server that libpq's own
// variables name. Fails the test when pgbench does.
Run Pgbench(const std::string& script, int connections, const std::string& seconds,
            const std::string& clients, const std::string& document);

}  // namespace coffer::bench
