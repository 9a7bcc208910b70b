// coffer verify --tiles: a log from its public files alone, of whoever has them.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "api/cli/verify/tiles_log.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/verify/log_files.h"
#include "tests/support/tls_server.h"

namespace coffer::cli {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kMirror = "https://mirror.example:8443/copies/log";

// Answers with the files below /copies/log/.
FakeServer::Answer Serving(const LogFiles& files) {
  return [&files](const HttpRequest& request) -> Outcome<HttpReply> {
    static const std::string kPrefix = "/copies/log/";
    const auto file = request.target.starts_with(kPrefix)
                          ? files.find(request.target.substr(kPrefix.size()))
                          : files.end();
    if (file == files.end()) return Reply(404, "no such file", {{"content-type", "text/plain"}});
    return Reply(200, file->second, {{"content-type", "application/octet-stream"}});
  };
}

Ran Verify(Tool& coffer, const PublicLog& log, Strings more = {}) {
  Strings arguments{"verify", "--tiles", kMirror, "--log-key", audit::FormatVerifierKey(log.Key()),
                    "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return coffer(arguments);
}

// "exit", then "check seq" of each finding, or what was said instead of a report.
Strings ResultOf(const Ran& ran) {
  Strings result{std::to_string(ran.exit)};
  if (ran.out.empty()) {
    const auto told = nlohmann::json::parse(ran.err, nullptr, false);
    const std::string said =
        told.is_object() ? "coffer: " + told.at("error").at("message").get<std::string>() : ran.err;
    result.push_back(said.substr(0, said.find('\n')));
    return result;
  }
  const auto report = nlohmann::json::parse(ran.out);
  for (const auto& finding : report.at("findings")) {
    const std::string check = finding.at("check");
    result.push_back(check + (finding.contains("seq") ? " " + finding.at("seq").dump() : ""));
  }
  return result;
}

Strings ResultOf(const PublicLog& log, const LogFiles& files, const Strings& more = {}) {
  Tool coffer(Serving(files));
  return ResultOf(Verify(coffer, log, more));
}

bool Says(const Ran& ran, std::string_view text) { return ran.err.find(text) != std::string::npos; }

std::string AsSigned(const PublicLog& log, std::uint64_t size) {
  return log.Sign({"test.example/log", size, audit::Hash{}});
}

}  // namespace

TEST_CASE("a log is verified from its checkpoint, bundles and tiles alone") {
  const PublicLog log(700);
  for (const std::uint64_t size : {0U, 1U, 255U, 256U, 257U, 512U, 700U}) {
    CAPTURE(size);
    const LogFiles files = FilesOf(log, size);
    Tool coffer(Serving(files));
    const Ran ran = Verify(coffer, log);
    REQUIRE(ResultOf(ran) == Strings{"0"});
    const auto report = nlohmann::json::parse(ran.out);
    CHECK(report.at("size") == size);
    CHECK(report.at("checkpoint_size") == size);
    CHECK(report.at("key_pinned") == true);
    // Each file was looked at, and none but these asked for.
    Strings asked;
    for (const auto& request : coffer.server.requests()) asked.push_back(request.target);
    for (const auto& [path, content] : files) {
      CAPTURE(path);
      CHECK(std::ranges::count(asked, "/copies/log/" + path) >= 1);
    }
    for (const auto& target : asked) CHECK(files.contains(target.substr(12)));
  }
}

TEST_CASE("a log of three tile levels is verified from a directory") {
  const PublicLog log(65'536 + 300);
  Tool coffer(InTurn({Failed(Exit::kUnreachable, "nothing is asked of a server")}));
  const std::string directory = coffer.directory / "mirror";
  LogFiles files = FilesOf(log, log.entries.size());
  CHECK(files.contains("tile/2/000.p/1"));
  WriteFiles(files, directory);
  const auto verify = [&] {
    return ResultOf(coffer({"verify", "--tiles", directory, "--log-key",
                            audit::FormatVerifierKey(log.Key()), "--json"}));
  };
  CHECK(verify() == Strings{"0"});
  for (const char* name : {"tile/2/000.p/1", "tile/1/001.p/1", "tile/0/x000/001", "tile/1/000"}) {
    if (!files.contains(name)) continue;
    CAPTURE(name);
    LogFiles one{{name, files.at(name)}};
    one.begin()->second[5] ^= 1;
    WriteFiles(one, directory);
    CHECK(verify().at(1).starts_with("tile"));
    one = {{name, files.at(name)}};
    WriteFiles(one, directory);
  }
  std::filesystem::remove(std::filesystem::path(directory) / "tile/2/000.p/1");
  CHECK(verify() == Strings{"4", "tile"});
}

TEST_CASE("each file of a log that is not what it has to be is found") {
  const PublicLog log(700);
  const LogFiles whole = FilesOf(log, 700);
  const auto with = [&](const std::string& path, const auto& change) {
    LogFiles files = whole;
    change(files.at(path));
    return ResultOf(log, files);
  };
  const auto without = [&](const std::string& path) {
    LogFiles files = whole;
    files.erase(path);
    return ResultOf(log, files);
  };
  const auto flip = [](std::string& content) { content[content.size() / 2] ^= 1; };
  const auto cut = [](std::string& content) { content.pop_back(); };
  const auto grow = [](std::string& content) { content += content.substr(0, 32); };

  CHECK(with("tile/0/001", flip) == Strings{"4", "tile 384"});
  CHECK(with("tile/0/001", cut) == Strings{"4", "tile 256"});
  CHECK(with("tile/0/001", grow) == Strings{"4", "tile 256"});
  CHECK(with("tile/0/002.p/188", flip) == Strings{"4", "tile"});
  CHECK(with("tile/0/002.p/188", cut) == Strings{"4", "tile"});
  CHECK(with("tile/0/002.p/188", grow) == Strings{"4", "tile"});
  CHECK(with("tile/1/000.p/2", flip) == Strings{"4", "tile"});
  CHECK(without("tile/0/001") == Strings{"4", "tile 256"});
  CHECK(without("tile/1/000.p/2") == Strings{"4", "tile"});
  CHECK(without("tile/entries/001") == Strings{"4", "sequence 256", "checkpoint"});
  CHECK(without("tile/entries/002.p/188") == Strings{"4", "sequence 512", "checkpoint"});
  CHECK(with("tile/entries/001", [](std::string& content) {
          content[content.find("svc_1", content.size() / 2)] = 'S';
        }) == Strings{"4", "chain 384", "tile 384", "checkpoint"});
  CHECK(with("tile/entries/001", cut) ==
        Strings{"4",
                "coffer: the log cannot be verified: bundle_malformed (tile/entries/001: half "
                "an entry)"});
  CHECK(with("tile/entries/001", [](std::string& content) { content.resize(1); })
            .at(1)
            .ends_with("half a length)"));
  CHECK(with("tile/entries/001", grow).front() == "4");
  CHECK(with("tile/entries/001",
             [](std::string& content) { content.insert(0, std::string("\x00\x01{", 3)); })
            .at(1)
            .ends_with("more entries than expected)"));
  CHECK(with("tile/entries/001", [](std::string& content) { content.clear(); })
            .at(1)
            .ends_with("fewer entries than expected)"));
  CHECK(with("tile/entries/001", [](std::string& content) { content.replace(0, 2, "\xFF\xFF"); })
            .at(1)
            .ends_with("an entry is too long)"));
}

TEST_CASE("a mirror that went on needs to have full files only") {
  const PublicLog log(700);
  LogFiles files = FilesOf(log, 700);
  files["checkpoint"] = log.Checkpoint(300);
  CHECK(ResultOf(log, files) == Strings{"4", "tile"});  // tile/1/000.p/1 of 300 is gone
  files["tile/1/000.p/1"] = FilesOf(log, 300).at("tile/1/000.p/1");
  CHECK(ResultOf(log, files) == Strings{"0"});
  files["tile/0/001"][3] ^= 1;
  CHECK(ResultOf(log, files) == Strings{"4", "tile"});
}

TEST_CASE("what was seen of a mirror is remembered: it cannot go back or fork") {
  PublicLog log(700);
  LogFiles files = FilesOf(log, 300);
  Tool coffer(Serving(files));
  const Strings remember{"--state", coffer.directory / "log.state"};
  CHECK(ResultOf(Verify(coffer, log, remember)) == Strings{"0"});
  files = FilesOf(log, 600);
  CHECK(ResultOf(Verify(coffer, log, remember)) == Strings{"0"});
  const std::string remembered = ContentOf(remember[1]);
  CHECK(remembered.find("\n600\n") != std::string::npos);
  // The state has the key.
  CHECK(ResultOf(coffer({"verify", "--tiles", kMirror, "--json", "--state", remember[1]})) ==
        Strings{"0"});

  SECTION("taken back") {
    files = FilesOf(log, 599);
    CHECK(ResultOf(Verify(coffer, log, remember)) == Strings{"7", "truncated 599"});
  }
  SECTION("written anew with the key of the log, and longer") {
    log.WriteAnew(450);
    files = FilesOf(log, 700);
    CHECK(ResultOf(log, files) == Strings{"0"});  // in itself it is whole
    CHECK(ResultOf(Verify(coffer, log, remember)) == Strings{"4", "checkpoint"});
  }
  CHECK(ContentOf(remember[1]) == remembered);
}

TEST_CASE("a size that no log has ends at once") {
  const PublicLog log(300);
  for (const std::uint64_t size : {std::uint64_t{301}, std::uint64_t{1} << 62, UINT64_MAX}) {
    CAPTURE(size);
    LogFiles files = FilesOf(log, 300);
    files["checkpoint"] = AsSigned(log, size);
    Tool coffer(Serving(files));
    CHECK(ResultOf(Verify(coffer, log)) == Strings{"4", "sequence 256", "checkpoint"});
    CHECK(coffer.server.requests().size() < 10);
  }
}

TEST_CASE("a checkpoint that is none, or another's, is no log") {
  const PublicLog log(5), other(5);
  LogFiles files = FilesOf(log, 5);
  const auto with = [&](const std::string& checkpoint) {
    files["checkpoint"] = checkpoint;
    return ResultOf(log, files);
  };
  const std::string good = files.at("checkpoint");
  CHECK(with(good) == Strings{"0"});
  CHECK(with("").front() == "4");
  CHECK(
      with("test.example/log\n").at(1).starts_with("coffer: what is there as checkpoint is none"));
  CHECK(with(std::string(65'536, 'x')).front() == "4");
  CHECK(with("other.example/log" + good.substr(good.find('\n')))
            .at(1)
            .starts_with("coffer: the checkpoint is of the log \"other.example/log\""));
  CHECK(with(other.Checkpoint(5)) == Strings{"4", "checkpoint"});  // signed by another key
  CHECK(with(good.substr(0, good.find("\n\n") + 2)).front() == "4");
  std::string unknown = good;
  unknown += "\xE2\x80\x94 witness.example " + std::string("AAAAAAAA") + "\n";
  CHECK(with(unknown) == Strings{"0"});  // signatures of others mean nothing here
  files.erase("checkpoint");
  CHECK(ResultOf(log, files) ==
        Strings{"2", "coffer: there is no checkpoint there, and so no log"});
}

TEST_CASE("answers of a server that are no files are said to be none") {
  const PublicLog log(300);
  const LogFiles files = FilesOf(log, 300);
  const auto instead = [&](const std::string& path, const HttpReply& reply) {
    Tool coffer([&, serve = Serving(files)](const HttpRequest& request) -> Outcome<HttpReply> {
      if (request.target.ends_with(path)) return reply;
      return serve(request);
    });
    return ResultOf(Verify(coffer, log));
  };
  const std::string& bundle = files.at("tile/entries/000");
  for (const std::string path : {"checkpoint", "tile/entries/000", "tile/0/000"}) {
    CAPTURE(path);
    const std::string start = "coffer: " + path + ": ";
    CHECK(instead(path, Reply(302, "", {{"location", "https://evil.example/"}})) ==
          Strings{"1", start + "the server answered with a redirect (302)"});
    CHECK(instead(path, Reply(200, bundle, {{"content-type", "text/html; charset=utf-8"}})) ==
          Strings{"1", start + "the server answered with \"text/html; charset=utf-8\", which is no "
                               "log's"});
    CHECK(instead(path, Reply(200, bundle, {{"content-encoding", "gzip"}})).at(0) == "1");
    CHECK(instead(path, Reply(206, bundle)).at(0) == "1");
    CHECK(instead(path, Reply(204, "")).at(0) == "1");
    CHECK(instead(path, Reply(500, "oops")).at(0) == "1");
    CHECK(instead(path, Reply(403, R"({"code":"permission_denied","title":"no"})")) ==
          Strings{"1", start + "the server refused: no (403 permission_denied)"});
  }
  CHECK(instead("tile/entries/000", Reply(200, bundle, {{"content-type", "text/plain"}})) ==
        Strings{"0"});
  CHECK(instead("tile/entries/000", Reply(200, bundle)) == Strings{"0"});
}

TEST_CASE("a busy server is asked again") {
  const PublicLog log(5);
  const LogFiles files = FilesOf(log, 5);
  int busy = 1;
  Tool coffer([&, serve = Serving(files)](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.target.ends_with("entries/000.p/5") && busy-- > 0) return Reply(503, "busy");
    return serve(request);
  });
  CHECK(ResultOf(Verify(coffer, log)) == Strings{"0"});
}

TEST_CASE("a token goes to the server that it is for, and to no mirror") {
  const PublicLog log(1);
  const LogFiles files = FilesOf(log, 1);
  Tool coffer(Serving(files));  // with a token for https://vault.example
  REQUIRE(Verify(coffer, log).exit == 0);
  CHECK(coffer.TokenSent(0).empty());
  REQUIRE(
      Verify(coffer, log, {"--token-file", coffer.Secret("token", "cft_for_the_mirror")}).exit ==
      0);
  CHECK(coffer.TokenSent(1) == "cft_for_the_mirror");
  setenv("COFFER_URL", "https://mirror.example:8443", 1);
  REQUIRE(Verify(coffer, log).exit == 0);
  CHECK(coffer.TokenSent(2) == "cft_made-up");
  setenv("COFFER_URL", "https://mirror.example", 1);  // another port, another server
  REQUIRE(Verify(coffer, log).exit == 0);
  CHECK(coffer.TokenSent(3).empty());
  CHECK(coffer.reached[0].server == ServerAddress{"mirror.example", 8443});
}

TEST_CASE("tiles are verified with a key, and from one place that can be one") {
  const PublicLog log(1);
  const LogFiles files = FilesOf(log, 1);
  Tool coffer(Serving(files));
  const std::string key = audit::FormatVerifierKey(log.Key());
  CHECK(coffer({"verify", "--tiles", kMirror}).exit == 2);
  for (const std::string location :
       {"http://mirror.example/log", "ftp://mirror.example/log", "https://", "https:///log",
        "https://mirror.example/a//b", "https://mirror.example/../log", "https://mirror.example/.",
        "https://mirror.example/log?x=1", "https://mirror.example/log#x",
        "https://mirror.example/%2e%2e/log", "https://user@mirror.example/log",
        "https://mirror.example/log\r\nX: y", "no-such-directory", "/dev/null"}) {
    CAPTURE(location);
    const Ran ran = coffer({"verify", "--tiles", location, "--log-key", key});
    CHECK(ran.exit == 2);
    CHECK(Says(ran, "coffer: "));
  }
  CHECK(Verify(coffer, log, {"--deep"}).exit == 2);
  CHECK(Verify(coffer, log, {"--url", "https://vault.example"}).exit == 2);
  CHECK(Verify(coffer, log, {"--data", "/tmp"}).exit == 2);
  CHECK(Verify(coffer, log, {"--log-key", key}).exit == 2);
  CHECK(coffer.server.requests().empty());
  CHECK(coffer({"verify", "--tiles", "https://mirror.example:8443/copies/log/", "--log-key", key})
            .exit == 0);
}

TEST_CASE("a mirror's directory holds files and nothing that is waited for or never ends") {
  const PublicLog log(5);
  Tool coffer(InTurn({Failed(Exit::kUnreachable, "nothing is asked of a server")}));
  const std::filesystem::path directory = coffer.directory / "mirror";
  const auto verify = [&] {
    return coffer(
        {"verify", "--tiles", directory, "--log-key", audit::FormatVerifierKey(log.Key())});
  };
  LogFiles files = FilesOf(log, 5);
  WriteFiles(files, directory);
  CHECK(verify().exit == 0);
  const std::filesystem::path bundle = directory / "tile/entries/000.p/5";
  std::filesystem::remove(bundle);
  REQUIRE(mkfifo(bundle.c_str(), 0600) == 0);
  CHECK(verify().exit == 1);
  std::filesystem::remove(bundle);
  std::filesystem::create_symlink("/dev/zero", bundle);
  CHECK(verify().exit == 1);
  std::filesystem::remove(bundle);
  std::filesystem::create_directory(bundle);
  CHECK(verify().exit == 1);
  std::filesystem::remove(bundle);
  files.at("tile/entries/000.p/5").resize(3'000'000);
  WriteFiles(files, directory);
  const Ran ran = verify();
  CHECK(ran.exit == 4);
  CHECK(Says(ran, "tile/entries/000.p/5: file_too_large"));
}

namespace {

// The tool over TLS against `answer`, which gets the target that is asked for.
Ran VerifyOverTls(
    const PublicLog& log,
    const std::function<void(const std::string&, const testing::TlsServer::Write&)>& answer) {
  const testing::TlsServer server(
      [&](const std::string& head, const testing::TlsServer::Write& write) {
        const auto from = head.find(' ') + 1;
        answer(head.substr(from, head.find(' ', from) - from), write);
      });
  TestConsole test;
  const std::string key = audit::FormatVerifierKey(log.Key());
  const std::string tiles = server.url() + "/log", ca = server.ca_file();
  const char* const argv[] = {"coffer",    "verify", "--tiles",  tiles.c_str(), "--log-key",
                              key.c_str(), "--ca",   ca.c_str(), "--json"};
  const int exit = Run(static_cast<int>(std::size(argv)), argv, test.console);
  return {exit, test.Out(), test.Err()};
}

std::string Head(std::size_t length, const std::string& more = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n" +
         more + "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

}  // namespace

TEST_CASE("over TLS, an honest server's log is whole") {
  const PublicLog log(300);
  const LogFiles files = FilesOf(log, 300);
  const Ran ran = VerifyOverTls(log, [&](const std::string& target, const auto& write) {
    const std::string& content = files.at(target.substr(5));
    write(Head(content.size()) + content);
  });
  CHECK(ResultOf(ran) == Strings{"0"});
}

TEST_CASE("over TLS, bodies that never end or end too soon are not taken") {
  const PublicLog log(300);
  const LogFiles files = FilesOf(log, 300);
  const std::string& bundle = files.at("tile/entries/000");
  const auto instead = [&](const auto& answer) {
    return VerifyOverTls(log, [&](const std::string& target, const auto& write) {
      const std::string& content = files.at(target.substr(5));
      if (target == "/log/tile/entries/000") {
        answer(write);
      } else {
        write(Head(content.size()) + content);
      }
    });
  };
  std::size_t sent = 0;
  const auto pour = [&](const auto& write, const std::string& piece) {
    while (sent < (std::size_t{64} << 20) && write(piece)) sent += piece.size();
  };
  const std::string much(1 << 16, 'x');
  SECTION("a length beyond any bundle") {
    const Ran ran = instead([&](const auto& write) {
      write(Head(std::size_t{1} << 40));
      pour(write, much);
    });
    CHECK(ran.exit == 1);
    CHECK(Says(ran, "too large"));
  }
  SECTION("chunks without end") {
    const Ran ran = instead([&](const auto& write) {
      write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      pour(write, "10000\r\n" + much + "\r\n");
    });
    CHECK(ran.exit == 1);
    CHECK(Says(ran, "too large"));
  }
  SECTION("no length, without end") {
    const Ran ran = instead([&](const auto& write) {
      write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      pour(write, much);
    });
    CHECK(ran.exit == 1);
    CHECK(Says(ran, "too large"));
  }
  SECTION("less than was promised") {
    const Ran ran =
        instead([&](const auto& write) { write(Head(bundle.size()) + bundle.substr(0, 1000)); });
    CHECK(ran.exit == 5);
    CHECK(Says(ran, "broke"));
  }
  SECTION("no length, and half of it") {
    const Ran ran = instead([&](const auto& write) {
      write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bundle.substr(0, 1000));
    });
    CHECK((ran.exit == 4 || ran.exit == 5));
  }
  SECTION("nothing") {
    const Ran ran = instead([&](const auto&) {});
    CHECK(ran.exit == 5);
  }
  CHECK(sent < (std::size_t{64} << 20));
}

TEST_CASE("over TLS, a redirect leads nowhere") {
  const PublicLog log(5);
  bool followed = false;
  const testing::TlsServer elsewhere([&](const std::string&, const auto&) { followed = true; });
  const Ran ran = VerifyOverTls(log, [&](const std::string&, const auto& write) {
    write("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.url() +
          "/log/checkpoint\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  CHECK(ran.exit == 1);
  CHECK(Says(ran, "checkpoint: the server answered with a redirect (302)"));
  CHECK_FALSE(followed);
}

TEST_CASE("an answer that drips is given up after its deadline") {
  const testing::TlsServer server([&](const std::string&, const auto& write) {
    write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 1000 && write("x"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  HttpsOptions options;
  options.server = {"127.0.0.1", static_cast<std::uint16_t>(server.port())};
  options.ca_file = server.ca_file();
  const auto send = MakeHttpsSender(options);
  REQUIRE(send);
  HttpRequest request;
  request.target = "/";
  request.deadline = std::chrono::seconds(1);
  const auto began = std::chrono::steady_clock::now();
  const auto reply = (*send)(request);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().exit == Exit::kUnreachable);
  CHECK(reply.error().message == "the server's answer takes too long");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}

}  // namespace coffer::cli
