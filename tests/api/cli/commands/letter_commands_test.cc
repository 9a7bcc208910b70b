// coffer letter: what is asked for, what is written, and that nothing is where it could not be.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/api/cli/run_tool.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kOpenRequest =
    R"json({"id":"req_1","client":"cli_1","kind":"erasure","regime":"gdpr","state":"accepted",
        "said":"shown","standing":"on_time","received":"2026-01-01T23:00:00.000Z",
        "received_day":"2026-01-02","last_day":"2026-02-02","holds":["hld_1"],"steps":[]})json";
constexpr const char* kRefusedRequest =
    R"json({"id":"req_1","client":"cli_1","kind":"erasure","regime":"gdpr","state":"refused",
        "said":"shown","standing":"in_time","received":"2026-01-01T23:00:00.000Z",
        "received_day":"2026-01-02","last_day":"2026-02-02",
        "steps":[{"step":"refuse","article":"17(3)(e)","letter":"x"}]})json";
constexpr const char* kRegimeText =
    R"({"name":"gdpr","definition":{"title":"General","source":"Regulation (EU) 2016/679"}})";
constexpr const char* kHoldText = R"({"id":"hld_1","review_due":"2027-03-04T12:00:00.000Z"})";

std::string TextIn(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Writing(const std::string& letter, const std::string& out) {
  return {"letter", "write",
          "req_1",  letter,
          "--set",  "organisation=Example Ltd",
          "--set",  "contact=privacy@example",
          "--set",  "signatory=Officer",
          "--set",  "complaint=the authority",
          "--out",  out};
}

}  // namespace

TEST_CASE("a letter is written for its owner only, and named by its hash") {
  const testing::TemporaryDirectory dir;
  for (const std::string format : {"text", "html"}) {
    Tool coffer(InTurn({Reply(200, kOpenRequest), Reply(200, kRegimeText), Reply(200, kHoldText)}));
    const std::string out = dir.path() + "/hold." + format;
    auto typed = Writing("hold", out);
    typed.insert(typed.end(), {"--set", "addressee=A & B\nStreet 1", "--language", "de", "--format",
                               format, "--json"});
    const Ran ran = coffer(typed);
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    const auto& requests = coffer.server.requests();
    REQUIRE(requests.size() == 3);
    CHECK(requests[0].target == "/v1/requests/req_1");
    CHECK(requests[1].target == "/v1/regimes/gdpr");
    CHECK(requests[2].target == "/v1/holds/hld_1");
    const std::string text = TextIn(out);
    CHECK(text.find("2027-03-04") != std::string::npos);
    CHECK(text.find(format == "html" ? "A &amp; B" : "A & B") != std::string::npos);
    CHECK((fs::status(out).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));
    const std::string sha256 = crypto::HexEncode(crypto::Sha256(crypto::AsBytes(text)));
    CHECK(json::parse(ran.out).at("reference") == "hold.de sha256:" + sha256);
  }
}

TEST_CASE("a letter that lacks something, or would state what is not so, is no file") {
  const testing::TemporaryDirectory dir;
  const std::string out = dir.path() + "/letter";
  const auto replies = [] {
    return InTurn({Reply(200, kRefusedRequest), Reply(200, kRegimeText)});
  };
  for (const std::string letter : {"refusal", "answer", "extension"}) {
    Tool coffer(replies());
    auto typed = Writing(letter, out);
    if (letter != "refusal") typed.insert(typed.end(), {"--set", "addressee=A"});
    const Ran ran = coffer(typed);
    INFO(letter);
    CHECK(ran.exit == 1);
    CHECK_FALSE(fs::exists(out));
    CHECK(ran.err.find(letter == "refusal" ? "addressee" : "take the step first") !=
          std::string::npos);
    CHECK(coffer.server.requests().size() == 2);  // no letter that names no hold asks for one
  }
  for (const char* wrong :
       {"nothing", "=x", "holds=x", "has_article=x", "Big=x", "article=1", "contact="}) {
    Tool coffer(replies());
    auto typed = Writing("refusal", out);
    typed.insert(typed.end(), {"--set", "addressee=A", "--set", wrong});
    INFO(wrong);
    CHECK(coffer(typed).exit == 2);
    CHECK_FALSE(fs::exists(out));
  }
  std::ofstream(out) << "mine";
  Tool coffer(replies());
  auto typed = Writing("refusal", out);
  typed.insert(typed.end(), {"--set", "addressee=A"});
  CHECK(coffer(typed).exit == 2);
  CHECK(TextIn(out) == "mine");
  CHECK(coffer.server.requests().empty());
}

TEST_CASE("templates are exported, checked and used as they were edited") {
  const testing::TemporaryDirectory dir;
  const std::string ours = dir.path() + "/ours";
  Tool coffer(InTurn({Reply(200, kRefusedRequest), Reply(200, kRegimeText)}));
  REQUIRE(coffer({"letter", "export", ours}).exit == 0);
  CHECK(coffer({"letter", "export", ours}).exit != 0);
  CHECK(coffer({"letter", "check", ours}).exit == 0);
  std::ofstream(ours + "/refusal.en.txt")
      << "\xef\xbb\xbfNo, {{addressee}}: {{article}}. {{motto}}\r\n";
  const Ran faulty = coffer({"letter", "check", ours, "--json"});
  CHECK(faulty.exit == 1);
  REQUIRE(json::parse(faulty.out).at("faults").size() == 1);
  CHECK(json::parse(faulty.out).at("faults")[0].at("file") == "refusal.en.txt");
  CHECK(coffer({"letter", "check", ours, "--set", "motto=Ours"}).exit == 0);
  const std::string out = dir.path() + "/letter";
  REQUIRE(coffer({"letter", "write", "req_1", "refusal", "--templates", ours, "--set",
                  "addressee=A", "--set", "motto=Ours", "--out", out})
              .exit == 0);
  CHECK(TextIn(out) == "No, A: 17(3)(e). Ours\n");
  // Nothing to be checked is not checked.
  fs::create_directory(dir.path() + "/empty");
  CHECK(coffer({"letter", "check", dir.path() + "/empty"}).exit == 1);
  CHECK(coffer({"letter", "check", dir.path() + "/none"}).exit == 2);
  std::ofstream(ours + "/refusal.xx.txt") << "x";
  CHECK(coffer({"letter", "check", ours, "--set", "motto=Ours"}).exit == 1);
  CHECK(coffer({"letter", "show", "refusal", "--language", "fr"}).exit == 2);
  CHECK(coffer({"letter", "show", "none"}).exit == 2);
}

}  // namespace coffer::cli
