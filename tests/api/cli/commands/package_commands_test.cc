// coffer package: what is asked of the server, and what becomes of its answers.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/documents/zip_archive.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kPackageAnswer =
    R"({"id":"pkg_1","client":"cli_1","for":"client","names_staff":false,"state":"prepared",
        "prepared":"2026-01-01T00:00:00.000Z","prepared_by":"usr_1","entry":7,"expires":"2026-01-31T00:00:00.000Z"})";
const std::string kFirstPart =
    R"({"format":"coffer-access-package-v1","package":"pkg_1","part":1,"made":"2026-01-02T00:00:00.000Z",
        "about":{"client":{"id":"cli_1","external_ref":"=1+2","tags":[],"version":1,"created":"x","updated":"x"},
          "recipient":"client","classes":[{"name":"contact","records":1,"fields":[],"purposes":[]}],
          "purposes":{},"consents":[],"restrictions":[],"requests":[],"packages":[],"left_out":[]},
        "records":[{"record":"rec_1","class":"contact","class_version":1,"version":1,"current":true,"created":"x","written":"x",
          "data":{"last_name":"SENTINEL <b>","note":"=cmd|' /C calc'!A0","record":"@own"}}],
        "left_out":[{"what":"version","class":"inner","reason":"class_not_for_purpose","count":2}],"last":false})"
    "\n";
const std::string kSecondPart =
    R"({"format":"coffer-access-package-v1","package":"pkg_1","part":2,"made":"2026-01-02T00:00:00.000Z",
        "log":[],"last":true})"
    "\n";
const std::string kReceipt = "a receipt";

Outcome<HttpReply> Lost() {
  return std::unexpected(Failure{Exit::kUnreachable, "the connection broke", {}, true, {}});
}

std::vector<audit::NamedFile> FilesIn(const std::string& archive) {
  const auto files = audit::ReadZip(crypto::AsBytes(archive),
                                    {100, 1 << 24, [](std::string_view) { return 1U << 24; }});
  REQUIRE(files);
  return *files;
}
std::string FileIn(const std::vector<audit::NamedFile>& files, std::string_view name) {
  for (const auto& file : files) {
    if (file.name == name) return file.bytes;
  }
  FAIL(name);
  return {};
}

}  // namespace

TEST_CASE("a package is prepared, listed, shown and revoked as it was typed") {
  Tool coffer(InTurn(
      {Reply(201, kPackageAnswer), Reply(200, std::string(R"({"items":[)") + kPackageAnswer + "]}"),
       Reply(200, R"({"items":[]})"), Reply(200, kPackageAnswer), Reply(200, kPackageAnswer)}));
  CHECK(coffer({"package", "prepare", "cli_1", "--request", "req_1", "--for", "representative",
                "--days", "7", "--names-staff", "--reason", "r", "--purpose", "dsr"})
            .exit == 0);
  CHECK(coffer({"package", "list", "--client", "cli_1", "--state", "prepared"})
            .out.contains("pkg_1"));
  CHECK(coffer({"package", "list"}).out == "No package is like that.\n");
  CHECK(coffer({"package", "show", "pkg_1"}).exit == 0);
  CHECK(coffer({"package", "revoke", "pkg_1", "--purpose", "dsr"}).exit == 0);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[0].target == "/v1/clients/cli_1/packages");
  CHECK(json::parse(requests[0].body) ==
        json{{"request", "req_1"}, {"for", "representative"}, {"days", 7}, {"names_staff", true}});
  CHECK(requests[1].target.starts_with("/v1/packages?"));
  CHECK(requests[4].target == "/v1/packages/pkg_1/revoke");
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--days", "91"}, {"--days", "0"}, {"--for", "anybody"}}) {
    std::vector<std::string> arguments = {"package", "prepare", "cli_1", "--purpose", "dsr"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    CHECK(coffer(arguments).exit == 2);
  }
}

TEST_CASE("a hand-out has the parts to the byte, tables without formulas, pages and their hashes") {
  Tool coffer(
      InTurn({Reply(200, kFirstPart), Lost(), Reply(200, kSecondPart), Reply(200, kReceipt)}));
  const std::string file = coffer.directory / "package.zip";
  const Ran ran =
      coffer({"package", "hand-out", "pkg_1", "--purpose", "dsr", "--output", file, "--open",
              "--language", "en", "--language", "ru", "--contact", "Example Ltd"});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(ran.out.contains("NOT encrypted"));
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 4);
  // The lost one was asked for again, in the same hand-out.
  const json first = json::parse(requests[0].body), lost = json::parse(requests[1].body),
             again = json::parse(requests[2].body);
  CHECK(first.at("part") == 1);
  CHECK(lost == again);
  CHECK(again.at("part") == 2);
  CHECK(again.at("key") == first.at("key"));
  CHECK(first.at("key").get<std::string>().size() >= 22);
  CHECK(requests[3].target == "/v1/packages/pkg_1/receipt");
  CHECK((ModeOf(file) & 0777U) == 0600);

  const auto files = FilesIn(ContentOf(file));
  CHECK(FileIn(files, "part-0001.json") == kFirstPart);
  CHECK(FileIn(files, "part-0002.json") == kSecondPart);
  CHECK(FileIn(files, "receipt.zip") == kReceipt);
  const std::string table = FileIn(files, "records-01.csv");
  CHECK(table.contains("\"'=cmd|' /C calc'!A0\""));
  CHECK(table.contains("\"data.record\""));
  CHECK(table.contains("\"'@own\""));
  CHECK(FileIn(files, "client.csv").contains("\"'=1+2\""));
  CHECK(FileIn(files, "left-out.csv").contains("\"class_not_for_purpose\",\"2\""));
  CHECK(FileIn(files, "index.html").contains("SENTINEL &lt;b&gt;"));
  CHECK(FileIn(files, "index.html").contains("Example Ltd"));
  CHECK(FileIn(files, "index.ru.html").contains("<html lang=\"ru\">"));
  const std::string sums = FileIn(files, "SHA256SUMS");
  const json manifest = json::parse(FileIn(files, "MANIFEST.json"));
  CHECK(manifest.at("package") == "pkg_1");
  for (const auto& one : files) {
    CHECK(!one.name.contains("contact"));
    if (one.name == "SHA256SUMS") continue;
    const std::string hash = crypto::HexEncode(crypto::Sha256(crypto::AsBytes(one.bytes)));
    CHECK(sums.contains(hash + "  " + one.name + "\n"));
  }
  CHECK(manifest.at("files").size() == files.size() - 2);
}

