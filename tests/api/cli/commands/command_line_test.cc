#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/cli/commands/commands.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/text/test_console.h"
#include "tests/api/cli/verify/public_log.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

Ran RunTool(std::vector<std::string> arguments) {
  // What the machine's own environment says must not reach a server.
  for (const char* name : kVariables) unsetenv(name);
  std::vector<const char*> argv{"coffer"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  TestConsole test;
  const int exit = Run(static_cast<int>(argv.size()), argv.data(), test.console);
  return {exit, test.Out(), test.Err()};
}

}  // namespace

TEST_CASE("every command explains itself") {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{},
                                             {"init"},
                                             {"status"},
                                             {"token"},
                                             {"token", "create"},
                                             {"token", "list"},
                                             {"token", "rotate"},
                                             {"user", "create"},
                                             {"user", "list"},
                                             {"user", "show"},
                                             {"user", "set"},
                                             {"user", "enrol-again"},
                                             {"service", "create"},
                                             {"service", "list"},
                                             {"service", "show"},
                                             {"service", "set"},
                                             {"service", "certificate"},
                                             {"team", "put"},
                                             {"team", "list"},
                                             {"enrol"},
                                             {"login"},
                                             {"logout"},
                                             {"step-up"},
                                             {"password"},
                                             {"session", "list"},
                                             {"session", "end"},
                                             {"whoami"},
                                             {"approval", "request"},
                                             {"approval", "request", "erase"},
                                             {"approval", "request", "give-role"},
                                             {"approval", "request", "change-role"},
                                             {"approval", "list"},
                                             {"approval", "show"},
                                             {"approval", "approve"},
                                             {"approval", "reject"},
                                             {"emergency", "open"},
                                             {"emergency", "list"},
                                             {"emergency", "review"},
                                             {"token", "revoke"},
                                             {"class", "put"},
                                             {"class", "list"},
                                             {"purpose", "put"},
                                             {"purpose", "list"},
                                             {"import"},
                                             {"get"},
                                             {"search"},
                                             {"erase"},
                                             {"log"},
                                             {"log", "show"},
                                             {"log", "proof"},
                                             {"log", "checkpoint"},
                                             {"log", "export"},
                                             {"verify"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Ran ran = RunTool(arguments);
    CAPTURE(arguments, ran.out);
    CHECK(ran.exit == 0);
    CHECK(ran.out.find("coffer") != std::string::npos);
    CHECK(ran.err.empty());
  }
}

TEST_CASE("wrong use ends with 2 before anything is connected") {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"frobnicate"},
           {"status"},
           {"status", "--url", "http://vault.example"},
           {"status", "--token", "cft_x"},
           {"token", "create", "--name", "x"},
           {"token", "create", "--name", "x", "--principal", "svc_1", "--days", "0"},
           {"token", "rotate", "tok_1", "--overlap", "169"},
           {"get", "cli_1"},
           {"get", "cli_1", "--purpose", "client-care", "--version", "2"},
           {"erase", "cli_1", "--purpose", "client-care"},
           {"search", "contact", "email", "--purpose", "client-care"},
           {"search", "contact", "email", "x", "--value-stdin", "--purpose", "client-care"},
           {"import", "missing.csv", "--class", "c", "--key", "K", "--map", "a=b", "--purpose",
            "p"},
           {"log", "--decision", "perhaps"},
           {"log", "--from", "soon"},
           {"verify", "--proof", "p"},
           {"verify", "--entries", "e", "--checkpoint", "c"},
           {"verify", "--anchor", "a"},
           {"verify", "--log-key", "nonsense"},
           {"verify", "--data", "d", "--entries", "e"},
           {"init", "--data", "d", "--root-key-file", "k", "--passphrase-file", "p"},
           {"init", "--data", "d", "--root-key-file", "d/k"},
           {"init", "--data", "d", "--root-key-file", "k", "--root-key", "pkcs11:object=k"},
           {"init", "--data", "d", "--passphrase-file", "p", "--root-key", "pkcs11:object=k"},
           {"init", "--data", "d", "--root-key-file", "k", "--recovery-passphrase-file", "p"},
           {"init", "--data", "d", "--single-person", "--officer-token-file", "o"}}) {
    const Ran ran = RunTool(arguments);
    CAPTURE(arguments, ran.err);
    CHECK(ran.exit == 2);
    CHECK_FALSE(ran.err.empty());
  }
}

