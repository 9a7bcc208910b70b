// What stays as it is when there is a hundred times as much, and what does not.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "tests/bench/filling.h"

namespace coffer::bench {
namespace {

using testing::RunningVault;

constexpr double kMiB = 1 << 20;

// What the kernel was given to write to disks by the server, its databases and logs.
double BytesWritten(const RunningVault& vault) {
  std::ifstream io("/proc/" + std::to_string(vault.pid()) + "/io");
  double bytes = 0;
  for (std::string name; io >> name >> bytes;) {
    if (name == "write_bytes:") return bytes;
  }
  FAIL("the kernel does not count what a process writes");
  return 0;
}

// "vault.db 12, keys.db 3": MiB, the largest first, and the small ones as one.
std::string FileSizes(const RunningVault& vault) {
  namespace fs = std::filesystem;
  std::vector<std::pair<double, std::string>> files;
  double rest = 0;
  for (const auto& file : fs::recursive_directory_iterator(vault.directory())) {
    if (!file.is_regular_file()) continue;
    const double size = static_cast<double>(file.file_size()) / kMiB;
    if (size < 1) {
      rest += size;
    } else {
      files.emplace_back(size, fs::relative(file.path(), vault.directory()).string());
    }
  }
  std::ranges::sort(files, std::greater());
  files.emplace_back(rest, "others");
  std::ostringstream said;
  said.setf(std::ios::fixed);
  said.precision(1);
  const char* between = "";
  for (const auto& [size, name] : files) {
    said << between << name << " " << size;
    between = ", ";
  }
  return said.str();
}

double ResidentMiB(RunningVault& vault) {
  return Metric(vault, "process_resident_memory_bytes") / kMiB;
}

void Measure(const Target& target, const char* scenario, const std::string& seconds) {
  Wrk(target, scenario, kConnections, seconds);  // once around for the caches
  const auto run = Wrk(target, scenario, kConnections, seconds);
  std::printf("%-7s %8.0f/s  p50 %6.2f ms  p99 %6.2f ms", scenario, run.rate, run.p50_ms,
              run.p99_ms);
  CHECK(run.errors == 0);
}

void MeasureAt(int clients, const std::string& seconds) {
  std::printf("\n--- %d clients with a record each\n", clients);
  RunningVault vault;
  const auto target = Fill(vault, clients, "");
  vault.Stop();
  const auto started = std::chrono::steady_clock::now();
  vault.Start();
  std::printf("start   %8.2f s to ready, RSS %.0f MiB\n", SecondsSince(started),
              ResidentMiB(vault));
  std::printf("files   %s MiB\n", FileSizes(vault).c_str());
  Measure(target, "read", seconds);
  std::printf("\n");

  const double entries = Metric(vault, "coffer_log_entries");
  const double written = BytesWritten(vault);
  Measure(target, "write", seconds);
  // Each store is an entry; what wrk did not wait for at its end was stored as well.
  const double stores = Metric(vault, "coffer_log_entries") - entries;
  std::printf("  %.0f bytes written a store\n", (BytesWritten(vault) - written) / stores);
  std::printf("then    RSS %.0f MiB; %s MiB\n", ResidentMiB(vault), FileSizes(vault).c_str());
  std::fflush(stdout);
  CHECK(vault.Counts().at("clients") == clients);
  vault.Stop();
}

}  // namespace

TEST_CASE("scale", "[.scale]") {
  const std::string seconds = Environment("COFFER_BENCH_SECONDS", "8");
  std::printf(
      "%d connections over TLS, %s s a run. Records are small (an address and a number, both\n"
      "indexed) but those stored while measuring, of about 1 KiB.\n",
      kConnections, seconds.c_str());
  std::istringstream sizes(Environment("COFFER_BENCH_SCALE", "10000 1000000"));
  for (int clients; sizes >> clients;) MeasureAt(clients, seconds);
}

}  // namespace coffer::bench
