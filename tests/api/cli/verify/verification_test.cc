#include "api/cli/verify/verification.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/cli/verify/verify_report.h"
#include "tests/api/cli/client/fake_server.h"
#include "tests/api/cli/text/test_console.h"
#include "tests/api/cli/verify/public_log.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

using Strings = std::vector<std::string>;

Strings Findings(const Outcome<VerificationResult>& result) {
  REQUIRE(result);
  Strings findings;
  for (const auto& finding : result->log.findings) {
    findings.push_back(finding.check + (finding.seq ? " " + std::to_string(*finding.seq) : ""));
  }
  return findings;
}

VerificationInput Input(const PublicLog& log, std::vector<std::string> checkpoints) {
  return {log.Key(), std::move(checkpoints), false};
}

// Through a file, as coffer verify --entries does.
Outcome<VerificationResult> VerifyText(const std::string& text, const VerificationInput& input) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "log.ndjson", std::ios::binary) << text;
  TestConsole test;
  COFFER_ASSIGN(auto file, InputFile::Open(directory / "log.ndjson"));
  return VerifyEntries(std::move(file), input, test.console);
}

std::uint64_t QueryNumber(const std::string& target, const std::string& name) {
  const auto at = target.find(name + "=");
  return at == target.npos ? 0 : std::stoull(target.substr(at + name.size() + 1));
}

// A server of `log` whose log grows by one entry with each reading, as a real one does.
FakeServer Serve(const PublicLog& log, std::uint64_t signed_size, std::uint64_t page_limit = 1000) {
  return FakeServer([&log, signed_size, page_limit,
                     size = log.entries.size()](const HttpRequest& request) mutable {
    if (request.target == "/v1/log/checkpoint") {
      return Outcome<HttpReply>(Reply(200, log.Checkpoint(signed_size)));
    }
    if (request.target == "/v1/status") {
      return Outcome<HttpReply>(Reply(
          200, nlohmann::json{{"log", {{"key", audit::FormatVerifierKey(log.Key())}}}}.dump()));
    }
    if (request.target == "/v1/log/verify") {
      return Outcome<HttpReply>(Reply(200, R"({"ok":false,"clients_checked":3,"records_checked":5,
          "findings":[{"check":"state","message":"record rec_1 is gone"}]})"));
    }
    const std::uint64_t start = QueryNumber(request.target, "cursor");
    const std::uint64_t end = std::min<std::uint64_t>(
        log.entries.size(), start + std::min(page_limit, QueryNumber(request.target, "limit")));
    std::string body;
    for (std::uint64_t i = start; i < end; ++i) body += log.entries[i] + "\n";
    Headers headers{{"coffer-log-size", std::to_string(size++)}};
    if (end < log.entries.size()) headers.emplace_back("coffer-next-cursor", std::to_string(end));
    return Outcome<HttpReply>(Reply(200, body, headers));
  });
}

}  // namespace

TEST_CASE("exported entries with their checkpoint are whole") {
  const PublicLog log(700);
  const auto result =
      VerifyText(log.Ndjson(), Input(log, {log.Checkpoint(650), log.Checkpoint(3)}));
  CHECK(Findings(result).empty());
  CHECK(result->log.size == 700);
  CHECK(result->log.denied == 70);
  CHECK(result->log.newest_checkpoint->size == 650);
}

TEST_CASE("a last line without its line feed is an entry as well") {
  const PublicLog log(3);
  std::string text = log.Ndjson();
  text.pop_back();
  CHECK(Findings(VerifyText(text, Input(log, {log.Checkpoint(3)}))).empty());
}

TEST_CASE("every way to tamper with exported entries is found") {
  const PublicLog whole(40);
  const VerificationInput input = Input(whole, {whole.Checkpoint(40)});
  PublicLog log = PublicLog(0);
  log.entries = whole.entries;

  SECTION("an altered entry") {
    std::string& entry = log.entries[7];
    entry.replace(entry.find("svc_1"), 5, "svc_2");
    CHECK(Findings(VerifyText(log.Ndjson(), input)) == Strings{"chain 7", "checkpoint"});
  }
  SECTION("a removed entry") {
    log.entries.erase(log.entries.begin() + 7);
    CHECK(Findings(VerifyText(log.Ndjson(), input)).front() == "sequence 7");
  }
  SECTION("a cut end") {
    log.entries.resize(30);
    CHECK(Findings(VerifyText(log.Ndjson(), input)) == Strings{"truncated 30"});
  }
  SECTION("two entries exchanged") {
    std::swap(log.entries[3], log.entries[4]);
    CHECK_FALSE(Findings(VerifyText(log.Ndjson(), input)).empty());
  }
  SECTION("a line that is no entry, and one that is endless") {
    log.entries[5] = "nonsense";
    log.entries[6] = std::string(3'000'000, 'x');
    const Strings findings = Findings(VerifyText(log.Ndjson(), input));
    CHECK(std::ranges::find(findings, "canonical 5") != findings.end());
    CHECK(std::ranges::find(findings, "canonical 6") != findings.end());
  }
  SECTION("nothing at all") { CHECK(Findings(VerifyText("", input)) == Strings{"truncated 0"}); }
}

TEST_CASE("a log rewritten and signed with another key is found") {
  const PublicLog original(10), rewritten(10);
  CHECK(Findings(VerifyText(rewritten.Ndjson(), Input(original, {rewritten.Checkpoint(10)}))) ==
        Strings{"checkpoint"});
}

