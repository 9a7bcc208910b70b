// Files that can be read only once. Whatever a command does with a file, it does with the same
// bytes out of a pipe: generated over the commands, and over the ways in which a pipe is named.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "api/cli/files/input_file.h"
#include "api/cli/files/sealed_spool.h"
#include "tests/api/cli/files/standard_input.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/verify/log_files.h"

namespace coffer::cli {
namespace {

using Arguments = std::vector<std::string>;

// Bytes that somebody else writes, and that are gone once they are read.
class Pipe {
 public:
  explicit Pipe(std::string content) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reading_ = ends[0];
    writer_ = std::thread([content = std::move(content), end = ends[1]] {
      std::string_view left = content;
      while (!left.empty()) {
        const ssize_t size = write(end, left.data(), left.size());
        if (size <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(size));
      }
      close(end);
    });
  }
  ~Pipe() {
    close(reading_);  // ends a writer that nobody reads from
    writer_.join();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int descriptor() const { return reading_; }
  std::string name() const { return "/dev/fd/" + std::to_string(reading_); }

 private:
  int reading_;
  std::thread writer_;
};

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

Arguments Naming(Arguments arguments, const std::string& file) {
  for (std::string& argument : arguments) argument = Replaced(argument, "FILE", file);
  return arguments;
}

struct OnceCommand {
  std::string what;
  Arguments arguments;  // FILE stands for the file
  std::string content;
  bool takes_dash = true;
};

// What the tool said, did and sent; the file's own name is FILE in it.
struct Seen {
  int exit = 0;
  std::string out, err;
  std::vector<std::string> sent;
  bool operator==(const Seen&) const = default;
};

Outcome<HttpReply> Answer(const HttpRequest& request) {
  if (request.target.starts_with("/v1/classes/")) {
    return Reply(200, R"({"name":"contact","version":1,"definition":{"fields":
        {"last_name":{"type":"string","required":true}}}})");
  }
  if (request.target.starts_with("/v1/import")) {
    std::string body;
    for (std::ptrdiff_t i = std::ranges::count(request.body, '\n'); i > 0; --i) {
      body += "{\"outcome\":\"created\"}\n";
    }
    return Reply(200, body);
  }
  return Reply(200, "{}");
}

std::string WithoutTimes(std::string text) {
  // "in 0.1 s (12,345 a second)" and "seconds": 0.1
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{" in ", " a second)"}, {"\"seconds\": ", "\n"}}) {
    const auto at = text.find(from);
    const auto end = at == text.npos ? at : text.find(to, at);
    if (end != text.npos) text.erase(at, end - at);
  }
  return text;
}

Seen RunOnce(const Arguments& arguments, const std::string& file, const std::string& spoken) {
  Tool tool(Answer);
  const Ran ran = tool(Naming(arguments, file));
  Seen seen{ran.exit,
            Replaced(WithoutTimes(ran.out), spoken, "FILE"),
            Replaced(WithoutTimes(ran.err), spoken, "FILE"),
            {}};
  for (const HttpRequest& request : tool.server.requests()) seen.sent.push_back(Asked(request));
  std::ranges::sort(seen.sent);
  return seen;
}

