// coffer verify of acts, reports and ledgers, run as it is typed.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/client/fake_server.h"
#include "tests/api/cli/run_tool.h"
#include "tests/audit/documents/test_ledger.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::cli {
namespace {

// Nothing here asks a server.
class Offline : public Tool {
 public:
  Offline()
      : Tool([](const HttpRequest&) -> Outcome<HttpReply> {
          return Failed(Exit::kUnreachable, "no server here");
        }) {}
  ~Offline() { CHECK(server.requests().empty()); }

  std::string File(const std::string& name, const std::string& content) const {
    std::ofstream(directory / name, std::ios::binary) << content;
    return directory / name;
  }
};

std::string Golden(const std::string& name) {
  return ContentOf(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name);
}

std::string GoldenPath(const std::string& name) {
  return std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name;
}

std::string Key() { return audit::FormatVerifierKey(audit::LogVerifier()); }
std::string OtherKeyText() {
  return audit::FormatVerifierKey({std::string(audit::kOrigin), audit::OtherKey().public_key()});
}

struct DocumentKind {
  const char* option;
  const char* golden;
};
constexpr DocumentKind kKinds[] = {
    {"--act", "erasure-act-v1.json"},       {"--run-report", "run-report-v1.json"},
    {"--run-report", "run-report-v2.json"}, {"--drill-report", "drill-report-v1.json"},
    {"--ledger", "erasure-ledger-v1"},      {"--ledger", "erasure-ledger-v1-parts"}};

TEST_CASE("acts, reports and ledgers are verified from files and a key alone") {
  Offline coffer;
  for (const auto& [option, golden] : kKinds) {
    const Ran ran = coffer({"verify", option, GoldenPath(golden), "--log-key", Key()});
    CAPTURE(option, ran.out, ran.err);
    CHECK(ran.exit == 0);
    CHECK(ran.out.find("OK: ") != std::string::npos);
    const Ran as_json =
        coffer({"verify", option, GoldenPath(golden), "--log-key", Key(), "--json"});
    CHECK(as_json.exit == 0);
    CHECK(nlohmann::json::parse(as_json.out)["ok"] == true);
    // The key that signed may be any of those that are given, or of the environment.
    CHECK(coffer({"verify", option, GoldenPath(golden), "--log-key", OtherKeyText(), "--log-key",
                  Key()})
              .exit == 0);
    setenv("COFFER_LOG_KEY", Key().c_str(), 1);
    CHECK(coffer({"verify", option, GoldenPath(golden)}).exit == 0);
    unsetenv("COFFER_LOG_KEY");
  }
}

TEST_CASE("what was changed or signed by another key ends with 4, and says why") {
  Offline coffer;
  for (const auto& [option, golden] : kKinds) {
    std::string changed = Golden(golden);
    const auto at = changed.find("2026-01-02");
    REQUIRE(at != std::string::npos);
    changed[at + 3] = '7';
    const std::string path = coffer.File("changed", changed);
    const Ran ran = coffer({"verify", option, path, "--log-key", Key()});
    CAPTURE(option, ran.out);
    CHECK(ran.exit == 4);
    CHECK(ran.out.find("DAMAGED: ") != std::string::npos);
    const Ran as_json = coffer({"verify", option, path, "--log-key", Key(), "--json"});
    CHECK(as_json.exit == 4);
    const auto report = nlohmann::json::parse(as_json.out);
    CHECK(report["ok"] == false);
    CHECK(report["findings"].size() == 1);
    CHECK(coffer({"verify", option, GoldenPath(golden), "--log-key", OtherKeyText()}).exit == 4);
    CHECK(coffer({"verify", option, coffer.File("empty", ""), "--log-key", Key()}).exit ==
          (std::string(option) == "--ledger" ? 0 : 2));
  }
}

TEST_CASE("an act is told in full") {
  Offline coffer;
  const Ran ran =
      coffer({"verify", "--act", GoldenPath("erasure-act-v1.json"), "--log-key", Key()});
  for (const char* part :
       {"era_06bk4v0c5s3x9t7q2n8h1w6m4e", "ОБР-2026/17", "contact (1 records, 3 versions)",
        "Cryptographic Erase (NIST SP 800-88 Rev. 1)", "policy contact-3-years version 4",
        "tax law: 10 years", "for 7 days", "11 (retention.erase)"}) {
    INFO(part);
    CHECK(ran.out.find(part) != std::string::npos);
  }
  const Ran as_json =
      coffer({"verify", "--act", GoldenPath("erasure-act-v1.json"), "--log-key", Key(), "--json"});
  const auto report = nlohmann::json::parse(as_json.out);
  CHECK(report["seq"] == 11);
  CHECK(report["checkpoint_size"] == 15);
  CHECK(report["signed_by"] == Key());
  CHECK(report["missing"].empty());
}

TEST_CASE("a run's report is told with how the run ended, and an older one without") {
  Offline coffer;
  const auto told = [&](const char* golden, bool as_json) {
    std::vector<std::string> words = {"verify", "--run-report", GoldenPath(golden), "--log-key",
                                      Key()};
    if (as_json) words.push_back("--json");
    return coffer(words).out;
  };
  const std::string text = told("run-report-v2.json", false);
  for (const char* part : {"failed: schedule_changed (version 13)", "WAITING", "NOT REACHED",
                           "CALENDAR ENDED", " 11 ", " 4"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find("nothing was due") == std::string::npos);
  const auto report = nlohmann::json::parse(told("run-report-v2.json", true));
  CHECK(report["outcome"] == "failed");
  CHECK(report["reason"] == "schedule_changed");
  CHECK(report["counted"] == true);
  CHECK(report["nothing_was_due"] == false);
  CHECK(report["classes"][0]["unreached"] == 11);
  CHECK(told("run-report-v1.json", false).find("older form") != std::string::npos);
  CHECK_FALSE(nlohmann::json::parse(told("run-report-v1.json", true)).contains("outcome"));
}

TEST_CASE("a hostile document cannot steer the terminal") {
  Offline coffer;
  for (const auto& [option, golden] : kKinds) {
    for (const std::string& hostile :
         {std::string("\x1b[2J\u202E\n"), Golden(golden) + "\x1b]0;x\x07\n"}) {
      const Ran ran =
          coffer({"verify", option, coffer.File("hostile", hostile), "--log-key", Key()});
      CHECK(ran.exit == (hostile.starts_with('{') ? 4 : 2));
      CHECK(ran.err.find('\x1b') == std::string::npos);
      CHECK(ran.out.find('\x1b') == std::string::npos);
      CHECK(ran.out.find("\u202E") == std::string::npos);
    }
  }
}

TEST_CASE(
    "a ledger's unfinished line is told and is no damage, a broken one in front of others is") {
  Offline coffer;
  const std::string whole = Golden("erasure-ledger-v1");
  const std::string torn = coffer.File("torn", whole.substr(0, whole.size() - 20));
  const Ran ran = coffer({"verify", "--ledger", torn, "--log-key", Key()});
  CHECK(ran.exit == 0);
  CHECK(ran.out.find("was not finished") != std::string::npos);
  const Ran as_json = coffer({"verify", "--ledger", torn, "--log-key", Key(), "--json"});
  const auto report = nlohmann::json::parse(as_json.out);
  CHECK(report["lines"] == 2);
  CHECK(report["erasures"] == 2);
  CHECK(report["torn_bytes"].get<int>() > 100);
  const std::string cut = coffer.File("cut", whole.substr(whole.find('\n') + 1));
  const Ran damaged = coffer({"verify", "--ledger", cut, "--log-key", Key()});
  CHECK(damaged.exit == 4);
  CHECK(damaged.out.find("line 1: ") != std::string::npos);
}

TEST_CASE("a ledger that lacks lines of an erasure is incomplete, and says which") {
  Offline coffer;
  const std::string whole = Golden("erasure-ledger-v1-parts");
  const std::string path =
      coffer.File("cut", whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1));
  const Ran ran = coffer({"verify", "--ledger", path, "--log-key", Key()});
  CHECK(ran.exit == 4);
  CHECK(ran.out.find("INCOMPLETE: ") != std::string::npos);
  CHECK(ran.out.find("lacks part 2 of 2") != std::string::npos);
  const Ran as_json = coffer({"verify", "--ledger", path, "--log-key", Key(), "--json"});
  CHECK(as_json.exit == 4);
  const auto report = nlohmann::json::parse(as_json.out);
  CHECK(report["ok"] == false);
  CHECK(report["incomplete"] == true);
  CHECK(report["erasures"] == 2);
  CHECK(report["findings"][0]["check"] == "incomplete");
  CHECK(report["signed_by"] == Key());
}

TEST_CASE("a ledger of older lines that may have been cut says so, and is no damage") {
  Offline coffer;
  auto erasure = audit::RecordsErasure(200);
  audit::LedgerLine line{{}, erasure};
  const std::string path =
      coffer.File("old", *audit::WriteLedgerLine(line, audit::kOrigin, audit::LogKey()));
  const Ran ran = coffer({"verify", "--ledger", path, "--log-key", Key()});
  CHECK(ran.exit == 0);
  CHECK(ran.out.find("may be missing") != std::string::npos);
  const Ran as_json = coffer({"verify", "--ledger", path, "--log-key", Key(), "--json"});
  CHECK(as_json.exit == 0);
  CHECK(nlohmann::json::parse(as_json.out)["uncertain"][0] == erasure.erasure);
}

TEST_CASE(
    "a ledger that begins with another act than an erasure is one, and its acts are counted") {
  Offline coffer;
  audit::LedgerLine line{{}, {}};
  line.act = audit::LedgerAct{std::string(audit::kTestVault),
                              audit::NumberedId("act_", 1),
                              {},
                              audit::ActKind::kTokenEnded,
                              audit::NumberedId("tok_", 1),
                              {1, 2, 3},
                              7,
                              {1'767'323'045'000}};
  const std::string path =
      coffer.File("acts", *audit::WriteLedgerLine(line, audit::kOrigin, audit::LogKey()));
  const Ran ran = coffer({"verify", "--ledger", path, "--log-key", Key(), "--json"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(nlohmann::json::parse(ran.out)["acts"] == 1);
  CHECK(coffer({"verify", "--act", path, "--log-key", Key()}).exit == 2);
}

TEST_CASE("of a ledger today's key is enough, and an earlier one's end is not") {
  Offline coffer;
  audit::LedgerHead head;
  std::string text =
      *audit::WriteLedgerLines(audit::ErasureNo(0), head, audit::kOrigin, audit::OtherKey());
  text += *audit::WriteLedgerLines(audit::ErasureNo(1), head, audit::kOrigin, audit::LogKey());
  const std::string path = coffer.File("two", text);
  const Ran ran = coffer({"verify", "--ledger", path, "--log-key", Key()});
  CHECK(ran.exit == 0);
  CHECK(ran.out.find(Key()) != std::string::npos);
  text += *audit::WriteLedgerLines(audit::ErasureNo(2), head, audit::kOrigin, audit::OtherKey());
  const std::string forged = coffer.File("forged", text);
  CHECK(coffer({"verify", "--ledger", forged, "--log-key", Key()}).exit == 4);
  // Also for who trusts both.
  CHECK(coffer({"verify", "--ledger", forged, "--log-key", Key(), "--log-key", OtherKeyText()})
            .exit == 4);
}

TEST_CASE("documents are verified with a key and one at a time") {
  Offline coffer;
  const std::string act = GoldenPath("erasure-act-v1.json");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"verify", "--act", act},
           {"verify", "--act", act, "--ledger", act, "--log-key", Key()},
           {"verify", "--act", act, "--evidence", act, "--log-key", Key()},
           {"verify", "--act", act, "--log-key", Key(), "--log-key", "nonsense"},
           {"verify", "--act", act, "--log-key", Key(), "--state", "s"},
           {"verify", "--act", act, "--log-key", Key(), "--deep"},
           {"verify", "--act", act + ".missing", "--log-key", Key()},
           {"verify", "--ledger", act + ".missing", "--log-key", Key()},
           {"verify", "--ledger", coffer.directory / "", "--log-key", Key()},
           {"verify", "--evidence", act, "--log-key", Key(), "--log-key", Key()}}) {
    const Ran ran = coffer(arguments);
    CAPTURE(arguments, ran.err);
    CHECK(ran.exit == 2);
    CHECK_FALSE(ran.err.empty());
  }
}

}  // namespace
}  // namespace coffer::cli
