// VERIFY.txt, run as an outsider runs it: by a shell, with python3 and openssl, without Coffer.
#include <sys/wait.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

#include "audit/tlog/tile.h"
#include "tests/audit/documents/test_act.h"
#include "tests/audit/documents/test_evidence.h"

namespace coffer::audit {
namespace {

namespace fs = std::filesystem;

int Run(const std::string& command) {
  const int status = std::system(command.c_str());  // NOLINT
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Unpacked {
 public:
  explicit Unpacked(const Files& files) {
    std::string name = (fs::temp_directory_path() / "coffer-evidence-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    for (const auto& [file, bytes] : files) {
      fs::create_directories((folder_ / "bundle" / file).parent_path());
      std::ofstream(folder_ / "bundle" / file, std::ios::binary) << bytes;
    }
  }
  ~Unpacked() { fs::remove_all(folder_); }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;

  // Runs the published text, not the bundle's own, as it advises.
  bool Verify(const std::string& key = FormatVerifierKey(LogVerifier())) {
    const std::string script = std::string(COFFER_SOURCE_DIR) + "/audit/messages/VERIFY.txt";
    return Shell("sh '" + script + "' '" + key + "'") && said_.ends_with("VERIFIED\n");
  }
  // What a command that ends in sha256sum prints first.
  std::string Hash(const std::string& command) { return Shell(command) ? said_.substr(0, 64) : ""; }
  // Runs it in the bundle's folder; false unless it ends with 0.
  bool Shell(const std::string& command) {
    const int code = Run("cd '" + (folder_ / "bundle").string() + "' && {\n" + command + "\n} >'" +
                         (folder_ / "said").string() + "' 2>&1");
    std::ifstream file(folder_ / "said");
    said_.assign(std::istreambuf_iterator<char>(file), {});
    return code == 0;
  }
  const std::string& said() const { return said_; }

 private:
  fs::path folder_;
  std::string said_;
};

void NeedPublicTools() {
  if (Run("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1") != 0 ||
      Run("openssl version 2>/dev/null | grep -q '^OpenSSL 3'") != 0) {
    SKIP("python3 or openssl 3 is missing");
  }
}

TEST_CASE("VERIFY.txt accepts honest bundles") {
  NeedPublicTools();
  Evidence range = RangeEvidence(4, 9);
  range.from = At(5);
  range.to = At(9);
  Evidence open_range = RangeEvidence(5, 8);
  open_range.complete = false;
  Evidence empty = ClientEvidence();
  empty.entries.clear();
  for (const Evidence& evidence :
       {ClientEvidence(), ClientEvidence(1), RangeEvidence(0, 19), range, open_range, empty}) {
    Unpacked bundle(Unpack(Pack(evidence)));
    const bool verified = bundle.Verify();
    INFO(bundle.said());
    CHECK(verified);
    if (evidence.kind == EvidenceKind::kRange) {
      CHECK(bundle.said().contains(evidence.complete ? "at the ends is proven too"
                                                     : "at the ends is not"));
    }
  }
}

TEST_CASE("VERIFY.txt is the bundle's own, and says when it was given no key") {
  NeedPublicTools();
  Files files = Unpack(Pack(ClientEvidence(4)));
  std::ifstream published(std::string(COFFER_SOURCE_DIR) + "/audit/messages/VERIFY.txt");
  CHECK(files.at("VERIFY.txt") == std::string(std::istreambuf_iterator<char>(published), {}));
  Unpacked bundle(files);
  CHECK(bundle.Verify(""));
  CHECK(bundle.said().contains("NOTE: no key given"));
  CHECK_FALSE(bundle.Verify(FormatVerifierKey({std::string(kOrigin), OtherKey().public_key()})));
}

TEST_CASE("VERIFY.txt finds its key beside another of the same name") {
  NeedPublicTools();
  Evidence evidence = ClientEvidence(4);
  evidence.keys.insert(evidence.keys.begin(), {std::string(kOrigin), OtherKey().public_key()});
  const std::string text = evidence.checkpoint.substr(0, evidence.checkpoint.find("\n\n") + 1);
  const std::string other = SignText(text, kOrigin, OtherKey());
  evidence.checkpoint.insert(text.size() + 1, other.substr(text.size() + 1));
  Unpacked bundle(Unpack(Pack(evidence)));
  CHECK(bundle.Verify());
  CHECK(bundle.Verify(""));
  INFO(bundle.said());
  CHECK_FALSE(bundle.Verify(FormatVerifierKey(evidence.keys[0])));
  CHECK(bundle.said().contains("MANIFEST.sig is not signed by the key"));
}

TEST_CASE("VERIFY.txt finds every kind of change") {
  NeedPublicTools();
  const Files whole = Unpack(Pack(ClientEvidence(7)));
  const auto finding = [](Files files) {
    Unpacked bundle(files);
    const bool verified = bundle.Verify();
    return verified ? "" : bundle.said();
  };
  for (const char* name : {"MANIFEST.json", "MANIFEST.sig", "checkpoint", "entries.ndjson",
                           "index.html", "proofs/3.tlog-proof", "reasons.ndjson"}) {
    INFO(name);
    Files files = whole;
    files[name][files[name].size() / 2] ^= 0x02;
    CHECK_FALSE(finding(files).empty());
  }
  // As the holder of the signing key could do it.
  Files forged = whole;
  std::string& entries = forged["entries.ndjson"];
  entries[entries.find("T-3") + 2] = '8';
  SignAgain(forged);
  CHECK(finding(forged).contains("entry 3 is not in the log"));

  Files reason = whole;
  std::string& reasons = reason["reasons.ndjson"];
  reasons.replace(reasons.find("phone"), 5, "email");
  SignAgain(reason);
  CHECK(finding(reason).contains("the reason of entry 0"));

  Files subject = whole;
  std::string& manifest = subject["MANIFEST.json"];
  manifest.replace(manifest.find(kClient), 5, "cli_x");
  SignAgain(subject);
  CHECK(finding(subject).contains("entry 0 does not belong here"));

  Files dropped = Unpack(Pack(RangeEvidence(0, 19)));
  std::string& lines = dropped["entries.ndjson"];
  lines.erase(0, lines.find('\n') + 1);
  dropped.erase("proofs/0.tlog-proof");
  std::string& counted = dropped["MANIFEST.json"];
  counted.replace(counted.find("\"entries\":20"), 12, "\"entries\":19");
  SignAgain(dropped);
  CHECK(finding(dropped).contains("its ends are open"));
}

// The fenced blocks of docs/verification-for-outsiders.md: a checkpoint, one proof, a whole export,
// the public files, an act or report, a ledger.
std::vector<std::string> DocumentedCommands() {
  std::ifstream file(std::string(COFFER_SOURCE_DIR) + "/docs/verification-for-outsiders.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  constexpr std::string_view kFence = "```sh\n";
  std::vector<std::string> blocks;
  for (auto at = page.find(kFence); at != page.npos; at = page.find(kFence, at + 1)) {
    const auto start = at + kFence.size();
    blocks.push_back(page.substr(start, page.find("```", start) - start));
  }
  return blocks;
}

TEST_CASE("the documented commands do what the page says") {
  NeedPublicTools();
  const std::vector<std::string> commands = DocumentedCommands();
  REQUIRE(commands.size() == 6);
  const Evidence range = RangeEvidence(0, 19);
  Files files = Unpack(Pack(range));
  files["entry.json"] = range.entries[13].bytes;
  files["entry.proof"] = files["proofs/13.tlog-proof"];
  files["log.ndjson"] = files["entries.ndjson"];
  const auto works = [&](std::size_t block, const Files& with) {
    return Unpacked(with).Shell("KEY='" + FormatVerifierKey(LogVerifier()) + "'\n" +
                                commands[block]);
  };
  for (std::size_t block = 0; block < 3; ++block) CHECK(works(block, files));

  Files wrong = files;
  wrong["checkpoint"][wrong["checkpoint"].find('\n') + 1] = '3';
  CHECK_FALSE(works(0, wrong));
  CHECK_FALSE(works(2, wrong));
  wrong = files;
  wrong["entry.json"].insert(wrong["entry.json"].find("case-worker"), "x");
  CHECK_FALSE(works(1, wrong));
  wrong = files;
  wrong["entry.proof"] = files["proofs/14.tlog-proof"];
  CHECK_FALSE(works(1, wrong));
  wrong = files;
  std::string& log = wrong["log.ndjson"];
  log.erase(log.rfind('\n', log.size() - 2) + 1);
  CHECK_FALSE(works(2, wrong));
  wrong = files;
  wrong["log.ndjson"][wrong["log.ndjson"].find("T-3") + 2] = '4';
  CHECK_FALSE(works(2, wrong));
}

TEST_CASE("the documented commands check a log by its public files") {
  NeedPublicTools();
  const std::vector<std::string> commands = DocumentedCommands();
  REQUIRE(commands.size() == 6);
  TestLog log;
  log.Write(600).Publish();
  Files files{{"checkpoint", log.notes()[0]}};
  for (const auto& [name, n, width] : {std::tuple{"000", 0U, 256U}, std::tuple{"001", 1U, 256U},
                                       std::tuple{"002.p/88", 2U, 88U}}) {
    std::string& bundle = files[std::string("tile/entries/") + name];
    for (std::size_t i = 0; i < width; ++i) {
      REQUIRE(AppendBundleEntry(bundle, *log.stored().rows[n * 256 + i]));
    }
  }
  const auto works = [&](const Files& with) {
    return Unpacked(with).Shell("set -e\nKEY='" + FormatVerifierKey(LogVerifier()) + "'\n" +
                                commands[0] + commands[3] + commands[2]);
  };
  CHECK(works(files));
  for (const auto& [path, content] : files) {
    CAPTURE(path);
    Files wrong = files;
    wrong[path][content.size() / 2] ^= 1;
    CHECK_FALSE(works(wrong));
    wrong = files;
    wrong[path].resize(content.size() - 4);
    CHECK_FALSE(works(wrong));
    wrong = files;
    wrong[path] += std::string(2, '\0');
    if (path != "checkpoint") CHECK_FALSE(works(wrong));
    wrong.erase(path);
    CHECK_FALSE(works(wrong));
  }
}

std::string GoldenText(const std::string& name) {
  std::ifstream file(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("the documented commands check acts, reports and ledgers") {
  NeedPublicTools();
  const std::vector<std::string> commands = DocumentedCommands();
  REQUIRE(commands.size() == 6);
  const std::string key = "KEY='" + FormatVerifierKey(LogVerifier()) + "'\n";
  const std::string whole_act = key + commands[4] + "FILE=act.note\n" + commands[0] + commands[1] +
                                "FILE=proof-checkpoint\n" + commands[0];
  const std::string whole_report =
      key + "FILE=act.json\n" + commands[4] + "FILE=report.note\n" + commands[0];
  const std::string act = GoldenText("erasure-act-v1.json");
  const std::string report = GoldenText("run-report-v2.json");
  const std::string ledger = GoldenText("erasure-ledger-v1");
  const auto works = [](const std::string& commands_run, const Files& files) {
    return Unpacked(files).Shell("set -e\n" + commands_run);
  };
  CHECK(works(whole_act, {{"act.json", act}}));
  CHECK(works(whole_report, {{"act.json", report}}));
  CHECK(works(whole_report, {{"act.json", GoldenText("run-report-v1.json")}}));
  CHECK(works(whole_report, {{"act.json", GoldenText("drill-report-v1.json")}}));
  CHECK(works(key + commands[5], {{"ledger", ledger}}));
  CHECK(works(key + commands[5], {{"ledger", ledger.substr(0, ledger.size() - 9)}}));

  // Once in the part for reading, and in all parts as somebody without the key would.
  const auto changed = [](std::string text, std::string_view from, std::string_view to, bool all) {
    auto at = text.find(from);
    REQUIRE(at != text.npos);
    for (; at != text.npos; at = all ? text.find(from, at + to.size()) : text.npos) {
      text.replace(at, from.size(), to);
    }
    return text;
  };
  for (const bool all : {false, true}) {
    CHECK_FALSE(works(whole_act, {{"act.json", changed(act, "tax law", "no law", all)}}));
    CHECK_FALSE(works(whole_act, {{"act.json", changed(act, kTestErasure,
                                                       "era_06bk4v0c5s3x9t7q2n8h1w6m4k", all)}}));
    CHECK_FALSE(
        works(whole_report, {{"act.json", changed(report, "2026-01-02", "2026-01-01", all)}}));
    CHECK_FALSE(works(key + commands[5], {{"ledger", changed(ledger, "contact", "invoice", all)}}));
  }
  CHECK_FALSE(works(key + commands[5], {{"ledger", ledger.substr(ledger.find('\n') + 1)}}));
  CHECK_FALSE(works("KEY='" + FormatVerifierKey({std::string(kOrigin), OtherKey().public_key()}) +
                        "'\n" + commands[5],
                    {{"ledger", ledger}}));
}

TEST_CASE("the checks by hand give the same hashes") {
  NeedPublicTools();
  const Evidence range = RangeEvidence(0, 19);
  Unpacked bundle(Unpack(Pack(range)));
  const auto second = ParseEntry(range.entries[1].bytes);
  REQUIRE(second);
  CHECK(bundle.Hash("sed -n 1p entries.ndjson | tr -d '\\n' | sha256sum") ==
        crypto::HexEncode(second->prev));
  CHECK(bundle.Hash(
            "{ printf 'coffer-note-v1\\000'; echo " + crypto::HexEncode(TestSalt()) +
            " | tr a-f A-F | basenc --base16 -d; printf %s 'asked by phone'; } | sha256sum") ==
        crypto::HexEncode(NoteCommitment(TestSalt(), "asked by phone")));
}

}  // namespace
}  // namespace coffer::audit
