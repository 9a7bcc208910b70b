// Files and secrets of the tool as a process: signals in the middle, streams that are closed or
// full, limits.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>

#include "tests/support/running_vault.h"
#include "tests/support/tls_server.h"

namespace coffer::testing {
namespace {

namespace fs = std::filesystem;

std::string ProgramOf(const char* name) {
  const char* elsewhere = std::getenv("COFFER_BIN_DIR");
  return std::string(elsewhere != nullptr ? elsewhere : COFFER_BIN_DIR) + "/" + name;
}

std::set<std::string> NamesWithin(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename());
  }
  return names;
}

std::string AnsweredAs(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr const char* kMadeToken =
    R"({"id":"tok_1","principal":"svc_1","name":"crm","role":"crm-service","limits":{},
        "expires":"2036-04-01T00:00:00.000Z","token":"cft_new"})";

// What answers a request may be exchanged while it answers one still: whose tool is dead already.
class Answer {
 public:
  using Function = std::function<void(int, const TlsServer::Write&)>;  // the request's number

  Answer& operator=(Function function) {
    const std::lock_guard lock(mutex_);
    function_ = std::move(function);
    return *this;
  }

  void operator()(int number, const TlsServer::Write& write) {
    std::unique_lock lock(mutex_);
    const Function function = function_;
    lock.unlock();
    function(number, write);
  }

 private:
  std::mutex mutex_;
  Function function_;
};

// The tool against a server that can send it signals.
struct ToolUnderFire {
  TemporaryDirectory work;
  std::atomic<pid_t> tool{-1};
  std::atomic<int> asked{0};
  Answer answer;
  TlsServer server{
      [this](const std::string&, const TlsServer::Write& write) { answer(++asked, write); }};

  ToolUnderFire() {
    WriteWholeFile(work / "token", "cft_made-up\n");
    chmod((work / "token").c_str(), 0600);
    fs::create_directory(work / "out");
  }

  void Signal(int signal) const {
    while (tool < 0) usleep(1000);
    kill(tool, signal);
  }

  // Its status, as waitpid() has it.
  int Run(std::vector<std::string> arguments, const std::vector<std::string>& through = {}) {
    arguments.insert(arguments.begin(), ProgramOf("coffer"));
    arguments.insert(arguments.begin(), through.begin(), through.end());
    arguments.insert(arguments.end(), {"--url", server.url(), "--ca", server.ca_file(),
                                       "--token-file", work / "token"});
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    tool = -1;
    asked = 0;
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      dup2(open((work / "stdout").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDOUT_FILENO);
      dup2(open((work / "stderr").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    tool = child;
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
  }
};

// A shell, whose own output can be looked at though the program's cannot.
ProgramResult RunShell(const std::string& script,
                       const std::map<std::string, std::string>& environment = {}) {
  return RunProgram({"/bin/sh", "-c", script}, environment);
}

}  // namespace

TEST_CASE("a signal in the middle of an export leaves nothing under any name, and a retry works") {
  const std::string page = R"({"items":[{"client":{"id":"cli_1"}}],"next_cursor":"further"})";
  const std::string last = R"({"items":[{"client":{"id":"cli_2"}}]})";
  for (const int signal : {SIGINT, SIGTERM, SIGKILL, SIGHUP, SIGQUIT}) {
    CAPTURE(signal);
    ToolUnderFire fire;
    const std::vector<std::string> command = {"export", fire.work / "out/export", "--purpose",
                                              "client-care"};
    // That it asks for the second page says that the first is written.
    fire.answer = [&](int number, const TlsServer::Write& write) {
      if (number == 2) fire.Signal(signal);
      write(AnsweredAs(200, number == 1 ? page : last));
    };
    const int status = fire.Run(command);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK(NamesWithin(fire.work / "out").empty());

    fire.answer = [&](int number, const TlsServer::Write& write) {
      write(AnsweredAs(200, number == 1 ? page : last));
    };
    CHECK(fire.Run(command) == 0);
    CHECK(NamesWithin(fire.work / "out") == std::set<std::string>{"export"});
  }
}

TEST_CASE("nor does it where a file needs a name before it is whole") {
  // Without /proc a file cannot be named later on.
  const std::vector<std::string> without = {
      "/usr/bin/unshare", "-m", "/bin/sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"};
  auto probe = without;
  probe.emplace_back("/bin/true");
  if (RunProgram(probe).exit_code != 0) SKIP("/proc cannot be hidden here");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    CAPTURE(signal);
    ToolUnderFire fire;
    std::set<std::string> meanwhile;
    fire.answer = [&](int number, const TlsServer::Write& write) {
      if (number == 2) {
        meanwhile = NamesWithin(fire.work / "out");
        fire.Signal(signal);
      }
      write(AnsweredAs(200, R"({"items":[{"client":{"id":"cli_1"}}],"next_cursor":")" +
                                std::to_string(number) + R"("})"));
    };
    const int status =
        fire.Run({"export", fire.work / "out/export", "--purpose", "client-care"}, without);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK(meanwhile.size() == 1);
    CHECK(NamesWithin(fire.work / "out").empty());
  }
}

