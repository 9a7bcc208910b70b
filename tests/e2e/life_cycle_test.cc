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
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

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
    const std::string pid = std::to_string(vault.pid());
    const pid_t tracer = fork();
    REQUIRE(tracer >= 0);
    if (tracer == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
      const std::string fault = "inject=accept,accept4:error=" + error + ":when=1..2";
      execl("/usr/bin/strace", "strace", "-f", "-qq", "-o", (vault.work() / "trace").c_str(), "-p",
            pid.c_str(), "-e", fault.c_str(), nullptr);
      _exit(127);
    }
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

TEST_CASE("a service manager is told when the vault is ready and when it stops") {
  VaultSettings settings;
  settings.start = false;
  const TemporaryDirectory place;
  settings.environment = {{"NOTIFY_SOCKET", place / "notify"}};
  const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(place / "notify", address.sun_path);
  REQUIRE(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  RunningVault vault(settings);
  const auto told = [&] {
    char text[64] = {};
    const auto size = recv(socket_fd, text, sizeof text, 0);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  vault.Spawn();
  CHECK(told() == "READY=1");
  CHECK(vault.WithToken("").Get("/health/ready").status == 200);  // at once
  vault.Stop();
  CHECK(told() == "STOPPING=1");
  close(socket_fd);
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
