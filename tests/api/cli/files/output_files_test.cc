// Every command that writes a file: only a new one, whole or not at all, and nothing is asked of
// the server whose answer would have no place.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOutToken =
    R"({"id":"tok_1","principal":"svc_1","name":"crm","role":"crm-service","limits":{},
        "expires":"2026-04-01T00:00:00.000Z","token":"cft_new"})";
constexpr const char* kOutEnrolment =
    R"({"user":{"id":"usr_1","name":"Anna","role":"case-worker"},"code":"cfe_made-up",
        "expires":"2026-01-04T00:00:00.000Z"})";
constexpr const char* kOutEnrolled =
    R"({"user":{"id":"usr_1","name":"Anna","role":"case-worker"},"recovery_codes":["aaaa","bbbb"]})";
constexpr const char* kOutSession = R"({"id":"ses_1","principal":"usr_1","token":"cfs_new"})";
constexpr const char* kOutCertificate =
    R"({"service":{"id":"svc_1","name":"crm","role":"crm-service"},"certificate":"PEM"})";
constexpr const char* kOutLines =
    R"({"items":[{"client":{"id":"cli_1"}},{"record":{"id":"rec_1","class":"contact","data":{}}}]})";
constexpr const char* kOutTable = "Id,Mail\nK1,m@example.org\n";
constexpr const char* kOutClass =
    R"({"name":"contact","definition":{"fields":{"email":{"type":"text"}}}})";

struct Writes {
  const char* name;
  std::vector<std::string> arguments;  // OUT: the file; IN/…: one that is there, for its owner only
  FakeServer::Answer answer;
  bool secret = false;  // the server shows it once
  bool directory = false;
};

FakeServer::Answer AlwaysAnswer(int status, const char* body) {
  return [=](const HttpRequest&) { return Outcome<HttpReply>(Reply(status, body)); };
}

Outcome<HttpReply> AnswerAsLog(const HttpRequest& request) {
  if (request.target == "/v1/log/checkpoint") return Reply(200, "checkpoint\n");
  return Reply(200, "{\"seq\":0}\n", {{"coffer-log-size", "1"}, {"coffer-request-id", "req_1"}});
}

std::vector<Writes> AllThatWrite() {
  return {
      {"token create",
       {"token", "create", "--name", "crm", "--principal", "svc_1", "--out", "OUT"},
       AlwaysAnswer(201, kOutToken),
       true},
      {"token rotate",
       {"token", "rotate", "tok_0", "--out", "OUT"},
       AlwaysAnswer(201, kOutToken),
       true},
      {"user create",
       {"user", "create", "--login", "anna", "--name", "Anna", "--role", "case-worker", "--out",
        "OUT"},
       AlwaysAnswer(201, kOutEnrolment),
       true},
      {"user enrol-again",
       {"user", "enrol-again", "usr_1", "--out", "OUT"},
       AlwaysAnswer(201, kOutEnrolment),
       true},
      {"enrol",
       {"enrol", "--login", "anna", "--code-file", "IN/code", "--password-file", "IN/password",
        "--totp", "123456", "--recovery-codes-file", "OUT"},
       AlwaysAnswer(201, kOutEnrolled),
       true},
      {"login",
       {"login", "--login", "anna", "--password-file", "IN/password", "--out", "OUT"},
       AlwaysAnswer(201, kOutSession),
       true},
      {"service certificate, the certificate",
       {"service", "certificate", "svc_1", "--out-cert", "OUT", "--out-key", "NEW/key"},
       AlwaysAnswer(201, kOutCertificate)},
      {"service certificate, the key",
       {"service", "certificate", "svc_1", "--out-key", "OUT", "--out-cert", "NEW/cert"},
       AlwaysAnswer(201, kOutCertificate)},
      {"export", {"export", "OUT", "--purpose", "client-care"}, AlwaysAnswer(200, kOutLines)},
      {"evidence", {"evidence", "OUT", "--client", "cli_1"}, AlwaysAnswer(200, "zip")},
      {"client package",
       {"client", "package", "cli_1", "--out", "OUT", "--purpose", "client-care"},
       AlwaysAnswer(200, kOutLines)},
      {"client package as tables",
       {"client", "package", "cli_1", "--format", "csv", "--out", "OUT", "--purpose",
        "client-care"},
       AlwaysAnswer(200, kOutLines),
       false,
       true},
      {"erasure act", {"erasure", "act", "era_1", "OUT"}, AlwaysAnswer(200, "{}")},
      {"retention report", {"retention", "report", "run_1", "OUT"}, AlwaysAnswer(200, "{}")},
      {"log proof", {"log", "proof", "7", "--out", "OUT"}, AlwaysAnswer(200, "proof")},
      {"log checkpoint", {"log", "checkpoint", "--out", "OUT"}, AlwaysAnswer(200, "note")},
      {"log export", {"log", "export", "--out", "OUT"}, AnswerAsLog},
  };
}