TEST_CASE("nothing is handed out that is open, badly protected or has no place") {
  Tool coffer(InTurn({Reply(200, kFirstPart)}));
  const std::string file = coffer.directory / "package.zip";
  const auto hand_out = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"package", "hand-out", "pkg_1", "--purpose", "dsr"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return coffer(arguments);
  };
  const std::string weak = coffer.Secret("weak", "nineteen characters");
  CHECK(hand_out({"--output", file}).exit == 2);
  const Ran short_one = hand_out({"--output", file, "--passphrase-file", weak});
  CHECK(short_one.exit == 2);
  CHECK(!(short_one.err + short_one.out).contains("nineteen characters"));
  CHECK(hand_out({"--output", file, "--recipient", weak}).exit == 2);
  CHECK(hand_out({"--output", file, "--open", "--passphrase-file", weak}).exit == 2);
  CHECK(hand_out({"--output", file, "--open", "--language", "xx"}).exit == 2);
  CHECK(hand_out({"--output", weak, "--open"}).exit == 2);  // it is there already
  CHECK(hand_out({"--open"}).exit == 2);
  CHECK(coffer.server.requests().empty());
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE("a hand-out that breaks off says how it goes on, and leaves no file") {
  const auto again = R"({"code":"package_handed_out"})";
  Tool coffer(InTurn({Reply(200, kFirstPart), Reply(409, again), Reply(409, again),
                      Reply(200, "no part"), Reply(200, kSecondPart), Reply(200, kReceipt)}));
  const std::string file = coffer.directory / "package.zip";
  const auto hand_out = [&](std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"package", "hand-out", "pkg_1", "--purpose",
                                          "dsr",     "--output", file,    "--open"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return coffer(arguments);
  };
  const Ran broken = hand_out();
  CHECK(broken.exit == 1);
  const std::string key = json::parse(coffer.server.requests()[0].body).at("key");
  CHECK(broken.err.contains("--key " + key));
  const Ran used = hand_out({"--key", key});
  CHECK(used.exit == 1);
  CHECK(!used.err.contains("is had again"));  // nothing has begun
  CHECK(json::parse(coffer.server.requests()[2].body).at("key") == key);
  CHECK(hand_out().exit == 1);
  CHECK(hand_out().exit == 1);  // without its first part
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE(
    "under a passphrase nothing of the content is in the archive, and for a certificate no name") {
  const auto answers = [] {
    return std::vector<Outcome<HttpReply>>{Reply(200, kFirstPart), Reply(200, kSecondPart),
                                           Reply(200, kReceipt)};
  };
  {
    Tool coffer(InTurn(answers()));
    const std::string file = coffer.directory / "package.zip";
    const std::string words = "correct horse battery staple again";
    const Ran ran = coffer({"package", "hand-out", "pkg_1", "--purpose", "dsr", "--output", file,
                            "--passphrase-file", coffer.Secret("words", words)});
    REQUIRE(ran.exit == 0);
    CHECK(!(ran.out + ran.err).contains(words));
    const std::string bytes = ContentOf(file);
    CHECK(bytes.starts_with("PK"));
    CHECK(bytes.contains("index.html"));
    CHECK(!bytes.contains("SENTINEL"));
    CHECK(!bytes.contains("a receipt"));
    CHECK(!bytes.contains(words));
    // The extra field of WinZip's AES: vendor version 2, "AE", 256 bits.
    CHECK(
        bytes.contains(std::string("\x01\x99\x07\x00\x02\x00"
                                   "AE\x03",
                                   9)));
  }
  Tool coffer(InTurn(answers()));
  const std::string at = coffer.directory / "";
  const auto run = [](const std::string& command) { return std::system(command.c_str()); };
  REQUIRE(run("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=example -days 2 -keyout " + at +
              "key.pem -out " + at + "cert.pem 2>/dev/null") == 0);
  const Ran ran = coffer({"package", "hand-out", "pkg_1", "--purpose", "dsr", "--output",
                          at + "package.p7m", "--recipient", at + "cert.pem"});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  const std::string bytes = ContentOf(at + "package.p7m");
  CHECK(!bytes.contains("SENTINEL"));
  CHECK(!bytes.contains("index.html"));
  REQUIRE(run("openssl cms -decrypt -binary -inform DER -in " + at + "package.p7m -inkey " + at +
              "key.pem -out " + at + "package.zip") == 0);
  CHECK(FileIn(FilesIn(ContentOf(at + "package.zip")), "part-0001.json") == kFirstPart);
}

}  // namespace coffer::cli