TEST_CASE("a signal while a secret is made waits until the secret is in its file") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    CAPTURE(signal);
    ToolUnderFire fire;
    fire.answer = [&](int, const TlsServer::Write& write) {
      fire.Signal(signal);
      write(AnsweredAs(201, kMadeToken));
    };
    const int status = fire.Run({"token", "create", "--name", "crm", "--principal", "svc_1",
                                 "--out", fire.work / "out/token"});
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK(fire.asked == 1);
    CHECK(ReadWholeFile(fire.work / "out/token") == "cft_new\n");
  }
}

TEST_CASE("a tool that is killed while a secret is made leaves no file") {
  ToolUnderFire fire;
  fire.answer = [&](int, const TlsServer::Write& write) {
    fire.Signal(SIGKILL);
    write(AnsweredAs(201, kMadeToken));
  };
  CHECK(WIFSIGNALED(fire.Run({"token", "create", "--name", "crm", "--principal", "svc_1", "--out",
                              fire.work / "out/token"})));
  CHECK(NamesWithin(fire.work / "out").empty());
}

TEST_CASE("a file that may not grow ends a command with a sentence, before a secret is asked for") {
  struct Case {
    std::string command;
    bool asks;  // what is not a secret may be asked for first
  };
  ToolUnderFire fire;
  fire.answer = [](int, const TlsServer::Write& write) {
    write(AnsweredAs(200, R"({"items":[{"client":{"id":"cli_1"}}]})"));
  };
  WriteWholeFile(fire.work / "password", "correct horse battery\n");
  chmod((fire.work / "password").c_str(), 0600);
  const std::string out = " " + (fire.work / "out/file");
  for (const Case& one :
       {Case{"token create --name crm --principal svc_1 --out" + out, false},
        {"token rotate tok_1 --out" + out, false},
        {"user create --login anna --name Anna --role case-worker --out" + out, false},
        {"login --login anna --password-file " + (fire.work / "password") + " --out" + out, false},
        {"service certificate svc_1 --out-key" + out + " --out-cert" + out + ".cert", false},
        {"export" + out + " --purpose client-care", true},
        {"log proof 1 --out" + out, true},
        {"evidence" + out + " --client cli_1", true},
        {"client package cli_1 --purpose client-care --out" + out, true},
        {"client package cli_1 --purpose client-care --format csv --out" + out, true}}) {
    CAPTURE(one.command);
    fire.asked = 0;
    const auto ran = RunShell(
        "( ulimit -f 0; " + ProgramOf("coffer") + " " + one.command + "; echo rc=$? ) 2>&1 | cat",
        {{"COFFER_URL", fire.server.url()},
         {"COFFER_CA", fire.server.ca_file()},
         {"COFFER_TOKEN", one.command.starts_with("login") ? "" : "cft_x"}});
    CAPTURE(ran.out, ran.err);
    CHECK(ran.out.find("File too large") != std::string::npos);
    CHECK(ran.out.find("rc=1\n") != std::string::npos);
    CHECK((fire.asked > 0) == one.asks);
    CHECK(NamesWithin(fire.work / "out").empty());
  }
}

TEST_CASE("a token that standard output does not take is no token") {
  RunningVault vault;
  WriteWholeFile(vault.work() / "admin", vault.Token("administrator") + "\n");
  chmod((vault.work() / "admin").c_str(), 0600);
  const std::map<std::string, std::string> environment = {
      {"COFFER_URL", "https://127.0.0.1:" + std::to_string(vault.port())},
      {"COFFER_CA", vault.ca_file()}};
  const auto valid = [&] {
    std::set<std::string> ids;
    const auto listed = vault.As("administrator").Get("/v1/tokens").Json();
    for (const auto& token : listed.at("items")) {
      if (!token.contains("revoked")) ids.insert(token.at("id"));
    }
    return ids;
  };
  vault.Token("crm-service");
  const auto before = valid();
  for (const char* out : {">/dev/full", ">&-"}) {
    for (const char* form : {"", " --json"}) {
      CAPTURE(out, form);
      const auto ran =
          RunShell(ProgramOf("coffer") + " token create --name n --role crm-service --token-file " +
                       (vault.work() / "admin") + form + " " + out,
                   environment);
      CAPTURE(ran.err);
      CHECK(ran.exit_code == 1);
      CHECK(ran.err.find("was revoked") != std::string::npos);
      CHECK(valid() == before);
    }
  }
}

