// Limits that a process is given: a sentence and an exit code, or a server that sheds what it
// cannot do, and never an abort or silence.
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/support/running_vault.h"

namespace coffer::testing {
namespace {

std::string LimitedProgram(const char* name) {
  const char* elsewhere = std::getenv("COFFER_BIN_DIR");
  return std::string(elsewhere != nullptr ? elsewhere : COFFER_BIN_DIR) + "/" + name;
}

// "rc=N" is the last line of `out`. Through a pipe, for what is written to a file would be limited
// too. A server that serves is stopped after a while, which is as good.
ProgramResult RunLimited(const std::string& limit, const std::string& command) {
  return RunProgram(
      {"/bin/sh", "-c",
       "( ulimit " + limit + "; timeout -s TERM 3 " + command + "; echo rc=$? ) 2>&1 | cat"});
}

bool EndedWith(const ProgramResult& ran, int code) {
  return ran.out.ends_with("rc=" + std::to_string(code) + "\n");
}

constexpr int kStoppedByTimeout = 124;

}  // namespace

TEST_CASE("under any limit a server serves, or says why it does not") {
  RunningVault vault;
  vault.Stop();
  std::vector<std::string> limits = {"-n 8", "-n 12", "-n 16", "-n 24", "-f 0", "-f 1", "-f 64"};
#if !defined(COFFER_SANITIZED)
  // Between what libraries take to be loaded, and what their initialisers take before main begins,
  // are some MiB in which these end the process.
  for (const int kib :
       {60'000, 100'000, 120'000, 150'000, 200'000, 400'000, 1'000'000, 2'000'000}) {
    limits.push_back("-v " + std::to_string(kib));
  }
#endif
  for (const std::string& limit : limits) {
    const auto ran =
        RunLimited(limit, LimitedProgram("cofferd") + " --config " + vault.config_file());
    CAPTURE(limit, ran.out);
    // Where not even the libraries can be loaded, the loader says so.
    CHECK((EndedWith(ran, kStoppedByTimeout) || EndedWith(ran, 1) || EndedWith(ran, 127)));
    if (EndedWith(ran, 1)) CHECK(ran.out.find("cofferd: ") != std::string::npos);
  }
  const std::string unlimited = LimitedProgram("cofferd") + " --config " + vault.config_file();
  CHECK(EndedWith(RunLimited("-n 1024", unlimited), kStoppedByTimeout));
  vault.Start();
  CHECK(vault.Verify().at("ok") == true);
}

TEST_CASE("under any limit the tool does what is asked, or says why it does not") {
  RunningVault vault;
  WriteWholeFile(vault.work() / "admin", vault.Token("administrator") + "\n");
  REQUIRE(RunProgram({"/bin/chmod", "600", vault.work() / "admin"}).exit_code == 0);
  const std::string command = LimitedProgram("coffer") +
                              " user list --url https://127.0.0.1:" + std::to_string(vault.port()) +
                              " --ca " + vault.ca_file() + " --token-file " +
                              (vault.work() / "admin");
  std::vector<std::string> limits = {"-n 4", "-n 5", "-n 6", "-n 7", "-n 8", "-n 24", "-f 0"};
#if !defined(COFFER_SANITIZED)
  for (int kib = 60'000; kib <= 100'000; kib += 4'000)
    limits.push_back("-v " + std::to_string(kib));
#endif
  for (const std::string& limit : limits) {
    const auto ran = RunLimited(limit, command);
    CAPTURE(limit, ran.out);
    CHECK((EndedWith(ran, 0) || EndedWith(ran, 1) || EndedWith(ran, 2) || EndedWith(ran, 5) ||
           EndedWith(ran, 127)));
    if (!EndedWith(ran, 0) && !EndedWith(ran, 127)) {
      CHECK(ran.out.find("coffer: ") != std::string::npos);
    }
  }
  CHECK(EndedWith(RunLimited("-n 1024", command), 0));
}

TEST_CASE("a server without descriptors or room in its files answers or ends, and loses nothing") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  vault.Token("crm-service");
  // Three connections may be made, no more: the next ones wait, or are closed.
  const std::filesystem::directory_iterator open("/proc/" + std::to_string(vault.pid()) + "/fd");
  const auto most = static_cast<rlim_t>(std::distance(begin(open), end(open))) + 3;
  const rlimit few{most, most};
  REQUIRE(prlimit(vault.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  std::vector<Caller> callers;
  for (int i = 0; i < 5; ++i) {
    callers.push_back(vault.As("crm-service"));
    static_cast<void>(callers.back().Get("/v1/clients/" + client));  // any answer, or none
  }
  CHECK(vault.Alive());
  callers.clear();
  CHECK(vault.As("crm-service").Get("/v1/clients/" + client).status == 200);
  vault.Stop();

  vault.Start();
  const rlimit no_file{0, 0};
  REQUIRE(prlimit(vault.pid(), RLIMIT_FSIZE, &no_file, nullptr) == 0);
  const auto stored = vault.As("crm-service").Post("/v1/clients", {{"external_ref", "A-2"}});
  CAPTURE(stored.status, stored.body, vault.ServerLog());
  CHECK(stored.status != 201);
  // Sealed, not sealed, or ended by itself on a write whose outcome is open; never by a signal.
  const int ended = vault.Terminate();
  CHECK((ended == 0 || ended == 1 || ended == 74));
  vault.Start();
  CHECK(vault.As("crm-service").Get("/v1/clients/" + client).status == 200);
  CHECK(vault.Verify().at("ok") == true);
}

}  // namespace coffer::testing
