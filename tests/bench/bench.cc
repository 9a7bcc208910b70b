// Drives a real cofferd with wrk and prints what it costs; tests/bench/run is the way to start it.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

#include "crypto/random.h"
#include "crypto/secret_bytes.h"
#include "tests/bench/filling.h"
#include "tests/support/running_vault.h"
#include "vault/storage/sqlite.h"

using namespace coffer::bench;
using namespace coffer::testing;

namespace {

// What the disk and SQLCipher can do without a vault around them.
void Floors(const TemporaryDirectory& work) {
  {
    const int fd = open((work / "floor").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const std::string block(4096, 'x');
    const auto start = std::chrono::steady_clock::now();
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
    const auto start = std::chrono::steady_clock::now();
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
void CompareCheckpoints(RunningVault& vault, const Target& target, const std::string& seconds) {
  const std::string config = ReadWholeFile(vault.config_file());
  std::printf("\nreads by 32 connections, with a checkpoint a second and one a minute\n");
  for (int round = 0; round < 3; ++round) {
    for (const char* interval : {"1000", "60000"}) {
      vault.Stop();
      WriteWholeFile(vault.config_file(), config + "checkpoint_interval_ms = " + interval + "\n");
      vault.Start();
      Wrk(target, "read", 32, "2");
      const auto run = Wrk(target, "read", 32, seconds);
      std::printf("every %7s ms %9.0f/s  p99 %6.2f ms  max %6.1f ms\n", interval, run.rate,
                  run.p99_ms, run.max_ms);
      std::fflush(stdout);
    }
  }
}

// What copying each second what was committed takes from who asks, and what a whole copy does.
void CompareBackups(RunningVault& vault, const Target& target, const std::string& seconds) {
  const std::string config = ReadWholeFile(vault.config_file());
  const std::string copied = config + "\n[backup]\nevery_hours = 0\n\n[[backup.destination]]\n" +
                             "name = \"disk\"\nkind = \"data\"\ndirectory = \"" +
                             (vault.work() / "copies") + "\"\n";
  std::printf("\nby 32 connections, without copies, beside increments, beside whole copies\n");
  for (int round = 0; round < 3; ++round) {
    for (const char* scenario : {"read", "write"}) {
      double without = 0;
      for (const char* beside : {"nothing", "increments", "copies"}) {
        vault.Stop();
        WriteWholeFile(vault.config_file(), beside[0] == 'n' ? config : copied);
        vault.Start();
        Caller admin = vault.As("administrator", "");
        if (beside[0] != 'n') {
          // The first makes the repository; others find it there.
          admin.Send("POST", "/v1/backup/destinations/disk/initialize", "", "");
          CHECK(admin.Send("POST", "/v1/backup/runs", "", "").status == 201);
        }
        Wrk(target, scenario, 32, "2");
        std::atomic<bool> ended{false};
        int copies = 0;
        std::thread copying([&] {
          while (beside[0] == 'c' && !ended) {
            copies += admin.Send("POST", "/v1/backup/runs", "", "").status == 201 ? 1 : 0;
          }
        });
        const auto run = Wrk(target, scenario, 32, seconds);
        ended = true;
        copying.join();
        if (without == 0) without = run.rate;
        std::printf("%-7s %-10s %9.0f/s  %5.3f  p99 %6.2f ms  max %6.1f ms  %d copies\n", scenario,
                    beside, run.rate, run.rate / without, run.p99_ms, run.max_ms, copies);
        std::fflush(stdout);
      }
    }
  }
  vault.Stop();
  WriteWholeFile(vault.config_file(), config);
  vault.Start();
}

}  // namespace

TEST_CASE("benchmark") {
  const std::string clients = Environment("COFFER_BENCH_CLIENTS", "100000");
  const std::string seconds = Environment("COFFER_BENCH_SECONDS", "8");
  std::printf("%u cores, %s clients, %s s a run\n", std::thread::hardware_concurrency(),
              clients.c_str(), seconds.c_str());
  RunningVault vault;
  Floors(vault.work());
  const auto target = Fill(vault, std::stoi(clients), Filler(900));

  vault.Stop();
  const auto started = std::chrono::steady_clock::now();
  vault.Start();
  std::printf("start to ready: %.2f s\n", SecondsSince(started));
  // Once around, so that the caches hold what they can hold.
  Wrk(target, "read", 32, seconds);

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
      const auto run = Wrk(target, scenario, connections, seconds);
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
    CompareCheckpoints(vault, target, seconds);
  }
  if (Environment("COFFER_BENCH_BACKUPS", "no") == "yes") CompareBackups(vault, target, seconds);
  const auto verified = vault.As("security-officer", "").Post("/v1/log/verify", {{"deep", true}});
  INFO(verified.body);
  CHECK(verified.Json().value("ok", false));
  std::printf("\nlog verified, deep: %s entries, %s records\n",
              verified.Json()["size"].dump().c_str(),
              verified.Json()["records_checked"].dump().c_str());
  vault.Stop();
}
