// Drives a real cofferd with wrk and prints what it costs; tests/bench/run is the way to start it.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "crypto/random.h"
#include "crypto/secret_bytes.h"
#include "tests/support/running_vault.h"
#include "vault/storage/sqlite.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

struct Run {
  double rate = 0, p50_ms = 0, p99_ms = 0, max_ms = 0;
  long requests = 0, errors = 0;
};

Run Wrk(RunningVault& vault, const std::string& scenario, int connections,
        const std::string& seconds, const std::string& clients) {
  const auto result =
      RunProgram({"/usr/bin/wrk", "-t1", "-c" + std::to_string(connections), "-d" + seconds + "s",
                  "-s", std::string(COFFER_SOURCE_DIR) + "/tests/bench/load.lua",
                  "https://127.0.0.1:" + std::to_string(vault.port())},
                 {{"SCENARIO", scenario},
                  {"TOKEN", vault.Token("crm-service")},
                  {"IDS", vault.work() / "ids"},
                  {"CLIENTS", clients}});
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

double Metric(RunningVault& vault, const std::string& name) {
  const auto metrics = vault.As("administrator", "").Get("/metrics");
  std::istringstream lines(metrics.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  }
  return 0;
}

constexpr const char* kClass = R"({"name":"bench","purposes":["client-care"],"fields":{
  "email":{"type":"email","index":true,"required":true},
  "phone":{"type":"phone","index":true},
  "text":{"type":"text"}}})";

std::string Filler() {
  std::string text;
  while (text.size() < 900) text += "The quick brown fox jumps over the lazy dog. ";
  return text;
}