std::vector<OnceCommand> OnceCommands(const testing::TemporaryDirectory& directory,
                                      const PublicLog& log) {
  const std::string golden = std::string(COFFER_SOURCE_DIR) + "/tests/golden/";
  const std::string key = audit::FormatVerifierKey(log.Key());
  const auto keep = [&](const std::string& name, const std::string& content) {
    std::ofstream(directory / name, std::ios::binary) << content;
    return directory / name;
  };
  const std::string entries = keep("entries", log.Ndjson());
  const std::string checkpoint = keep("checkpoint", log.Checkpoint(40));
  const std::string entry = keep("entry", log.entries[4]);
  const std::string proof = keep("proof", log.Proof(4, 40));
  std::string table = "Id,Last\n";
  for (int i = 0; i < 9'000; ++i) table += "K" + std::to_string(i) + ",Invented\n";
  const Arguments import = {"import", "FILE",  "--class",        "contact",   "--key",
                            "Id",     "--map", "last_name=Last", "--purpose", "client-care"};
  const auto with = [](Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  return {
      {"import", import, "Id,Last\nA-1,Alpha\nA-2,Beta\n"},
      {"large import", import, table},
      {"broken import", import, "Id,Last\nA-1,\"Alpha\n"},
      {"import of no UTF-8", import, "Id,Last\nA-1,\xcf\xe5\xf2\xf0\n"},
      {"import in windows-1251", with(import, {"--encoding", "windows-1251"}),
       "Id,Last\nA-1,\xcf\xe5\xf2\xf0\n"},
      {"import of a workbook", import, "PK\x03\x04xl/workbook.xml"},
      {"entries",
       {"verify", "--entries", "FILE", "--checkpoint", checkpoint, "--log-key", key},
       log.Ndjson()},
      {"damaged entries",
       {"verify", "--entries", "FILE", "--checkpoint", checkpoint, "--log-key", key},
       log.Ndjson().substr(0, 9000)},
      {"checkpoint",
       {"verify", "--entries", entries, "--checkpoint", "FILE", "--log-key", key},
       log.Checkpoint(40)},
      {"proof",
       {"verify", "--proof", "FILE", "--entry", entry, "--log-key", key},
       log.Proof(4, 40)},
      {"entry", {"verify", "--proof", proof, "--entry", "FILE", "--log-key", key}, log.entries[4]},
      {"evidence",
       {"verify", "--evidence", "FILE", "--log-key", key},
       ContentOf(golden + "evidence-v1.zip")},
      {"act",
       {"verify", "--act", "FILE", "--log-key", key},
       ContentOf(golden + "erasure-act-v1.json")},
      {"run report",
       {"verify", "--run-report", "FILE", "--log-key", key},
       ContentOf(golden + "run-report-v2.json")},
      {"drill report",
       {"verify", "--drill-report", "FILE", "--log-key", key},
       ContentOf(golden + "drill-report-v1.json")},
      {"ledger",
       {"verify", "--ledger", "FILE", "--log-key", key},
       ContentOf(golden + "erasure-ledger-v1")},
      {"class", {"class", "put", "FILE"}, R"({"name":"contact","fields":{}})"},
      {"role", {"role", "put", "FILE"}, R"({"name":"clerk"})"},
      {"schedule", {"retention", "schedule", "put", "FILE"}, R"({"policies":[]})"},
      {"token", {"status", "--token-file", "FILE"}, "cft_made-up\n", false},
  };
}

}  // namespace

TEST_CASE("a pipe and standard input are taken as a file of the same bytes is") {
  const testing::TemporaryDirectory directory;
  const PublicLog log(40);
  for (const OnceCommand& command : OnceCommands(directory, log)) {
    CAPTURE(command.what);
    const std::string file = directory / "given";
    std::ofstream(file, std::ios::binary) << command.content;
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0600));
    const Seen expected = RunOnce(command.arguments, file, file);
    INFO(expected.out << expected.err);
    CHECK((!expected.sent.empty() || !expected.out.empty() || expected.exit != 0));
    const auto check = [&](const std::string& name, const std::string& spoken) {
      CAPTURE(name);
      const Seen seen = RunOnce(command.arguments, name, spoken);
      CHECK(seen.exit == expected.exit);
      CHECK(seen.out == expected.out);
      CHECK(seen.err == expected.err);
      CHECK(seen.sent == expected.sent);
    };
    {
      const Pipe pipe(command.content);
      check(pipe.name(), pipe.name());
    }
    {
      const Pipe pipe(command.content);
      const AsStandardInput input(pipe.descriptor());
      check("/dev/stdin", "/dev/stdin");
    }
    if (!command.takes_dash) continue;
    {
      const Pipe pipe(command.content);
      const AsStandardInput input(pipe.descriptor());
      check("-", "standard input");
    }
    const int opened = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const AsStandardInput input(opened);
    close(opened);
    check("-", "standard input");
  }
}

TEST_CASE("a pipe that gives nothing is a failure of every command, and nothing is sent") {
  const testing::TemporaryDirectory directory;
  const PublicLog log(40);
  for (const OnceCommand& command : OnceCommands(directory, log)) {
    CAPTURE(command.what);
    const Pipe pipe("");
    const Seen seen = RunOnce(command.arguments, pipe.name(), pipe.name());
    CAPTURE(seen.out, seen.err);
    CHECK(seen.exit != 0);
    CHECK(seen.out.empty());
    CHECK(seen.err.find("FILE") != std::string::npos);
    CHECK(seen.sent.empty());
  }
}

}  // namespace coffer::cli
