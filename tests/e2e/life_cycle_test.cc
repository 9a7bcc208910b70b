// From the first instruction to the last: signals at any moment, a listening socket that fails,
// certificates exchanged while serving, two servers after one port.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;

namespace {

std::string Cofferd() {
  const char* elsewhere = std::getenv("COFFER_BIN_DIR");
  return std::string(elsewhere != nullptr ? elsewhere : COFFER_BIN_DIR) + "/cofferd";
}

// Runs a server to its end that finds `signal` waiting for it from its first instruction on.
ProgramResult StartWithSignalPending(const RunningVault& vault, int signal) {
  const std::string said = vault.work() / "said";
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, signal);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    kill(getpid(), signal);  // of the process: raise() would be for this thread alone
    dup2(open(said.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600), STDERR_FILENO);
    execl(Cofferd().c_str(), "cofferd", "--config", vault.config_file().c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return {
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), {}, ReadWholeFile(said)};
}

void AwaitLog(const RunningVault& vault, const std::string& words) {
  for (int i = 0; i < 3000 && vault.ServerLog().find(words) == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  INFO(vault.ServerLog());
  REQUIRE(vault.ServerLog().find(words) != std::string::npos);
}

// A key and a certificate of the name, for these days, in the place of the server's.
void MakeCertificate(const RunningVault& vault, const std::string& name, const std::string& days) {
  REQUIRE(RunProgram({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:P-256", "-nodes", "-days", days, "-subj", "/CN=" + name,
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                      vault.work() / "server.key", "-out", vault.work() / "server.crt"})
              .exit_code == 0);
}

// Injects faults into the system calls of the running server, until it is killed.
pid_t Trace(const RunningVault& vault, const std::string& fault) {
  const std::string pid = std::to_string(vault.pid());
  const pid_t tracer = fork();
  REQUIRE(tracer >= 0);
  if (tracer == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    execl("/usr/bin/strace", "strace", "-f", "-qq", "-o", (vault.work() / "trace").c_str(), "-p",
          pid.c_str(), "-e", fault.c_str(), nullptr);
    _exit(127);
  }
  return tracer;
}

// The other end of sd_notify(3).
class ServiceManager {
 public:
  ServiceManager() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(place_ / "notify", address.sun_path);
    timeval quiet{.tv_sec = 2, .tv_usec = 0};
    REQUIRE(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet) == 0);
  }
  ~ServiceManager() { close(socket_); }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  VaultSettings Settings(std::map<std::string, std::string> environment = {}) const {
    VaultSettings settings;
    settings.start = false;
    environment["NOTIFY_SOCKET"] = place_ / "notify";
    settings.environment = std::move(environment);
    return settings;
  }
  // What it is told next, within a minute.
  std::string Told() const {
    for (int i = 0; i < 30; ++i) {
      if (const std::string told = Receive(); !told.empty()) return told;
    }
    return {};
  }
  // Whether, within a minute, nothing comes for a while.
  bool FallsSilent() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < until) {
      if (Receive().empty()) return true;
    }
    return false;
  }

 private:
  std::string Receive() const {
    char text[128] = {};
    const auto size = recv(socket_, text, sizeof text, 0);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }

  const TemporaryDirectory place_;
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

}  // namespace

TEST_CASE("a stop that comes before the server listens is not forgotten") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  vault.Stop();
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto ended = StartWithSignalPending(vault, signal);
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("the log is sealed") != std::string::npos);
  }
  vault.Start();
  CHECK(vault.As("crm-service").Get("/v1/clients/" + client).status == 200);
  vault.Stop();
}

TEST_CASE("a connection that cannot be accepted ends no server") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  for (const std::string error : {"ECONNABORTED", "ENFILE", "ENOBUFS", "EPERM"}) {
    INFO(error);
    const pid_t tracer = Trace(vault, "inject=accept,accept4:error=" + error + ":when=1..2");
    // Each connection wakes the server's loop; the first ones meet the fault.
    int served = 0;
    for (int i = 0; i < 3000 && served < 3; ++i) {
      served = vault.As("crm-service").Get("/v1/clients/" + client).status == 200 ? served + 1 : 0;
      const bool met = ReadWholeFile(vault.work() / "trace").find("INJECTED") != std::string::npos;
      if (!met) served = 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK(served == 3);
    CHECK(vault.Alive());
    kill(tracer, SIGTERM);
    waitpid(tracer, nullptr, 0);
  }
  vault.Stop();
}