// A directory "out" in which nothing is but what a test puts there.
struct OutputRun {
  explicit OutputRun(const Writes& what) : writes(what), coffer(what.answer) {
    fs::create_directory(coffer.directory / "out");
    fs::create_directory(coffer.directory / "new");
    coffer.Secret("code", "cfe_x");
    coffer.Secret("password", "correct horse battery");
  }

  Ran With(const std::string& out) {
    std::vector<std::string> arguments = writes.arguments;
    for (std::string& argument : arguments) {
      if (argument == "OUT") argument = out;
      if (argument.starts_with("IN/")) argument = coffer.directory / argument.substr(3);
      if (argument.starts_with("NEW/")) argument = coffer.directory / ("new/" + argument.substr(4));
    }
    return coffer(arguments);
  }
  std::set<std::string> There() const {
    std::set<std::string> names;
    for (const char* part : {"out", "new"}) {
      for (const auto& entry : fs::directory_iterator(coffer.directory / part)) {
        names.insert(entry.path().filename());
      }
    }
    return names;
  }
  std::string Out(const std::string& name = "file") const {
    return coffer.directory / ("out/" + name);
  }

  Writes writes;
  Tool coffer;
};

}  // namespace

TEST_CASE("what a command writes is there whole, for its owner alone, and nothing beside it") {
  const Writes writes = GENERATE(from_range(AllThatWrite()));
  CAPTURE(writes.name);
  OutputRun run(writes);
  const Ran ran = run.With(run.Out());
  CAPTURE(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(ModeOf(run.Out()) == (writes.directory ? 0700U : 0600U));
  for (const std::string& name : run.There()) {
    CAPTURE(name);
    CHECK_FALSE(name.starts_with("."));
  }
  if (writes.directory) {
    CHECK(fs::exists(run.Out("file/client.csv")));
  } else {
    CHECK(fs::file_size(run.Out()) > 0);
    CHECK(ContentOf(run.Out()).find('\0') == std::string::npos);
  }
  if (writes.secret) CHECK(ran.out.find("_new") == std::string::npos);

  // Once more: nothing is asked, nothing is changed.
  const std::size_t asked = run.coffer.server.requests().size();
  const auto before = fs::last_write_time(run.Out());
  if (std::string(writes.name) == "login") return;  // a session replaces a session
  CHECK(run.With(run.Out()).exit == 2);
  CHECK(run.coffer.server.requests().size() == asked);
  CHECK(fs::last_write_time(run.Out()) == before);
}

TEST_CASE("no command takes away what has the name already, and none asks before it knows") {
  const Writes writes = GENERATE(from_range(AllThatWrite()));
  CAPTURE(writes.name);
  OutputRun run(writes);
  const std::string kept = run.coffer.directory / "kept";
  std::ofstream(kept) << "kept";
  fs::create_symlink(kept, run.Out("link"));
  fs::create_symlink(run.coffer.directory / "nowhere", run.Out("dangling"));
  fs::create_hard_link(kept, run.Out("hard"));
  fs::create_directory(run.Out("directory"));
  REQUIRE(mkfifo(run.Out("pipe").c_str(), 0600) == 0);
  const auto there = run.There();
  for (const std::string& name :
       {run.Out("link"), run.Out("dangling"), run.Out("hard"), run.Out("directory"),
        run.Out("pipe"), run.Out("directory/../hard"), std::string("/dev/full"),
        std::string("/dev/stdout"), kept}) {
    CAPTURE(name);
    const Ran ran = run.With(name);
    CHECK(ran.exit == 2);
    CHECK(ran.err.find("exists already") != std::string::npos);
    CHECK(ContentOf(kept) == "kept");
  }
  CHECK(run.With(run.Out("no/such/directory")).exit != 0);
  CHECK(run.coffer.server.requests().empty());
  CHECK(run.There() == there);
  CHECK_FALSE(fs::exists(run.coffer.directory / "nowhere"));
}

TEST_CASE("where the server fails there is no file, and the same command works once it does not") {
  const Writes writes = GENERATE(from_range(AllThatWrite()));
  CAPTURE(writes.name);
  OutputRun run(writes);
  bool fails = true;
  run.coffer.server = FakeServer([&](const HttpRequest& request) -> Outcome<HttpReply> {
    if (fails) return Failed(Exit::kUnreachable, "broken");
    return writes.answer(request);
  });
  CHECK(run.With(run.Out()).exit == 5);
  CHECK(run.There().empty());
  fails = false;
  CHECK(run.With(run.Out()).exit == 0);
}

TEST_CASE("a name that somebody took meanwhile stays theirs, and what was made is undone") {
  const Writes writes = GENERATE(from_range(AllThatWrite()));
  CAPTURE(writes.name);
  OutputRun run(writes);
  run.coffer.server = FakeServer([&](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.method == "DELETE") return Reply(200, "{}");
    std::ofstream(run.Out()) << "theirs";
    return writes.answer(request);
  });
  const Ran ran = run.With(run.Out());
  CAPTURE(ran.err);
  CHECK(ran.exit == 1);
  CHECK(ContentOf(run.Out()) == "theirs");
  CHECK(run.There() == std::set<std::string>{"file"});
  CHECK(ran.out.find("_new") == std::string::npos);
  std::string last = Asked(run.coffer.server.requests().back());
  const std::string command = writes.arguments.front();
  if (command == "token") CHECK(last == "DELETE /v1/tokens/tok_1 ");
  if (command == "login") CHECK(last == "DELETE /v1/me/session ");
  if (command == "login") CHECK(run.coffer.TokenSent(run.coffer.reached.size() - 1) == "cfs_new");
  if (writes.secret) {
    CHECK((ran.err.find("obody got") != std::string::npos ||
           ran.err.find("got its") != std::string::npos));
  }
}