namespace {

using Words = std::vector<std::string>;

// Every command that does something, with the words that lead to it.
void CollectCommands(const CLI::App& app, const Words& words,
                     std::vector<std::pair<Words, const CLI::App*>>& commands) {
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  if (below.empty()) commands.emplace_back(words, &app);
  for (const CLI::App* one : below) {
    Words more = words;
    more.push_back(one->get_name());
    CollectCommands(*one, more, commands);
  }
}

bool IsPlace(const CLI::Option& option) { return option.get_lnames().empty(); }

// The command with what it needs, and `nothing` for the option that is asked about.
Words With(const Words& words, const CLI::App& command, const CLI::Option& asked,
           const std::string& nothing) {
  Words arguments = words, places;
  for (const CLI::Option* option : command.get_options()) {
    const bool is_asked = option == &asked;
    const std::string value = is_asked ? nothing : "1";
    if (IsPlace(*option)) {
      if (is_asked || IsPlace(asked) || option->get_required()) places.push_back(value);
    } else if (is_asked && nothing == "=") {
      arguments.push_back("--" + option->get_lnames()[0] + "=");
    } else if (is_asked || option->get_required()) {
      arguments.push_back("--" + option->get_lnames()[0]);
      arguments.push_back(value);
    }
  }
  arguments.insert(arguments.end(), places.begin(), places.end());
  return arguments;
}

}  // namespace

TEST_CASE("an option that is given nothing is wrong use, whichever it is of whichever command") {
  CLI::App app("", "coffer");
  Command chosen;
  Declare(app, chosen);
  std::vector<std::pair<Words, const CLI::App*>> commands;
  CollectCommands(app, {}, commands);
  CHECK(commands.size() > 60);
  // What all commands share is asked about once; how nothing is given, in turn.
  const std::vector<std::string> nothings = {"", "  ", "="};
  std::set<std::string> seen;
  std::size_t told = 0;
  for (const auto& [words, command] : commands) {
    for (const CLI::Option* asked : command->get_options()) {
      if (asked->get_items_expected_max() == 0) continue;
      if (!seen.insert(asked->get_name() + asked->get_description()).second) continue;
      const std::string nothing = nothings[IsPlace(*asked) ? seen.size() % 2 : seen.size() % 3];
      const Words arguments = With(words, *command, *asked, nothing);
      const Ran ran = RunTool(arguments);
      CAPTURE(arguments, ran.out, ran.err);
      CHECK(ran.exit == 2);
      CHECK(ran.out.empty());
      // Some have a check of their own, or one of another option comes first.
      if (ran.err.contains("must not be empty")) ++told;
    }
  }
  CHECK(seen.size() > 100);
  CHECK(told > seen.size() / 2);
}

namespace {

// With JSON wanted, a failure is one object in the last line of standard error.
void CheckFailedInJson(const Ran& ran) {
  CHECK(ran.exit != 0);
  CHECK(ran.out.empty());
  REQUIRE(ran.err.ends_with('\n'));
  const auto line = ran.err.rfind('\n', ran.err.size() - 2);
  const std::string last = ran.err.substr(line == std::string::npos ? 0 : line + 1);
  const auto told = nlohmann::json::parse(last, nullptr, false);
  REQUIRE(told.is_object());
  REQUIRE(told.contains("error"));
  CHECK(told.at("error").at("exit") == ran.exit);
  CHECK_FALSE(told.at("error").at("message").get<std::string>().empty());
}

// What is needed, and "1" for each: mostly wrong, and where it is not the server refuses.
Words Needed(const Words& words, const CLI::App& command) {
  Words arguments = words, places;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_required()) continue;
    if (IsPlace(*option)) {
      places.emplace_back("1");
    } else {
      arguments.push_back("--" + option->get_lnames()[0]);
      if (option->get_items_expected_max() > 0) arguments.emplace_back("1");
    }
  }
  arguments.insert(arguments.end(), places.begin(), places.end());
  return arguments;
}

}  // namespace

TEST_CASE("with --json each command tells each failure as JSON, and without it none") {
  CLI::App app("", "coffer");
  Command chosen;
  Declare(app, chosen);
  std::vector<std::pair<Words, const CLI::App*>> commands;
  CollectCommands(app, {}, commands);
  std::size_t with_json = 0, refused = 0;
  for (const auto& [words, command] : commands) {
    if (command->get_option_no_throw("--json") == nullptr) continue;
    ++with_json;
    Tool tool([](const HttpRequest&) {
      return Reply(403, R"({"code":"forbidden","title":"Not allowed.","status":403})");
    });
    const auto run = [&](Words arguments, const char* more) {
      arguments.emplace_back(more);
      const Ran ran = tool(arguments);
      CAPTURE(arguments, ran.out, ran.err);
      if (ran.exit != 0) CheckFailedInJson(ran);
      return ran;
    };
    const Words needed = Needed(words, *command);
    if (run(needed, "--json").err.contains("\"code\":\"forbidden\"")) ++refused;
    // Whatever else is wrong is told in one place: of some commands, in turn.
    Words wrong = with_json % 3 == 0 ? words : needed;
    if (with_json % 3 == 1) wrong.emplace_back("--no-such-option");
    if (with_json % 3 == 2) wrong.emplace_back("--url=");
    if (with_json % 4 != 0) continue;
    const Ran ran = run(wrong, "--json"), text = tool(wrong);
    CHECK(ran.exit == text.exit);
    CHECK_FALSE(text.err.contains("{\"error\""));
  }
  CHECK(with_json > 60);
  CHECK(refused > 20);
}