TEST_CASE("a server's log is fetched in pages and found whole while it grows") {
  const PublicLog log(2500);
  for (const std::uint64_t page_limit : {1000U, 333U}) {
    const FakeServer server = Serve(log, 2400, page_limit);
    ApiClient client = server.Client();
    TestConsole test;
    const auto result = VerifyServer(client, Input(log, {log.Checkpoint(100)}), test.console);
    CHECK(Findings(result).empty());
    CHECK(result->log.size == 2500);
    CHECK(result->log.newest_checkpoint->size == 2400);
    CHECK(result->key_is_pinned);
  }
}

TEST_CASE("a server that leaves entries out is found out") {
  const PublicLog whole(50);
  PublicLog log = PublicLog(0);
  log.entries = whole.entries;
  const FakeServer server([&](const HttpRequest& request) {
    if (request.target == "/v1/log/checkpoint") {
      return Outcome<HttpReply>(Reply(200, whole.Checkpoint(50)));
    }
    std::string body;  // entries 0 to 9 whatever is asked for, and no more
    for (int i = 0; i < 10; ++i) body += log.entries[static_cast<std::size_t>(i)] + "\n";
    return Outcome<HttpReply>(Reply(200, body, {{"coffer-log-size", "50"}}));
  });
  ApiClient client = server.Client();
  TestConsole test;
  CHECK_FALSE(Findings(VerifyServer(client, Input(whole, {}), test.console)).empty());
}

TEST_CASE("a server whose pages do not move on does not hold the verification up") {
  const PublicLog log(50);
  const FakeServer server([&](const HttpRequest& request) {
    if (request.target == "/v1/log/checkpoint") {
      return Outcome<HttpReply>(Reply(200, log.Checkpoint(50)));
    }
    return Outcome<HttpReply>(
        Reply(200, "", {{"coffer-log-size", "50"}, {"coffer-next-cursor", "0"}}));
  });
  ApiClient client = server.Client();
  TestConsole test;
  const Strings findings = Findings(VerifyServer(client, Input(log, {}), test.console));
  CHECK(std::ranges::find(findings, "sequence 0") != findings.end());
}

TEST_CASE("without a key the server's own is used, and said to prove less") {
  const PublicLog log(5);
  const FakeServer server = Serve(log, 5);
  ApiClient client = server.Client();
  TestConsole test;
  const auto result = VerifyServer(client, {}, test.console);
  REQUIRE(result);
  CHECK_FALSE(result->key_is_pinned);
  CHECK(PrintVerification(*result, false, test.console) == Exit::kOk);
  CHECK(test.Out().find("proves less") != std::string::npos);
  CHECK(test.Out().find("OK: the log is whole") != std::string::npos);
}

TEST_CASE("what the server finds in its stored state counts as damage") {
  const PublicLog log(5);
  const FakeServer server = Serve(log, 5);
  ApiClient client = server.Client();
  TestConsole test;
  VerificationInput input = Input(log, {});
  input.deep = true;
  const auto result = VerifyServer(client, input, test.console);
  CHECK(Findings(result) == Strings{"state"});
  CHECK(result->deep->records == 5);
  CHECK(PrintVerification(*result, true, test.console) == Exit::kDamaged);
  const auto report = nlohmann::json::parse(test.Out());
  CHECK(report["ok"] == false);
  CHECK(report["key_pinned"] == true);
  CHECK(report["records_checked"] == 5);
  CHECK(report["findings"][0]["message"] == "the server says: record rec_1 is gone");
}

TEST_CASE("a connection that breaks is no damage") {
  const PublicLog log(5);
  const FakeServer server([&](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.target == "/v1/log/checkpoint") return Reply(200, log.Checkpoint(5));
    return Failed(Exit::kUnreachable, "broke");
  });
  ApiClient client = server.Client();
  TestConsole test;
  const auto result = VerifyServer(client, Input(log, {}), test.console);
  REQUIRE_FALSE(result);
  CHECK(result.error().exit == Exit::kUnreachable);
}

TEST_CASE("one entry is verified by its proof, with or without a line feed") {
  const PublicLog log(100);
  const std::string proof = log.Proof(42, 90);
  CHECK(VerifyOneEntry(proof, log.entries[42], log.Key())->size == 90);
  CHECK(VerifyOneEntry(proof, log.entries[42] + "\n", log.Key()));
  for (const auto& [other_proof, entry] :
       std::vector<std::pair<std::string, std::string>>{{proof, log.entries[41]},
                                                        {proof, log.entries[42] + "\n\n"},
                                                        {"index 42\n", log.entries[42]},
                                                        {log.Proof(41, 90), log.entries[42]}}) {
    const auto verified = VerifyOneEntry(other_proof, entry, log.Key());
    REQUIRE_FALSE(verified);
    CHECK(verified.error().exit == (entry.ends_with('\n') ? Exit::kDamaged : Exit::kUsage));
  }
  std::string altered = log.entries[42];
  altered.replace(altered.find("svc_1"), 5, "svc_9");
  CHECK(VerifyOneEntry(proof, altered, log.Key()).error().exit == Exit::kDamaged);
  CHECK_FALSE(VerifyOneEntry(proof, log.entries[42], PublicLog(0).Key()));
}

TEST_CASE("what is no verifier key is wrong use") {
  const PublicLog log(0);
  CHECK(ParseLogKey(audit::FormatVerifierKey(log.Key())));
  for (const char* text : {"", "key", "name+00000000+AAAA"}) {
    CHECK(ParseLogKey(text).error().exit == Exit::kUsage);
  }
}

}  // namespace coffer::cli