TEST_CASE("one file is not named for two things, however it is spelled") {
  OutputRun run(AllThatWrite().front());
  const std::string one = run.Out("one"), other = run.Out("../out/./one");
  CHECK(
      run.coffer({"service", "certificate", "svc_1", "--out-cert", one, "--out-key", other}).exit ==
      2);
  for (const auto& [first, second] : {std::pair("--admin-token-file", "--officer-token-file"),
                                      {"--root-key-file", "--admin-token-file"},
                                      {"--root-key-file", "--officer-token-file"},
                                      {"--anchor", "--admin-token-file"}}) {
    std::vector<std::string> arguments = {"init", "--data", run.Out("vault"), first, one,
                                          second, other};
    if (std::string(first) != "--root-key-file") {
      arguments.insert(arguments.end(), {"--root-key-file", run.Out("root.key")});
    }
    const Ran ran = run.coffer(arguments);
    CAPTURE(first, second, ran.err);
    CHECK(ran.exit == 2);
    CHECK(ran.err.find("two things") != std::string::npos);
  }
  CHECK(run.coffer({"init", "--data", run.Out("vault"), "--root-key-file", run.Out("root.key"),
                    "--admin-token-file", run.Out("vault/admin.token")})
            .exit == 2);
  CHECK(run.There().empty());
  CHECK(run.coffer.server.requests().empty());
}

TEST_CASE("an import's report replaces an earlier report, and nothing else") {
  Tool coffer([](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.method == "GET") return Reply(200, kOutClass);
    return Reply(200, "{\"outcome\":\"created\"}\n");
  });
  const std::string table = coffer.directory / "table.csv";
  const std::string report = coffer.directory / "report";
  std::ofstream(table) << kOutTable;
  fs::create_symlink(table, coffer.directory / "link");
  fs::create_hard_link(table, coffer.directory / "hard");
  std::ofstream(coffer.directory / "letter") << "line of thought\n";
  const auto import_with = [&](const std::string& to) {
    return coffer({"import", table, "--class", "contact", "--key", "Id", "--map", "email=Mail",
                   "--purpose", "client-care", "--report", to});
  };
  for (const std::string& to : {table, coffer.directory / "link", coffer.directory / "hard",
                                coffer.directory / "./table.csv", coffer.directory / "letter",
                                coffer.directory.path(), std::string("/dev/full")}) {
    CAPTURE(to);
    const Ran ran = import_with(to);
    CHECK(ran.exit == 2);
    CHECK(coffer.server.requests().empty());
  }
  CHECK(ContentOf(table) == kOutTable);
  CHECK(ContentOf(coffer.directory / "letter") == "line of thought\n");
  std::ofstream(report) << "line 2, column \"Mail\", field email: is not an address\n";
  const Ran ran = import_with(report);
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(ContentOf(report).empty());
}