void Fill(RunningVault& vault, int clients) {
  const auto start = Clock::now();
  std::vector<std::string> ids(static_cast<std::size_t>(clients));
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  const std::string token = vault.Token("crm-service");
  std::vector<std::thread> threads;
  std::atomic<int> next{0};
  std::atomic<bool> failed{false};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      auto crm = vault.WithToken(token);
      const std::string filler = Filler();
      for (int from; (from = next.fetch_add(kLines)) < clients && !failed;) {
        std::string body;
        const int to = std::min(clients, from + kLines);
        for (int i = from; i < to; ++i) {
          body += json{{"external_ref", "B-" + std::to_string(i)},
                       {"data",
                        {{"email", "user" + std::to_string(i) + "@example.com"},
                         {"phone", "+1666" + std::to_string(1000000 + i)},
                         {"text", filler}}}}
                      .dump() +
                  "\n";
        }
        const auto reply = crm.Send("POST", "/v1/import?class=bench", body, "application/x-ndjson");
        if (reply.status != 200) failed = true;
        std::istringstream lines(reply.body);
        int i = from;
        for (std::string line; std::getline(lines, line); ++i) {
          const json result = json::parse(line);
          if (result.value("outcome", "") != "created") failed = true;
          ids[static_cast<std::size_t>(i)] =
              result.value("client", "") + " " + result.value("record", "");
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(!failed);
  std::ofstream file(vault.work() / "ids");
  for (const auto& id : ids) file << id << "\n";
  std::printf("fill: %d clients with a record each in %.1f s, %.0f/s through /v1/import\n", clients,
              SecondsSince(start), clients / SecondsSince(start));
}

// What the disk and SQLCipher can do without a vault around them.
void Floors(const TemporaryDirectory& work) {
  {
    const int fd = open((work / "floor").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const std::string block(4096, 'x');
    const auto start = Clock::now();
    int count = 0;
    while (SecondsSince(start) < 2) {
      REQUIRE(write(fd, block.data(), block.size()) == 4096);
      REQUIRE(fdatasync(fd) == 0);
      ++count;
    }
    close(fd);
    std::printf("floor: append of 4 KiB + fdatasync            %8.0f/s\n", count / 2.0);
  }
  auto key = coffer::crypto::SecretBytes::Random(32);
  auto database =
      coffer::vault::Database::Open(work / "floor.db", key, {.create = true, .cache_kib = 65536});
  REQUIRE(database);
  REQUIRE(database->Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB NOT NULL) STRICT"));
  auto insert = coffer::vault::Statement::Prepare(*database, "INSERT INTO t (b) VALUES (?)");
  REQUIRE(insert);
  const auto block = coffer::crypto::RandomBytes(1024);
  for (const int batch : {1, 16}) {
    const auto start = Clock::now();
    int count = 0;
    while (SecondsSince(start) < 2) {
      REQUIRE(database->Execute("BEGIN IMMEDIATE"));
      for (int i = 0; i < batch; ++i) REQUIRE(insert->Execute(coffer::crypto::ByteView(block)));
      REQUIRE(database->Execute("COMMIT"));
      count += batch;
    }
    REQUIRE(database->Checkpoint(true));
    std::printf("floor: SQLCipher inserts of 1 KiB, %2d a commit  %8.0f/s\n", batch, count / 2.0);
  }
}

// What signing a checkpoint each second takes from reads: the same in turns with hardly any.
void CompareCheckpoints(RunningVault& vault, const std::string& seconds,
                        const std::string& clients) {
  const std::string config = ReadWholeFile(vault.config_file());
  std::printf("\nreads by 32 connections, with a checkpoint a second and one a minute\n");
  for (int round = 0; round < 3; ++round) {
    for (const char* interval : {"1000", "60000"}) {
      vault.Stop();
      WriteWholeFile(vault.config_file(), config + "checkpoint_interval_ms = " + interval + "\n");
      vault.Start();
      Wrk(vault, "read", 32, "2", clients);
      const auto run = Wrk(vault, "read", 32, seconds, clients);
      std::printf("every %7s ms %9.0f/s  p99 %6.2f ms  max %6.1f ms\n", interval, run.rate,
                  run.p99_ms, run.max_ms);
      std::fflush(stdout);
    }
  }
}

}  // namespace

TEST_CASE("benchmark") {
  const std::string clients = Environment("COFFER_BENCH_CLIENTS", "100000");
  const std::string seconds = Environment("COFFER_BENCH_SECONDS", "8");
  std::printf("%u cores, %s clients, %s s a run\n", std::thread::hardware_concurrency(),
              clients.c_str(), seconds.c_str());
  RunningVault vault;
  const auto put =
      vault.As("administrator", "").Send("PUT", "/v1/classes/bench", kClass, "application/json");
  INFO(put.body);
  REQUIRE(put.status == 200);
  Floors(vault.work());
  Fill(vault, std::stoi(clients));

  vault.Stop();
  const auto started = Clock::now();
  vault.Start();
  std::printf("start to ready: %.2f s\n", SecondsSince(started));
  // Once around, so that the caches hold what they can hold.
  Wrk(vault, "read", 32, seconds, clients);

  std::printf("\n%-7s %5s %9s %7s %9s %9s %9s %9s %7s %7s\n", "what", "conns", "rate/s", "ratio",
              "p50 ms", "p99 ms", "max ms", "commits/s", "batch", "RSS MiB");
  std::istringstream counts(Environment("COFFER_BENCH_CONNECTIONS", "1 8 32 64"));
  for (int connections; counts >> connections;) {
    double bare = 0;
    std::istringstream scenarios(Environment("COFFER_BENCH_SCENARIOS", "bare read search write"));
    for (std::string scenario; scenarios >> scenario;) {
      const double entries_before = Metric(vault, "coffer_log_entries");
      const double operations_before = Metric(vault, "coffer_engine_operations_total");
      const double batches_before = Metric(vault, "coffer_engine_batches_total");
      const auto run = Wrk(vault, scenario, connections, seconds, clients);
      const double operations = Metric(vault, "coffer_engine_operations_total") - operations_before;
      const double batches = Metric(vault, "coffer_engine_batches_total") - batches_before;
      const double entries = Metric(vault, "coffer_log_entries") - entries_before;
      if (scenario == "bare") bare = run.rate;
      std::printf("%-7s %5d %9.0f %7.3f %9.2f %9.2f %9.1f %9.0f %7.1f %7.0f%s\n", scenario.c_str(),
                  connections, run.rate, bare > 0 ? run.rate / bare : 0, run.p50_ms, run.p99_ms,
                  run.max_ms, batches / std::stod(seconds), batches > 0 ? operations / batches : 0,
                  Metric(vault, "process_resident_memory_bytes") / (1 << 20),
                  run.errors > 0 ? "  ERRORS" : "");
      std::fflush(stdout);
      CHECK(run.errors == 0);
      // Every answered request has its entry; what was in flight at the end may have one as well.
      if (scenario == "read") {
        CHECK(entries >= static_cast<double>(run.requests));
        CHECK(entries <= static_cast<double>(run.requests + connections + 10));
      }
    }
  }
  if (Environment("COFFER_BENCH_CHECKPOINTS", "no") == "yes") {
    CompareCheckpoints(vault, seconds, clients);
  }
  const auto verified = vault.As("security-officer", "").Post("/v1/log/verify", {{"deep", true}});
  INFO(verified.body);
  CHECK(verified.Json().value("ok", false));
  std::printf("\nlog verified, deep: %s entries, %s records\n",
              verified.Json()["size"].dump().c_str(),
              verified.Json()["records_checked"].dump().c_str());
  vault.Stop();
}