TEST_CASE("a failure in JSON has what the text has, and nothing that a terminal obeys") {
  Tool tool([](const HttpRequest&) {
    return Reply(409, R"({"code":"made_up","title":"\u001b[2J\u202e","detail":"\u001b[31m"})");
  });
  const Ran ran = tool({"status", "--json"});
  CheckFailedInJson(ran);
  CHECK_FALSE(ran.err.contains('\x1b'));
  CHECK_FALSE(ran.err.contains("\u202e"));
  const testing::TemporaryDirectory directory;
  const Ran local = tool({"key", "status", "--data", directory.path(), "--json"});
  CheckFailedInJson(local);
  CHECK(local.err.contains("\"code\":\"vault_missing\""));
}

TEST_CASE("a server that is not there ends with 5 and says what to check") {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "token") << "cft_made-up\n";
  std::filesystem::permissions(directory / "token", std::filesystem::perms::owner_read);
  const Ran ran =
      RunTool({"status", "--url", "https://127.0.0.1:1", "--token-file", directory / "token"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 5);
  CHECK(ran.err.find("cannot connect to 127.0.0.1:1") != std::string::npos);
  CHECK(ran.err.find("cft_") == std::string::npos);
}

TEST_CASE("a token file that others can read is not used") {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "token") << "cft_made-up\n";
  std::filesystem::permissions(directory / "token", static_cast<std::filesystem::perms>(0644));
  const Ran ran =
      RunTool({"status", "--url", "https://127.0.0.1:1", "--token-file", directory / "token"});
  CHECK(ran.exit == 1);
  CHECK(ran.err.find("secret_file_exposed") != std::string::npos);
}

TEST_CASE("a vault is made once, and verifies offline from the start") {
  const testing::TemporaryDirectory directory;
  const std::vector<std::string> init = {"init",
                                         "--data",
                                         directory / "vault",
                                         "--root-key-file",
                                         directory / "root.key",
                                         "--origin",
                                         "test.example/log",
                                         "--admin-token-file",
                                         directory / "admin.token",
                                         "--officer-token-file",
                                         directory / "officer.token"};
  const Ran made = RunTool(init);
  CAPTURE(made.err);
  REQUIRE(made.exit == 0);
  CHECK(made.out.find("test.example/log+") != std::string::npos);
  CHECK(made.out.find("cft_") == std::string::npos);
  CHECK(ContentOf(directory / "admin.token").starts_with("cft_"));
  CHECK(ContentOf(directory / "officer.token").starts_with("cft_"));
  CHECK(ContentOf(directory / "officer.token") != ContentOf(directory / "admin.token"));

  const Ran again = RunTool(init);
  CHECK(again.exit == 1);
  CHECK(again.err.find("is not empty") != std::string::npos);

  const Ran verified = RunTool({"verify", "--data", directory / "vault", "--root-key-file",
                                directory / "root.key", "--deep"});
  CAPTURE(verified.out, verified.err);
  CHECK(verified.exit == 0);
  CHECK(verified.out.find("OK: the log is whole") != std::string::npos);

  const Ran other_key =
      RunTool({"verify", "--data", directory / "vault", "--root-key-file", directory / "root.key",
               "--log-key", audit::FormatVerifierKey(PublicLog(0).Key())});
  CHECK(other_key.exit == 4);
}

TEST_CASE("a vault for one person has one token, and says so") {
  const testing::TemporaryDirectory directory;
  const Ran made =
      RunTool({"init", "--data", directory / "vault", "--root-key-file", directory / "root.key",
               "--single-person", "--admin-token-file", directory / "admin.token"});
  CAPTURE(made.err);
  REQUIRE(made.exit == 0);
  CHECK(made.out.find("security officer") == std::string::npos);
  CHECK(made.out.find("alone in this vault, for ever") != std::string::npos);
  CHECK(made.out.find("cft_") == std::string::npos);
}

TEST_CASE("exported entries are verified from the command line") {
  const testing::TemporaryDirectory directory;
  PublicLog log(20);
  std::ofstream(directory / "log.ndjson") << log.Ndjson();
  std::ofstream(directory / "log.checkpoint") << log.Checkpoint(20);
  const std::vector<std::string> verify = {"verify",
                                           "--entries",
                                           directory / "log.ndjson",
                                           "--checkpoint",
                                           directory / "log.checkpoint",
                                           "--log-key",
                                           audit::FormatVerifierKey(log.Key())};
  CHECK(RunTool(verify).exit == 0);
  log.entries.pop_back();
  std::ofstream(directory / "log.ndjson") << log.Ndjson();
  const Ran cut = RunTool(verify);
  CHECK(cut.exit == 4);
  CHECK(cut.out.find("truncated") != std::string::npos);
}

}  // namespace coffer::cli