TEST_CASE(
    "certificates are exchanged while the server serves, and a pair that does not fit is not") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string path = "/v1/clients/" + client;
  auto before = vault.As("crm-service");
  REQUIRE(before.Get(path).status == 200);
  const std::string old_certificate = ReadWholeFile(vault.ca_file());

  MakeCertificate(vault, "renewed", "1");
  kill(vault.pid(), SIGHUP);
  AwaitLog(vault, "reloaded: ");
  CHECK(vault.ServerLog().find("the server's certificate expires in") != std::string::npos);
  CHECK(before.Get(path).status == 200);                   // the connection goes on
  CHECK(vault.As("crm-service").Get(path).status == 200);  // trusts the new one alone
  const std::string renewed = ReadWholeFile(vault.ca_file());
  WriteWholeFile(vault.ca_file(), old_certificate);
  CHECK(vault.As("crm-service").Get(path).status == 0);

  // The old certificate does not fit the new key: all stays as it is.
  const auto refusals = [&] {
    std::size_t count = 0;
    const std::string log = vault.ServerLog();
    for (auto at = log.find("not reloaded"); at != log.npos;
         at = log.find("not reloaded", at + 1)) {
      ++count;
    }
    return count;
  };
  kill(vault.pid(), SIGHUP);
  AwaitLog(vault, "certificate_unusable");
  REQUIRE(refusals() == 1);
  WriteWholeFile(vault.ca_file(), renewed);
  CHECK(vault.As("crm-service").Get(path).status == 200);

  chmod((vault.work() / "server.key").c_str(), 0644);
  kill(vault.pid(), SIGHUP);
  AwaitLog(vault, "private_key_exposed");
  CHECK(vault.As("crm-service").Get(path).status == 200);
  CHECK(RunProgram({Cofferd(), "--config", vault.config_file(), "--check"}).exit_code == 78);
  chmod((vault.work() / "server.key").c_str(), 0600);

  WriteWholeFile(vault.config_file(), ReadWholeFile(vault.config_file()) + "\nnonsense");
  kill(vault.pid(), SIGHUP);
  AwaitLog(vault, "config_invalid");
  CHECK(vault.As("crm-service").Get(path).status == 200);
  vault.Stop();
}

TEST_CASE("a service manager is told when the vault is ready, when it reloads and when it stops") {
  const ServiceManager manager;
  RunningVault vault(manager.Settings());
  vault.Spawn();
  CHECK(manager.Told() == "READY=1");
  CHECK(vault.WithToken("").Get("/health/ready").status == 200);  // at once
  // Whether or not what it reads can be used.
  for (const char* more : {"", "\nnonsense"}) {
    WriteWholeFile(vault.config_file(), ReadWholeFile(vault.config_file()) + more);
    kill(vault.pid(), SIGHUP);
    const std::string reloading = manager.Told();
    INFO(reloading);
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::chrono::microseconds said(std::stoll(reloading.substr(27)));
    CHECK(said <= now);
    CHECK(said > now - std::chrono::minutes(1));
    CHECK(manager.Told() == "READY=1");
  }
  vault.Stop();
  CHECK(manager.Told() == "STOPPING=1");
}

TEST_CASE("a vault that hangs at its disk gives no sign of life, though the process answers") {
  const ServiceManager manager;
  RunningVault vault(manager.Settings({{"WATCHDOG_USEC", "400000"}}));
  vault.Spawn();
  REQUIRE(manager.Told() == "READY=1");
  for (int i = 0; i < 3; ++i) CHECK(manager.Told() == "WATCHDOG=1");

  // The disk does not answer any more, from some write on.
  const pid_t tracer = Trace(vault, "inject=fsync,fdatasync:delay_enter=600000000");
  std::atomic<bool> enough{false};
  std::vector<int> answers;
  std::thread reader([&, admin = vault.As("administrator")]() mutable {
    while (!enough) answers.push_back(admin.Get("/v1/status").status);  // which leaves an entry
  });
  CHECK(manager.FallsSilent());
  CHECK(vault.WithToken("").Get("/health/live").status == 200);
  enough = true;
  kill(tracer, SIGTERM);  // lets go of what it held
  waitpid(tracer, nullptr, 0);
  reader.join();
  CHECK(std::ranges::count(answers, 200) == std::ssize(answers));
  CHECK(manager.Told() == "WATCHDOG=1");

  kill(vault.pid(), SIGSTOP);
  CHECK(manager.FallsSilent());
  kill(vault.pid(), SIGCONT);
  CHECK(manager.Told() == "WATCHDOG=1");
  vault.Stop();
}

TEST_CASE("a service manager that waits for no sign of life, or for another's, gets none") {
  const ServiceManager manager;
  for (const auto& [patience, pid] : {std::pair("", ""), {"40000x", ""}, {"40000", "1"}}) {
    INFO(patience);
    auto settings = manager.Settings({{"WATCHDOG_USEC", patience}});
    if (*pid != '\0') settings.environment["WATCHDOG_PID"] = pid;
    RunningVault vault(settings);
    vault.Spawn();
    CHECK(manager.Told() == "READY=1");
    CHECK(vault.WithToken("").Get("/health/ready").status == 200);
    vault.Stop();
    CHECK(manager.Told() == "STOPPING=1");
  }
}

TEST_CASE("two servers cannot have one port") {
  RunningVault first;
  VaultSettings stopped;
  stopped.start = false;
  RunningVault second(stopped);
  std::string config = ReadWholeFile(second.config_file());
  const std::string own = "port = " + std::to_string(second.port());
  config.replace(config.find(own), own.size(), "port = " + std::to_string(first.port()));
  for (const char* address : {"127.0.0.1", "0.0.0.0"}) {
    WriteWholeFile(second.config_file(), "[server]\naddress = \"" + std::string(address) + "\"\n" +
                                             config.substr(config.find("port = ")));
    const auto refused = RunProgram({Cofferd(), "--config", second.config_file()});
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find("(port_taken)") != std::string::npos);
  }
  // Its own lingering connections do not keep a server from its port.
  const std::string client = first.NewClient("A-1");
  first.Kill();
  first.Start();
  CHECK(first.As("crm-service").Get("/v1/clients/" + client).status == 200);
  first.Stop();
}
