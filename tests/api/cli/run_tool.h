// The whole tool, run against a fake server and in an environment of its own.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/commands/commands.h"
#include "crypto/bytes.h"
#include "tests/api/cli/client/fake_server.h"
#include "tests/api/cli/text/test_console.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {

inline constexpr const char* kVariables[] = {
    "COFFER_URL",         "COFFER_CA",         "COFFER_TOKEN", "COFFER_LOG_KEY",
    "COFFER_CLIENT_CERT", "COFFER_CLIENT_KEY", "HOME",         "XDG_RUNTIME_DIR"};

struct Ran {
  int exit = 0;
  std::string out, err;
};

// Runs the tool with "https://vault.example" and the token "cft_made-up" of the environment; what
// reaches the server is in `server.requests()`, and how it was reached in `reached`.
class Tool {
 public:
  explicit Tool(FakeServer::Answer answer) : server(std::move(answer)) {
    for (const char* name : kVariables) unsetenv(name);
    setenv("COFFER_URL", "https://vault.example", 1);
    setenv("COFFER_TOKEN", "cft_made-up", 1);
    setenv("XDG_RUNTIME_DIR", (directory / "run").c_str(), 1);
  }
  ~Tool() {
    for (const char* name : kVariables) unsetenv(name);
  }
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  Ran operator()(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"coffer"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    TestConsole test;
    test.console.out_is_terminal = at_terminal;
    test.console.reach = [this](const HttpsOptions& options) -> Outcome<Sender> {
      const std::lock_guard lock(mutex_);  // an import opens several connections at a time
      reached.push_back(options);
      return server.Sender();
    };
    const int exit = Run(static_cast<int>(argv.size()), argv.data(), test.console);
    return {exit, test.Out(), test.Err()};
  }

  // A file that only its owner can read.
  std::string Secret(const std::string& name, const std::string& text) const {
    std::ofstream(directory / name) << text << '\n';
    std::filesystem::permissions(directory / name, static_cast<std::filesystem::perms>(0600));
    return directory / name;
  }
  std::string TokenSent(std::size_t request) const {
    const auto& token = reached.at(request).token;
    return token ? std::string(crypto::AsText(token->ExposeSecret())) : std::string();
  }

  testing::TemporaryDirectory directory;
  FakeServer server;
  std::vector<HttpsOptions> reached;
  bool at_terminal = false;

 private:
  std::mutex mutex_;
};

inline std::string Asked(const HttpRequest& request) {
  return request.method + " " + request.target + " " + request.body;
}

inline bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

inline std::string ContentOf(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

inline unsigned ModeOf(const std::string& path) {
  return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

}  // namespace coffer::cli
