// A server whose root key is in a token: made, started, wrongly started, and left alone by its
// token.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "tests/crypto/software_token.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPhrase = "a phrase for the day after";

// A vault that the tool made with a token, and a configuration of it.
struct InToken {
  crypto::SoftwareTokens tokens;
  RunningVault vault;
  std::string directory = vault.work() / "in-token";
  std::string uri, settings;

  InToken()
      : vault(VaultSettings{.engine_settings = {},
                            .server_settings = {},
                            .log_settings = {},
                            .environment = {},
                            .start = false,
                            .populate = false}) {
    tokens.Add("vault");
    uri = tokens.Uri("token=vault;object=coffer-root");
    WriteWholeFile(vault.work() / "phrase", kPhrase);
    chmod((vault.work() / "phrase").c_str(), 0600);
    settings = ReadWholeFile(vault.config_file());
    const auto made = Tool({"init", "--data", directory, "--root-key", uri,
                            "--recovery-passphrase-file", vault.work() / "phrase",
                            "--single-person", "--admin-token-file", vault.work() / "admin"});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
    CHECK(made.out.contains("A new key was made in the token"));
    CHECK_FALSE((made.out + made.err).contains(tokens.kPin));
    Configure("root_key = \"" + uri + "\"");
  }

  static ProgramResult Tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(COFFER_BIN_DIR) + "/coffer");
    return RunProgram(arguments);
  }
  void Configure(const std::string& root_key) {
    const auto from = settings.find("directory = "), to = settings.find("[operator]");
    REQUIRE(from < to);
    WriteWholeFile(vault.config_file(), settings.substr(0, from) + "directory = \"" + directory +
                                            "\"\n" + root_key + "\n" + settings.substr(to));
  }
  // Refused for `reason`; the exit code, which tells the service manager whether to try again.
  int Refused(const std::string& reason) {
    const auto refused = vault.StartRefused();
    INFO(refused.err);
    CHECK(refused.err.contains("(" + reason + ")"));
    CHECK_FALSE(refused.err.contains(tokens.kPin));
    return refused.exit_code;
  }
  bool Serves() {
    std::string token = ReadWholeFile(vault.work() / "admin");
    token.erase(token.find_last_not_of('\n') + 1);
    return vault.WithToken(token).Get("/v1/purposes").status == 200;
  }
};

// The first child of `parent` whose name is coffer-token.
std::optional<pid_t> HelperOf(pid_t parent) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string stat = ReadWholeFile(entry.path() / "stat");
    const auto name_end = stat.rfind(") ");
    if (name_end == std::string::npos || !stat.substr(0, name_end).contains("(coffer-token")) {
      continue;
    }
    if (stat.substr(name_end + 4).starts_with(std::to_string(parent) + " ")) {
      return static_cast<pid_t>(std::stol(entry.path().filename().string()));
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a server whose root key is in a token starts with it, and serves on without it") {
  if (crypto::SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  InToken s;
  s.vault.Start();
  CHECK(s.Serves());
  CHECK_FALSE(HelperOf(s.vault.pid()));  // it has ended
  for (const char* const file : {"cmdline", "environ"}) {
    CHECK_FALSE(ReadWholeFile("/proc/" + std::to_string(s.vault.pid()) + "/" + file)
                    .contains(s.tokens.kPin));
  }
  s.tokens.Pull();
  CHECK(s.Serves());
  s.vault.Kill();
  CHECK(s.Refused("token_missing") == 1);  // and is tried again until it is there
  s.tokens.Plug();
  s.vault.Start();
  CHECK(s.Serves());
  s.vault.Stop();

  // The tool has the same ways in.
  const auto verified = InToken::Tool({"verify", "--data", s.directory, "--root-key", s.uri});
  INFO(verified.err);
  CHECK(verified.exit_code == 0);
  const auto unnamed = InToken::Tool({"verify", "--data", s.directory});
  CHECK(unnamed.exit_code != 0);
  CHECK(unnamed.err.contains("--root-key URI, or the recovery passphrase"));

  // On the day after.
  fs::remove_all(s.tokens.tokens());
  s.Configure("passphrase_file = \"" + (s.vault.work() / "phrase") + "\"");
  s.vault.Start();
  CHECK(s.Serves());
  CHECK(s.vault.ServerLog().contains("by its recovery passphrase, without its token"));
  s.vault.Stop();
  CHECK_FALSE(s.vault.ServerLog().contains(s.tokens.kPin));
  CHECK_FALSE(s.vault.ServerLog().contains(kPhrase));
}

TEST_CASE("a start with a wrong PIN is one that is not tried again") {
  if (crypto::SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  InToken s;
  s.Configure("root_key = \"" +
              s.tokens.Uri("token=vault;object=coffer-root", crypto::SoftwareTokens::Between()) +
              "\"");
  WriteWholeFile(s.tokens.pin_file(), "wrong-31415926\n");
  CHECK(s.Refused("token_pin_wrong") == 78);
  CHECK_FALSE(s.vault.ServerLog().contains("wrong-31415926"));
  CHECK(s.tokens.Logins() == 1);
  s.tokens.Misbehave("locked");
  CHECK(s.Refused("token_pin_locked") == 78);
  CHECK(s.tokens.Logins() == 1);
  s.tokens.Misbehave("");
  WriteWholeFile(s.tokens.pin_file(), std::string(s.tokens.kPin) + "\n");
  for (const mode_t mode : {0644U, 0640U}) {
    chmod(s.tokens.pin_file().c_str(), mode);
    CHECK(s.Refused("secret_file_exposed") == 1);
  }
  chmod(s.tokens.pin_file().c_str(), 0400);
  CHECK(s.tokens.Logins() == 1);
  s.vault.Start();
  CHECK(s.Serves());
  s.vault.Stop();
}

TEST_CASE("a module that hangs holds up a start for no longer than the limit, and shows no PIN") {
  if (crypto::SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  InToken s;
  s.Configure("token_timeout_s = 2\nroot_key = \"" +
              s.tokens.Uri("token=vault;object=coffer-root", crypto::SoftwareTokens::Between()) +
              "\"");
  s.tokens.Misbehave("hang");
  s.vault.Spawn();
  std::optional<pid_t> helper;
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!helper && s.vault.Alive() && std::chrono::steady_clock::now() < until) {
    helper = HelperOf(s.vault.pid());
    if (s.vault.ServerLog().contains("token_module_hangs")) break;
  }
  if (helper) {  // on a machine that is too slow to look it may be over already
    for (const char* const file : {"cmdline", "environ"}) {
      CHECK_FALSE(
          ReadWholeFile("/proc/" + std::to_string(*helper) + "/" + file).contains(s.tokens.kPin));
    }
  }
  while (!s.vault.ServerLog().contains("(token_module_hangs)") &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(s.vault.ServerLog().contains("(token_module_hangs)"));
  if (helper) CHECK(kill(*helper, 0) != 0);
}
