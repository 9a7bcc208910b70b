// `cofferd --check` fails wherever the start would, for the same reason, and changes nothing.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <utility>

#include "tests/support/opened_databases.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;

namespace {

namespace fs = std::filesystem;

// What is tried: a fault of a file, or of several, put into a vault that is whole.
struct StartFault {
  std::string name;
  std::function<void()> put;
};

// Where the server is another build than these tests: a hundred starts take one with sanitizers too
// long, and as somebody else than root it cannot look for leaks.
bool IsSanitized() { return std::getenv("COFFER_BIN_DIR") != nullptr; }

std::string ReasonIn(const std::string& said) {
  // cofferd: detail (reason)
  const auto end = said.rfind(')');
  const auto begin = said.rfind('(', end);
  return end == said.npos || begin == said.npos ? said : said.substr(begin + 1, end - begin - 1);
}

void Damage(const std::string& path, std::uintmax_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(~file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

class CheckedVault : public RunningVault {
 public:
  CheckedVault() {
    const std::string client = NewClient("A-1");
    NewContact(client, {{"last_name", "Doe"}});
    Stop();
    whole_ = work() / "whole";
    for (const char* name : {"data", "server.crt", "server.key", "root.key", "coffer.toml"}) {
      Copy(work() / name, whole_ + "/" + name);
    }
  }

  void PutBack() {
    for (const char* name : {"data", "server.crt", "server.key", "root.key", "coffer.toml"}) {
      fs::remove_all(work() / name);
      Copy(whole_ + "/" + name, work() / name);
    }
  }

  // Of every file that a check has no reason to touch: the databases' side files are SQLite's.
  std::map<std::string, std::string> Content() const {
    std::map<std::string, std::string> content;
    if (!fs::exists(directory())) return content;
    for (const auto& entry : fs::recursive_directory_iterator(directory())) {
      const std::string path = entry.path();
      if (!entry.is_regular_file() || path.ends_with("-shm") || path.ends_with("-wal")) continue;
      content[path] = ReadWholeFile(path);
    }
    return content;
  }

  ProgramResult Check() const {
    return RunProgram({COFFER_BIN_DIR "/cofferd", "--config", config_file(), "--check"});
  }

  // The start's reason; empty when it went well.
  std::string Compare(const std::string& name) {
    INFO(name);
    const auto before = Content();
    const auto check = Check();
    CHECK(Content() == before);
    const auto refused = TryStart();
    if (!refused) Kill();
    INFO("check: " << check.err << "start: " << (refused ? refused->err : "went well"));
    CHECK((check.exit_code != 0) == refused.has_value());
    if (!refused) return {};
    CHECK(ReasonIn(check.err) == ReasonIn(refused->err));
    return ReasonIn(refused->err);
  }

 private:
  static void Copy(const std::string& from, const std::string& to) {
    fs::create_directories(fs::path(to).parent_path());
    REQUIRE(RunProgram({"/bin/cp", "-a", from, to}).exit_code == 0);
  }

  std::string whole_;
};

// Each file that a start needs, with each fault that a file can have.
std::vector<StartFault> FaultsOfFiles(const CheckedVault& vault) {
  std::vector<StartFault> faults;
  std::vector<std::string> files = {vault.root_key_file(), vault.ca_file(),
                                    vault.work() / "server.key"};
  for (const char* name : {"keyring.json", "vault.db", "keys.db", "keys.db.key", "anchor",
                           "erasures.ledger", "lock"}) {
    files.push_back(vault.directory() + "/" + name);
  }
  for (const std::string& file : files) {
    const std::string name = fs::path(file).filename();
    faults.push_back({name + " is missing", [file] { fs::remove(file); }});
    faults.push_back({name + " is empty", [file] { fs::resize_file(file, 0); }});
    faults.push_back(
        {name + " is cut", [file] { fs::resize_file(file, fs::file_size(file) / 2); }});
    for (const int part : {0, 1, 2}) {
      faults.push_back({name + " is damaged, " + std::to_string(part), [file, part] {
                          if (fs::file_size(file) == 0) return;
                          Damage(file, (fs::file_size(file) - 1) * static_cast<unsigned>(part) / 2);
                        }});
    }
    faults.push_back({name + " is for everybody", [file] { chmod(file.c_str(), 0666); }});
    faults.push_back({name + " is a directory", [file] {
                        fs::remove(file);
                        fs::create_directory(file);
                      }});
    faults.push_back({name + " is a link to nowhere", [file] {
                        fs::remove(file);
                        fs::create_symlink("/nowhere/at/all", file);
                      }});
  }
  return faults;
}

}  // namespace

TEST_CASE("a check fails wherever a start would, whatever file has whatever fault") {
  if (IsSanitized()) SKIP("tried with the server that is not sanitized");
  CheckedVault vault;
  CHECK(vault.Compare("nothing is wrong").empty());
  std::size_t refused = 0;
  for (const StartFault& fault : FaultsOfFiles(vault)) {
    vault.PutBack();
    fault.put();
    if (!vault.Compare(fault.name).empty()) ++refused;
  }
  CHECK(refused > 40);
}

TEST_CASE("a check fails wherever a start would, for what lies in several files or outside") {
  if (IsSanitized()) SKIP("tried with the server that is not sanitized");
  CheckedVault vault;
  RunningVault other;
  const std::string newer = vault.work() / "newer";
  vault.PutBack();
  vault.Start();
  vault.NewClient("A-2");
  // Beside a server that runs: its port and its ledger are its own, and it goes on.
  const auto beside = vault.Check();
  INFO(beside.err);
  CHECK(beside.exit_code == 0);
  CHECK(vault.As("crm-service").Get("/v1/me").status == 200);
  vault.Stop();
  fs::copy(vault.directory(), newer, fs::copy_options::recursive);
  const auto configure = [&](const std::string& from, const std::string& to) {
    std::string config = ReadWholeFile(vault.config_file());
    REQUIRE(config.find(from) != config.npos);
    config.replace(config.find(from), from.size(), to);
    WriteWholeFile(vault.config_file(), config);
  };
  const auto from_newer = [&](const std::string& name) {
    fs::copy_file(newer + "/" + name, vault.directory() + "/" + name,
                  fs::copy_options::overwrite_existing);
  };
  const std::string own_port = "port = " + std::to_string(vault.port());
  const auto from_other = [&](const std::string& name) {
    fs::copy_file(other.directory() + "/" + name, vault.directory() + "/" + name,
                  fs::copy_options::overwrite_existing);
  };
  int ledger = -1;
  const std::map<std::string, std::pair<std::function<void()>, std::string>> faults = {
      {"a newer anchor", {[&] { from_newer("anchor"); }, "log_behind_anchor"}},
      {"another vault's anchor", {[&] { from_other("anchor"); }, "*"}},
      {"another vault's keyring", {[&] { from_other("keyring.json"); }, "root_key_wrong"}},
      {"another vault's keys", {[&] { from_other("keys.db.key"); }, "*"}},
      {"another vault's root key",
       {[&] { WriteWholeFile(vault.root_key_file(), ReadWholeFile(other.root_key_file())); },
        "root_key_wrong"}},
      {"another's certificate",
       {[&] { WriteWholeFile(vault.ca_file(), ReadWholeFile(other.ca_file())); },
        "certificate_unusable"}},
      {"a ledger elsewhere, of which the directory is missing",
       {[&] { configure("[vault]", "[vault]\nerasure_ledger = \"/nowhere/ledger\""); },
        "ledger_not_opened"}},
      {"an anchor elsewhere, which is missing",
       {[&] { configure("[vault]", "[vault]\nanchor = \"/nowhere/anchor\""); }, "anchor_missing"}},
      {"a vault elsewhere", {[&] { fs::remove_all(vault.directory()); }, "*"}},
      {"an unknown setting",
       {[&] { configure("[vault]", "[vault]\nnonsense = 1"); }, "config_invalid"}},
      {"another's port",
       {[&] { configure(own_port, "port = " + std::to_string(other.port())); }, "port_taken"}},
      {"another machine's address",
       {[&] { configure(own_port, "address = \"192.0.2.1\"\n" + own_port); }, "*"}},
      {"a ledger that somebody has open",
       {[&] {
          ledger = open((vault.directory() + "/erasures.ledger").c_str(), O_RDWR | O_CLOEXEC);
          REQUIRE(flock(ledger, LOCK_EX | LOCK_NB) == 0);
        },
        "ledger_in_use"}},
      {"people changed past the vault",
       {[&] {
          auto opened = OpenedDatabases::Of(vault);
          REQUIRE(Change(opened.vault, "UPDATE principals SET name = 'somebody else'") > 0);
        },
        "state_differs"}},
      {"a migration of a version to come",
       {[&] {
          auto opened = OpenedDatabases::Of(vault);
          REQUIRE(Change(opened.vault,
                         "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_x', '')") > 0);
        },
        "migration_altered"}},
      {"a log without its end",
       {[&] {
          auto opened = OpenedDatabases::Of(vault);
          REQUIRE(
              Change(opened.vault,
                     "DELETE FROM log_entries WHERE seq = (SELECT max(seq) FROM log_entries)") ==
              1);
        },
        "*"}}};
  for (const auto& [name, fault] : faults) {
    vault.PutBack();
    fault.first();
    const std::string reason = vault.Compare(name);
    INFO(name);
    if (fault.second != "*") CHECK(reason == fault.second);
    CHECK(!reason.empty());
    if (ledger >= 0) close(std::exchange(ledger, -1));
  }
}

TEST_CASE("a check as root is of what the server's account may do") {
  if (geteuid() != 0) SKIP("only root becomes another account");
  if (IsSanitized()) SKIP("tried with the server that is not sanitized");
  CheckedVault vault;
  const auto give = [&] {
    const auto one = [](const std::string& path) {
      REQUIRE(lchown(path.c_str(), 61234, 61234) == 0);
    };
    one(vault.directory());
    for (const auto& entry : fs::recursive_directory_iterator(vault.directory())) one(entry.path());
    one(vault.ca_file());
    one(vault.work() / "server.key");
    REQUIRE(chmod(vault.work().path().c_str(), 0711) == 0);
  };
  give();
  CHECK(vault.Compare("all is the account's").empty());
  {
    // Root may lock what it likes.
    rlimit before{};
    getrlimit(RLIMIT_MEMLOCK, &before);
    const rlimit little{16384, before.rlim_max};
    setrlimit(RLIMIT_MEMLOCK, &little);
    (void)vault.Compare("little memory may be locked");
    setrlimit(RLIMIT_MEMLOCK, &before);
  }
  for (const char* name : {"keyring.json", "vault.db", "keys.db", "keys.db.key", "anchor",
                           "erasures.ledger", "lock", "../server.key", "../server.crt", ""}) {
    const std::string file = vault.directory() + "/" + name;
    const bool is_directory = fs::is_directory(file);
    vault.PutBack();
    give();
    if (std::string(name) == "vault.db") {
      // Its owner is whom a start by root becomes: it is the group's and others' that is left.
      REQUIRE(chmod(file.c_str(), 0000) == 0);
    } else {
      REQUIRE(chown(file.c_str(), 0, 0) == 0);
      REQUIRE(chmod(file.c_str(), is_directory ? 0755 : 0600) == 0);
    }
    (void)vault.Compare("root's: " + std::string(name));
  }
}

TEST_CASE("a check fails where the disk is full or read-only, as a start does") {
  if (geteuid() != 0) SKIP("only root mounts a small disk");
  if (IsSanitized()) SKIP("tried with the server that is not sanitized");
  CheckedVault vault;
  // In a mount namespace of its own, over the data directory.
  const auto run = [&](const std::string& fault, const std::string& more) {
    const std::string script =
        "cp -a \"$1\" \"$2/copy\" && mount -t tmpfs -o size=4m tmpfs \"$1\" && "
        "cp -a \"$2/copy/.\" \"$1\" && rm -r \"$2/copy\" || exit 99; " +
        fault + "; exec timeout 60 \"$3\" --config \"$4\" " + more;
    return RunProgram({"/usr/bin/unshare", "--mount", "/bin/bash", "-c", script, "test",
                       vault.directory(), vault.work().path(), COFFER_BIN_DIR "/cofferd",
                       vault.config_file()});
  };
  const auto whole = run("true", "--check");
  if (whole.exit_code == 99 || whole.err.find("unshare") != std::string::npos) {
    SKIP("nothing can be mounted here");
  }
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  for (const auto& [fault, reason] :
       {std::pair("cat /dev/zero > \"$1/fill\"", "storage_full"),
        std::pair("mount -o remount,ro \"$1\"", "directory_not_writable")}) {
    const auto check = run(fault, "--check");
    const auto start = run(fault, "");
    INFO(fault << " check: " << check.err << " start: " << start.err);
    CHECK(check.exit_code == 78);
    CHECK(start.exit_code == 1);
    CHECK(ReasonIn(check.err) == reason);
    CHECK(ReasonIn(start.err) == reason);
  }
}