TEST_CASE("an init whose tokens reach nobody leaves no vault, no key and no file of it") {
  const TemporaryDirectory work;
  const auto init = [&](const std::string& more) {
    return RunShell("cd " + work.path() + " && " + ProgramOf("coffer") +
                    " init --data vault --root-key-file root.key --anchor anchor " + more);
  };
  for (const char* how :
       {">/dev/full", ">&-", "--admin-token-file a >/dev/full", "--admin-token-file a >&-",
        "--officer-token-file o >/dev/full", "--single-person >/dev/full"}) {
    CAPTURE(how);
    const auto ran = init(how);
    CAPTURE(ran.err);
    CHECK(ran.exit_code == 1);
    CHECK(ran.err.find("There is no vault") != std::string::npos);
    CHECK(NamesWithin(work.path()).empty());
  }
  // Every size at which a file may stop to grow: nothing, or a whole vault.
  for (const char* blocks : {"0", "1", "8", "32"}) {
    CAPTURE(blocks);
    const auto ran =
        RunShell("cd " + work.path() + " && ( ulimit -f " + blocks + "; " + ProgramOf("coffer") +
                 " init --data vault --root-key-file root.key --single-person "
                 "--admin-token-file a; echo rc=$? ) 2>&1 | cat");
    CAPTURE(ran.out);
    CHECK(ran.out.find("rc=1\n") != std::string::npos);
    CHECK(NamesWithin(work.path()).empty());
  }
  const auto made = init("--admin-token-file a --officer-token-file o");
  CHECK(made.exit_code == 0);
  CHECK(NamesWithin(work.path()) == std::set<std::string>{"a", "anchor", "o", "root.key", "vault"});
}

TEST_CASE("a vault is made whole though a signal comes") {
  const TemporaryDirectory work;
  for (const char* signal : {"INT", "TERM"}) {
    CAPTURE(signal);
    // Sent again and again from the first moment: before the vault is begun, or after it is made.
    const auto ran = RunShell("cd " + work.path() + " && " + ProgramOf("coffer") +
                              " init --data vault --root-key-file root.key --admin-token-file a "
                              "--officer-token-file o & while kill -" +
                              signal + " $! 2>/dev/null; do :; done; wait $!");
    const auto names = NamesWithin(work.path());
    CAPTURE(ran.err);
    if (names.contains("vault")) CHECK(names.contains("a"));
    if (names.contains("vault")) CHECK(names.contains("o"));
    for (const auto& name : names) fs::remove_all(work / name);
  }
}

TEST_CASE("what is printed to a closed stream ends up in no file that was opened since") {
  RunningVault vault;
  WriteWholeFile(vault.work() / "admin", vault.Token("administrator") + "\n");
  chmod((vault.work() / "admin").c_str(), 0600);
  const std::string out = vault.work() / "new.token";
  const auto ran = RunShell(
      ProgramOf("coffer") + " token create --name n --role crm-service --url https://127.0.0.1:" +
      std::to_string(vault.port()) + " --ca " + vault.ca_file() + " --token-file " +
      (vault.work() / "admin") + " --out " + out + " <&- >&- 2>&-");
  CHECK(ran.exit_code == 1);  // the summary reached nobody, the token its file
  const std::string token = ReadWholeFile(out);
  CHECK(token.starts_with("cft_"));
  CHECK(token.find('\n') == token.size() - 1);

  vault.Stop();
  RunShell("timeout -s TERM 2 " + ProgramOf("cofferd") + " --config " + vault.config_file() +
           " <&- >&- 2>&-");
  vault.Start();
  CHECK(vault.Verify().at("ok") == true);
}

TEST_CASE("where a file cannot be without a name, a hidden one is used and nothing of it stays") {
  const TemporaryDirectory work;
  // Without /proc, no file without a name could be given one.
  const auto masked = [&](const std::string& more) {
    return RunShell(
        "cd " + work.path() + " && unshare -m sh -c 'mount -t tmpfs none /proc && exec " +
        ProgramOf("coffer") + " init --data vault --root-key-file root.key " + more + "'");
  };
  if (RunShell("unshare -m mount -t tmpfs none /proc").exit_code != 0) {
    SKIP("cannot hide /proc (run as root)");
  }
  CHECK(masked("--admin-token-file a >/dev/full").exit_code == 1);
  CHECK(NamesWithin(work.path()).empty());
  WriteWholeFile(work / "taken", "kept");
  CHECK(masked("--admin-token-file taken").exit_code == 2);
  CHECK(ReadWholeFile(work / "taken") == "kept");
  CHECK(masked("--admin-token-file a --officer-token-file o").exit_code == 0);
  CHECK(NamesWithin(work.path()) == std::set<std::string>{"a", "o", "root.key", "taken", "vault"});
  CHECK(ReadWholeFile(work / "a").starts_with("cft_"));
}

TEST_CASE("help that nobody can read is no success") {
  CHECK(RunShell(ProgramOf("coffer") + " --help >/dev/full").exit_code == 1);
  CHECK(RunShell(ProgramOf("coffer") + " --version >&-").exit_code == 1);
  CHECK(RunShell(ProgramOf("coffer") + " --help >/dev/null").exit_code == 0);
}

}  // namespace coffer::testing
