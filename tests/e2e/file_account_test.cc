// Root runs commands on a vault that another account serves: what is left behind is that account's.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;

namespace {

namespace fs = std::filesystem;

constexpr uid_t kServerUser = 61234;  // nobody has it
constexpr gid_t kServerGroup = 61235;

// The server's account gets the data and the TLS files; the root key stays root's.
void GiveToServer(const RunningVault& vault) {
  const auto give = [](const std::string& path) {
    REQUIRE(lchown(path.c_str(), kServerUser, kServerGroup) == 0);
  };
  give(vault.directory());
  for (const auto& entry : fs::recursive_directory_iterator(vault.directory())) give(entry.path());
  give(vault.ca_file());
  give(vault.work() / "server.key");
  REQUIRE(chmod(std::string(vault.work().path()).c_str(), 0711) == 0);
}

std::string OthersFilesIn(const std::string& directory) {
  std::string found;
  const auto look = [&](const std::string& path) {
    struct stat status{};
    REQUIRE(lstat(path.c_str(), &status) == 0);
    if (status.st_uid != kServerUser || status.st_gid != kServerGroup) found += path + "\n";
  };
  look(directory);
  for (const auto& entry : fs::recursive_directory_iterator(directory)) look(entry.path());
  return found;
}

std::string UserOf(pid_t pid) {
  const std::string status = ReadWholeFile("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find("\nUid:\t");
  return status.substr(at + 6, status.find('\t', at + 6) - at - 6);
}

// As the service manager starts the server: as the account, with a copy of the key that it may
// read.
ProgramResult RunAsServer(const RunningVault& vault, const std::vector<std::string>& arguments) {
  const std::string key = vault.work() / "credential";
  WriteWholeFile(key, ReadWholeFile(vault.root_key_file()));
  REQUIRE(chmod(key.c_str(), 0600) == 0);
  REQUIRE(chown(key.c_str(), kServerUser, kServerGroup) == 0);
  std::string config = ReadWholeFile(vault.config_file());
  const std::string own = vault.root_key_file();
  config.replace(config.find(own), own.size(), key);
  const std::string file = vault.work() / "as-server.toml";
  WriteWholeFile(file, config);
  REQUIRE(chmod(file.c_str(), 0644) == 0);
  std::vector<std::string> all = {"/usr/bin/setpriv",
                                  "--reuid=" + std::to_string(kServerUser),
                                  "--regid=" + std::to_string(kServerGroup),
                                  "--clear-groups",
                                  COFFER_BIN_DIR "/cofferd",
                                  "--config",
                                  file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return RunProgram(all);
}

}  // namespace

TEST_CASE("what root does to a vault leaves every file to the account that serves it") {
  if (geteuid() != 0) SKIP("only root can give files away");
  // A server with sanitizers cannot look for leaks as somebody else than root.
  if (std::getenv("COFFER_BIN_DIR") != nullptr) SKIP("tried with the server of this build");
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  vault.Stop();
  GiveToServer(vault);
  for (const std::string step : {"rotate", "finish"}) {
    INFO(step);
    const auto done = RunProgram({COFFER_BIN_DIR "/coffer", "key", step, "log", "--data",
                                  vault.directory(), "--root-key-file", vault.root_key_file()});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(OthersFilesIn(vault.directory()).empty());
    const auto fit = RunAsServer(vault, {"--check"});
    INFO(fit.err);
    CHECK(fit.exit_code == 0);
  }
  const auto verified =
      RunProgram({COFFER_BIN_DIR "/coffer", "verify", "--data", vault.directory(), "--deep",
                  "--root-key-file", vault.root_key_file(), "--log-key", vault.LogKey()});
  INFO(verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(OthersFilesIn(vault.directory()).empty());

  // Nor does a server that root starts by hand, which makes and replaces most of the files.
  fs::remove(vault.directory() + "/log-index.db");
  vault.Start();
  CHECK(UserOf(vault.pid()) == std::to_string(kServerUser));
  CHECK(vault.As("crm-service").Get("/v1/clients/" + client).status == 200);
  vault.Stop();
  CHECK(OthersFilesIn(vault.directory()).empty());
  const auto fit = RunAsServer(vault, {"--check"});
  INFO(fit.err);
  CHECK(fit.exit_code == 0);
}

TEST_CASE("root does nothing to a vault that is half root's, and says how to give it back") {
  if (geteuid() != 0) SKIP("only root can give files away");
  if (std::getenv("COFFER_BIN_DIR") != nullptr) SKIP("tried with the server of this build");
  RunningVault vault;
  vault.Stop();
  GiveToServer(vault);
  const std::string database = vault.directory() + "/vault.db";
  for (const std::string& roots : {database, vault.directory()}) {
    CAPTURE(roots);
    REQUIRE(chown(roots.c_str(), 0, 0) == 0);
    fs::remove(vault.directory() + "/lock");
    const auto files = [&] {
      std::set<std::string> names;
      for (const auto& entry : fs::directory_iterator(vault.directory())) {
        names.insert(entry.path().filename());
      }
      return names;
    };
    const auto before = files();
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{COFFER_BIN_DIR "/cofferd", "--config", vault.config_file()},
          {COFFER_BIN_DIR "/cofferd", "--config", vault.config_file(), "--check"},
          {COFFER_BIN_DIR "/coffer", "key", "rotate", "log", "--data", vault.directory(),
           "--root-key-file", vault.root_key_file()}}) {
      const auto refused = RunProgram(command);
      INFO(command[0] << " " << refused.err);
      CHECK(refused.exit_code != 0);
      CHECK(refused.err.find("owners_differ") != std::string::npos);
      CHECK(refused.err.find("chown -R " + std::to_string(kServerUser) + ": " +
                             vault.directory()) != std::string::npos);
      CHECK(files() == before);
    }
    REQUIRE(chown(roots.c_str(), kServerUser, kServerGroup) == 0);
  }
  // Nor does a directory of theirs without a vault get a file of root's.
  fs::remove(database);
  fs::remove(vault.directory() + "/lock");
  CHECK(RunProgram({COFFER_BIN_DIR "/coffer", "key", "rotate", "log", "--data", vault.directory(),
                    "--root-key-file", vault.root_key_file()})
            .exit_code != 0);
  CHECK(OthersFilesIn(vault.directory()).empty());
}

TEST_CASE("a vault that root makes in somebody's directory is theirs, and its key and tokens not") {
  if (geteuid() != 0) SKIP("only root can give files away");
  // Theirs is the directory above, or the empty one that the vault takes the place of.
  for (const bool there : {false, true}) {
    CAPTURE(there);
    const TemporaryDirectory work;
    const std::string data = work / "state/vault";
    const std::string witness = work / "witness";
    REQUIRE(chmod(std::string(work.path()).c_str(), 0711) == 0);
    REQUIRE(mkdir((work / "state").c_str(), 0700) == 0);
    REQUIRE(mkdir(witness.c_str(), 0700) == 0);
    if (there) REQUIRE(mkdir(data.c_str(), 0700) == 0);
    for (const std::string& theirs : {there ? data : work / "state", witness}) {
      REQUIRE(chown(theirs.c_str(), kServerUser, kServerGroup) == 0);
    }
    const auto made = RunProgram({COFFER_BIN_DIR "/coffer", "init", "--data", data,
                                  "--root-key-file", work / "root.key", "--origin", "vault.example",
                                  "--anchor", witness + "/anchor", "--admin-token-file",
                                  work / "admin", "--officer-token-file", work / "officer"});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
    CHECK(OthersFilesIn(data).empty());
    CHECK(OthersFilesIn(witness).empty());
    for (const std::string name : {"root.key", "admin", "officer"}) {
      struct stat status{};
      REQUIRE(stat((work / name).c_str(), &status) == 0);
      CHECK(status.st_uid == 0);
      CHECK((status.st_mode & 07777) == 0600);
    }
  }
}
