// What it takes to operate a vault of this size: copies, what a lost disk costs, keys exchanged.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "tests/bench/filling.h"

namespace coffer::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Caller;
using testing::ReadWholeFile;
using testing::RunningVault;
using testing::RunProgram;
using testing::WriteWholeFile;

constexpr double kBytesAMiB = 1 << 20;

double MiBIn(const std::string& directory) {
  double bytes = 0;
  for (const auto& file : fs::recursive_directory_iterator(directory)) {
    if (file.is_regular_file()) bytes += static_cast<double>(file.file_size());
  }
  return bytes / kBytesAMiB;
}

// The greatest that a child had which has ended.
double ChildrenPeakBytesAMiB() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Operated : public RunningVault {
 public:
  Operated() : log_key(LogKey()) {
    Stop();
    std::string config = ReadWholeFile(config_file());
    const std::string operated_by = "[operator]\n";
    config.insert(config.find(operated_by) + operated_by.size(), "backup_horizon_days = 7\n");
    WriteWholeFile(config_file(), config + "\n[backup]\nevery_hours = 0\nincrement_seconds = 1\n" +
                                      Destination("data") + Destination("keys"));
    Start();
  }
  std::string Copies(const std::string& kind) const { return work() / ("copies-of-" + kind); }
  double Run() {
    const auto began = std::chrono::steady_clock::now();
    const auto run = As("administrator", "").Send("POST", "/v1/backup/runs", "", "");
    INFO(run.body);
    REQUIRE(run.status == 201);
    return SecondsSince(began);
  }
  double Tool(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{COFFER_BIN_DIR "/coffer"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto began = std::chrono::steady_clock::now();
    const auto ran = RunProgram(words);
    INFO(arguments[0] << " " << arguments[1] << ": " << ran.out << ran.err);
    REQUIRE(ran.exit_code == 0);
    return SecondsSince(began);
  }
  // Until GET /v1/keys says so.
  double AwaitKeys(const std::function<bool(const json&)>& there) {
    const auto began = std::chrono::steady_clock::now();
    Caller officer = As("security-officer", "");
    while (!there(officer.Get("/v1/keys").Json())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return SecondsSince(began);
  }
  std::vector<std::string> Key(const char* what, const char* which) const {
    return {"key", what, which, "--data", directory(), "--root-key-file", root_key_file()};
  }

  const std::string log_key;

 private:
  std::string Destination(const std::string& kind) const {
    return "\n[[backup.destination]]\nname = \"" + kind + "\"\nkind = \"" + kind +
           "\"\ndirectory = \"" + Copies(kind) + "\"\n" + (kind == "keys" ? "keep_days = 6\n" : "");
  }
};

void MeasureCopies(Operated& vault, const Target& target) {
  for (const char* name : {"data", "keys"}) {
    const auto made =
        vault.As("administrator", "")
            .Send("POST", std::string("/v1/backup/destinations/") + name + "/initialize", "", "");
    INFO(made.body);
    REQUIRE(made.status < 300);
  }
  const double before = Metric(vault, "process_resident_memory_bytes") / kBytesAMiB;
  const double first_s = vault.Run();
  const double first = MiBIn(vault.Copies("data"));
  std::printf(
      "copy    first generation %8.1f MiB in %6.1f s, %.0f MiB/s; RSS %.0f MiB, before %.0f\n",
      first, first_s, first / first_s, Metric(vault, "process_resident_memory_bytes") / kBytesAMiB,
      before);

  std::ifstream ids(target.ids);
  Caller crm = vault.WithToken(target.token);
  int changed = 0, line = 0;
  for (std::string client, record; ids >> client >> record; ++line) {
    if (line % 100 != 0) continue;
    const json changed_to = {{"data", {{"phone", "+1444" + std::to_string(1'000'000 + line)}}}};
    const auto put =
        crm.Send("PATCH", "/v1/clients/" + client + "/records/" + record, changed_to.dump(),
                 "application/merge-patch+json", {{"If-Match", "\"1\""}});
    INFO(put.body);
    REQUIRE(put.status == 200);
    ++changed;
  }
  const double increments = MiBIn(vault.Copies("data"));
  const double second_s = vault.Run();
  const double second = MiBIn(vault.Copies("data"));
  std::printf(
      "copy    %d records changed: increments %.1f MiB, second generation %.1f MiB (%.1f %% "
      "of the first) in %.1f s\n",
      changed, increments - first, second - increments, 100 * (second - increments) / first,
      second_s);
  const double verify_s =
      vault.Tool({"backup", "verify", vault.Copies("data"), "--log-key", vault.log_key});
  std::printf("verify  %8.1f MiB in %6.1f s, %.0f MiB/s, RSS up to %.0f MiB\n", second, verify_s,
              second / verify_s, ChildrenPeakBytesAMiB());
  std::fflush(stdout);
}

// Stored by one caller after another until the server is gone.
struct Acknowledged {
  std::string client, record;
  Instant when;
};
std::vector<Acknowledged> StoreUntilKilled(Operated& vault, const Target& target) {
  std::string client;
  std::ifstream(target.ids) >> client;
  std::vector<Acknowledged> stored;
  std::jthread killer([&] {
    std::this_thread::sleep_for(std::chrono::seconds(15));
    vault.Kill();
  });
  Caller crm = vault.WithToken(target.token);
  for (;;) {
    const auto put = crm.Post("/v1/clients/" + client + "/records",
                              {{"class", "bench"}, {"data", {{"email", "new@example.com"}}}});
    if (put.status != 201) break;
    stored.push_back({client, put.Json().value("id", ""), std::chrono::steady_clock::now()});
  }
  return stored;
}

void MeasureLoss(Operated& vault, const Target& target) {
  const auto stored = StoreUntilKilled(vault, target);
  REQUIRE(!stored.empty());
  fs::remove_all(vault.directory());
  const auto began = std::chrono::steady_clock::now();
  const double restore_s =
      vault.Tool({"restore", "--from", vault.Copies("data"), "--keys-from", vault.Copies("keys"),
                  "--data", vault.directory(), "--root-key-file", vault.root_key_file()});
  const double recover_s = vault.Tool(
      {"recover", "--data", vault.directory(), "--root-key-file", vault.root_key_file()});
  vault.Start();
  Caller crm = vault.WithToken(target.token);
  std::string client, record;
  std::ifstream(target.ids) >> client >> record;
  CHECK(crm.Get("/v1/clients/" + client + "/records/" + record).status == 200);
  std::printf("restore %6.1f s, recover %.1f s, first read %.1f s after the loss\n", restore_s,
              recover_s, SecondsSince(began));
  std::size_t lost = 0;
  for (auto one = stored.rbegin(); one != stored.rend(); ++one, ++lost) {
    if (crm.Get("/v1/clients/" + one->client + "/records/" + one->record).status == 200) break;
  }
  const std::chrono::duration<double> since =
      lost == 0 ? std::chrono::duration<double>(0)
                : stored.back().when - stored[stored.size() - lost].when;
  std::printf("loss    %zu of %zu records stored in the last 15 s, of the last %.2f s\n", lost,
              stored.size(), since.count());
  std::fflush(stdout);
}

void MeasureKeys(Operated& vault, const Target& target, const std::string& seconds) {
  const auto phase = [](const char* of, const char* is) {
    return [of, is](const json& keys) { return keys.at(of).value("phase", "") == is; };
  };
  vault.Tool(vault.Key("rotate", "clients"));
  const double wrapped_s = vault.AwaitKeys(phase("clients", "wrapped"));
  std::printf("keys    of %d clients wrapped in %.1f s, %.0f/s, idle\n", target.clients, wrapped_s,
              target.clients / wrapped_s);
  vault.Tool(vault.Key("finish", "clients"));
  vault.AwaitKeys(phase("clients", "settled"));
  Wrk(target, "read", kConnections, seconds);
  const auto alone = Wrk(target, "read", kConnections, seconds);
  vault.Tool(vault.Key("rotate", "clients"));
  const auto beside = Wrk(target, "read", kConnections, seconds);
  std::printf("reads   beside it %.3f of their rate, p99 %.2f ms after %.2f\n",
              beside.rate / alone.rate, beside.p99_ms, alone.p99_ms);
  vault.AwaitKeys(phase("clients", "wrapped"));
  vault.Tool(vault.Key("finish", "clients"));

  const double size =
      static_cast<double>(fs::file_size(vault.directory() + "/vault.db")) / kBytesAMiB;
  vault.Tool(vault.Key("rotate", "database"));
  const double written_s = vault.AwaitKeys(phase("database", "written"));
  std::printf("pages   of vault.db, %.0f MiB, written anew in %.1f s, idle\n", size, written_s);
  vault.Tool(vault.Key("finish", "database"));
  vault.AwaitKeys(phase("database", "settled"));
  vault.Tool(vault.Key("rotate", "database"));
  const auto written = Wrk(target, "read", kConnections, seconds);
  std::printf("reads   beside it %.3f of their rate, p99 %.2f ms, max %.1f ms after %.1f\n",
              written.rate / alone.rate, written.p99_ms, written.max_ms, alone.max_ms);
  std::fflush(stdout);
  vault.AwaitKeys(phase("database", "written"));
  vault.Tool(vault.Key("finish", "database"));
}

}  // namespace

TEST_CASE("what operating takes", "[.operation]") {
  Operated vault;
  const auto target =
      Fill(vault, std::stoi(Environment("COFFER_BENCH_CLIENTS", "100000")), Filler(900));
  MeasureCopies(vault, target);
  MeasureLoss(vault, target);
  MeasureKeys(vault, target, Environment("COFFER_BENCH_SECONDS", "8"));
  const auto verified = vault.As("security-officer", "").Post("/v1/log/verify", {{"deep", true}});
  INFO(verified.body);
  CHECK(verified.Json().value("ok", false));
  vault.Stop();
}

}  // namespace coffer::bench