TEST_CASE("a login replaces a session where it was told to write, and no other file") {
  OutputRun run({"login",
                 {"login", "--login", "anna", "--password-file", "IN/password", "--out", "OUT"},
                 AlwaysAnswer(201, kOutSession)});
  std::ofstream(run.Out("session")) << "cfs_old\nhttps://vault.example:443\n";
  std::ofstream(run.Out("key")) << "cfs_but no session\n";
  CHECK(run.With(run.Out("session")).exit == 0);
  CHECK(ContentOf(run.Out("session")) == "cfs_new\nhttps://vault.example:443\n");
  CHECK(run.With(run.Out("key")).exit == 2);
  CHECK(ContentOf(run.Out("key")) == "cfs_but no session\n");
}

TEST_CASE("a logout removes the session's file, and no other that was named for the token") {
  Tool coffer(InTurn({Reply(204, "")}));
  const std::string token = coffer.Secret("token", "cfs_x");
  CHECK(coffer({"logout", "--token-file", token}).exit == 0);
  CHECK(fs::exists(token));
  const std::string session = coffer.Secret("session", "cfs_x\nhttps://vault.example:443");
  CHECK(coffer({"logout", "--token-file", session}).exit == 0);
  CHECK_FALSE(fs::exists(session));
}

TEST_CASE("a secret that standard output does not take is undone, and said to be") {
  struct Case {
    std::vector<std::string> arguments;
    const char* answer;
    const char* undone;  // the last request
  };
  for (const bool as_json : {false, true}) {
    for (const Case& one : {Case{{"token", "create", "--name", "crm", "--principal", "svc_1"},
                                 kOutToken,
                                 "DELETE /v1/tokens/tok_1 "},
                            {{"token", "rotate", "tok_0"}, kOutToken, "DELETE /v1/tokens/tok_1 "},
                            {{"user", "enrol-again", "usr_1"}, kOutEnrolment, nullptr}}) {
      Tool coffer(AlwaysAnswer(201, one.answer));
      std::vector<const char*> argv{"coffer"};
      for (const std::string& argument : one.arguments) argv.push_back(argument.c_str());
      if (as_json) argv.push_back("--json");
      TestConsole test;
      test.out.setstate(std::ios::badbit);
      test.console.reach = [&](const HttpsOptions&) -> Outcome<Sender> {
        return coffer.server.Sender();
      };
      CHECK(Run(static_cast<int>(argv.size()), argv.data(), test.console) == 1);
      CAPTURE(test.Err());
      CHECK(test.Err().find("standard output could not be written") != std::string::npos);
      CHECK(test.Err().find("obody got") != std::string::npos);
      if (one.undone != nullptr) {
        CHECK(Asked(coffer.server.requests().back()) == one.undone);
        CHECK(test.Err().find("was revoked") != std::string::npos);
      } else {
        CHECK(test.Err().find("coffer user enrol-again usr_1") != std::string::npos);
      }
    }
  }
}

TEST_CASE("what cannot be undone is said with what is left to do") {
  Tool coffer([](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.method == "DELETE") return Reply(403, R"({"code":"permission_denied"})");
    return Reply(201, kOutToken);
  });
  const char* argv[] = {"coffer", "token", "create", "--name", "crm", "--principal", "svc_1"};
  TestConsole test;
  test.out.setstate(std::ios::badbit);
  test.console.reach = [&](const HttpsOptions&) -> Outcome<Sender> {
    return coffer.server.Sender();
  };
  CHECK(Run(7, argv, test.console) == 1);
  CHECK(test.Err().find("coffer token revoke tok_1") != std::string::npos);
}

TEST_CASE("a code is taken from a file or from standard input as well") {
  Tool coffer(InTurn({Reply(201, kOutSession)}));
  const std::string password = coffer.Secret("password", "correct horse battery");
  const auto log_in = [&](const std::vector<std::string>& how) {
    std::vector<std::string> arguments = {"login", "--login", "anna", "--password-file", password};
    arguments.insert(arguments.end(), how.begin(), how.end());
    return coffer(arguments);
  };
  REQUIRE(log_in({"--second-factor-file", coffer.Secret("factor", "123456")}).exit == 0);
  CHECK(coffer.server.requests().back().body.find(R"("second_factor":"123456")") !=
        std::string::npos);
  fs::permissions(coffer.directory / "factor", fs::perms::others_read, fs::perm_options::add);
  CHECK(log_in({"--second-factor-file", coffer.directory / "factor"}).exit != 0);
  CHECK(
      log_in({"--second-factor-file", coffer.directory / "factor", "--second-factor", "1"}).exit ==
      2);
  CHECK(coffer.server.requests().size() == 1);
}

}  // namespace coffer::cli
