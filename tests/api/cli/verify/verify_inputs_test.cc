// What coffer verify says of what it was given: files of another kind or log, a state of before,
// logs that went on, stayed behind or were written anew. Generated over kinds of files and options.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "api/cli/files/input_kind.h"
#include "audit/verify/remembered.h"
#include "crypto/encoding.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/verify/log_files.h"

namespace coffer::cli {
namespace {

using Strings = std::vector<std::string>;

class Inputs : public Tool {
 public:
  Inputs()
      : Tool([](const HttpRequest&) -> Outcome<HttpReply> {
          return Failed(Exit::kUnreachable, "no server here");
        }) {}
  ~Inputs() { CHECK(server.requests().empty()); }

  std::string File(const std::string& name, const std::string& content) const {
    std::ofstream(directory / name, std::ios::binary) << content;
    return directory / name;
  }
  // As text and as JSON; the exit code is the same.
  std::pair<Ran, Ran> Both(Strings arguments) {
    const Ran text = (*this)(arguments);
    arguments.emplace_back("--json");
    const Ran as_json = (*this)(arguments);
    CHECK(text.exit == as_json.exit);
    return {text, as_json};
  }
};

std::string GoldenInput(const std::string& name) {
  return ContentOf(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name);
}

std::string KeyOf(const PublicLog& log) { return audit::FormatVerifierKey(log.Key()); }

std::string StateOf(const PublicLog& log, std::uint64_t size) {
  return audit::FormatRemembered({log.Key(), log.Checkpoint(size)});
}

// Signed notes of other keys, as long as the specification says that they can be.
std::string SixteenLongSignatures() {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    const crypto::Bytes signature(4 + 4995, static_cast<std::uint8_t>(i + 1));
    lines += "\u2014 witness" + std::to_string(i) + ".example/quantum " +
             crypto::Base64Encode(signature) + "\n";
  }
  return lines;
}

struct VerifyOption {
  const char* option;
  InputKind takes;
  Strings more;  // what it needs besides
};

}  // namespace

TEST_CASE("a file of another kind is wrong use under each option, and never damage") {
  const PublicLog log(40);
  Inputs coffer;
  std::map<std::string, std::pair<InputKind, std::string>> files = {
      {"empty", {InputKind::kEmpty, ""}},
      {"blank", {InputKind::kUnknown, "\n\n\n"}},
      {"noise",
       {InputKind::kUnknown, std::string("\x7f"
                                         "ELF\0\1\2",
                                         7)}},
      {"json", {InputKind::kUnknown, "{\"ok\":true}\n"}},
      {"entries", {InputKind::kEntries, log.Ndjson()}},
      {"checkpoint", {InputKind::kCheckpoint, log.Checkpoint(40)}},
      {"cut-checkpoint", {InputKind::kUnknown, log.Checkpoint(40).substr(0, 30)}},
      {"proof", {InputKind::kProof, log.Proof(4, 40)}},
      {"state", {InputKind::kState, StateOf(log, 40)}},
      {"cut-state", {InputKind::kState, StateOf(log, 40).substr(0, 90)}},
      {"act", {InputKind::kAct, GoldenInput("erasure-act-v1.json")}},
      {"report", {InputKind::kRunReport, GoldenInput("run-report-v2.json")}},
      {"drill", {InputKind::kDrillReport, GoldenInput("drill-report-v1.json")}},
      {"ledger", {InputKind::kLedger, GoldenInput("erasure-ledger-v1")}},
      {"evidence", {InputKind::kEvidence, GoldenInput("evidence-v1.zip")}}};
  for (const auto& [name, file] : files) {
    CAPTURE(name);
    coffer.File(name, file.second);
    CHECK(InputKindOf(file.second) == file.first);
  }
  const std::string entries = coffer.directory / "entries";
  const std::string checkpoint = coffer.directory / "checkpoint";
  const std::string proof = coffer.directory / "proof";
  const std::string entry = coffer.File("entry", log.entries[4]);
  const std::vector<VerifyOption> options = {
      {"--entries", InputKind::kEntries, {"--checkpoint", checkpoint}},
      {"--checkpoint", InputKind::kCheckpoint, {"--entries", entries}},
      {"--state", InputKind::kState, {"--entries", entries, "--checkpoint", checkpoint}},
      {"--proof", InputKind::kProof, {"--entry", entry}},
      {"--entry", InputKind::kEntries, {"--proof", proof}},
      {"--evidence", InputKind::kEvidence, {}},
      {"--act", InputKind::kAct, {}},
      {"--run-report", InputKind::kRunReport, {}},
      {"--drill-report", InputKind::kDrillReport, {}},
      {"--ledger", InputKind::kLedger, {}}};
  for (const auto& [option, takes, more] : options) {
    for (const auto& [name, file] : files) {
      if (file.first == takes && name != "cut-state") continue;
      // The ledger of a vault that has erased nothing.
      if (takes == InputKind::kLedger && file.first == InputKind::kEmpty) continue;
      CAPTURE(option, name);
      Strings arguments{"verify", option, coffer.directory / name, "--log-key", KeyOf(log)};
      arguments.insert(arguments.end(), more.begin(), more.end());
      const auto [text, as_json] = coffer.Both(arguments);
      CHECK(text.exit == 2);
      for (const Ran& ran : {text, as_json}) {
        CHECK(ran.out.empty());
        CHECK((Has(ran.err, "nothing was verified") || Has(ran.err, "too large")));
        CHECK_FALSE(Has(ran.err, "DAMAGED"));
      }
      CHECK(ContentOf(coffer.directory / name) == file.second);
    }
  }
}

TEST_CASE("files of another log, or under its key, are wrong use") {
  const PublicLog log(40), same_name(40);
  Inputs coffer;
  // A verifier key of another origin.
  const std::string other = audit::FormatVerifierKey({"other.example/log", log.Key().key});
  const std::string entries = coffer.File("entries", log.Ndjson());
  const std::string checkpoint = coffer.File("checkpoint", log.Checkpoint(40));
  const std::string entry = coffer.File("entry", log.entries[4]);
  const std::string next = coffer.File("next", log.entries[5]);
  const std::string proof = coffer.File("proof", log.Proof(4, 40));
  const std::string state = coffer.File("state", StateOf(log, 40));
  const std::string foreign = coffer.File("foreign", same_name.Checkpoint(40));
  std::string altered_note = log.Checkpoint(40);
  altered_note.replace(altered_note.find("\n40\n"), 4, "\n41\n");
  const std::string altered = coffer.File("altered", altered_note);
  WriteFiles(FilesOf(log, 40), coffer.directory / "mirror");
  const std::string mirror = coffer.directory / "mirror";
  const auto golden = [](const char* name) {
    return std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name;
  };
  for (const Strings& arguments :
       {Strings{"--entries", entries, "--checkpoint", checkpoint, "--log-key", other},
        {"--tiles", mirror, "--log-key", other},
        {"--proof", proof, "--entry", entry, "--log-key", other},
        {"--proof", proof, "--entry", next, "--log-key", KeyOf(log)},
        {"--tiles", mirror, "--state", state, "--log-key", other},
        {"--evidence", golden("evidence-v1.zip"), "--log-key", other},
        {"--act", golden("erasure-act-v1.json"), "--log-key", other},
        {"--run-report", golden("run-report-v2.json"), "--log-key", other},
        {"--drill-report", golden("drill-report-v1.json"), "--log-key", other},
        // By a key of the same name, and altered: nothing is said of the log by it.
        {"--tiles", mirror, "--checkpoint", foreign, "--log-key", KeyOf(log)},
        {"--tiles", mirror, "--checkpoint", altered, "--log-key", KeyOf(log)},
        {"--entries", entries, "--checkpoint", foreign, "--log-key", KeyOf(log)}}) {
    Strings all{"verify"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    CAPTURE(all);
    const auto [text, as_json] = coffer.Both(all);
    CHECK(text.exit == 2);
    CHECK(text.out.empty());
    CHECK(as_json.out.empty());
    CHECK_FALSE(Has(text.err, "DAMAGED"));
  }
  // What is damaged as well stays damage.
  LogFiles broken = FilesOf(log, 40);
  broken.at("tile/entries/000.p/40")[200] ^= 1;
  WriteFiles(broken, mirror);
  const auto [text, as_json] =
      coffer.Both({"verify", "--tiles", mirror, "--checkpoint", foreign, "--log-key", KeyOf(log)});
  CHECK(text.exit == 4);
}

TEST_CASE("a state says what it compared, and the first time that there was nothing") {
  PublicLog log(700);
  Inputs coffer;
  const std::string mirror = coffer.directory / "mirror", state = coffer.directory / "log.state";
  const auto serve = [&](std::uint64_t size) {
    std::filesystem::remove_all(mirror);
    WriteFiles(FilesOf(log, size), mirror);
  };
  const auto verify = [&](const Strings& more = {}) {
    Strings arguments{"verify", "--tiles", mirror, "--log-key", KeyOf(log)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  serve(300);
  const Ran without = coffer(verify());
  CHECK(without.exit == 0);
  CHECK(Has(without.out, "nothing from before"));

  const Ran first = coffer(verify({"--state", state}));
  CHECK(first.exit == 0);
  CHECK(Has(first.out, "did not exist: there was nothing to compare with"));
  CHECK(Has(first.out, "remembers 300 entries"));
  std::filesystem::remove(state);
  const auto first_json = nlohmann::json::parse(coffer(verify({"--state", state, "--json"})).out);
  CHECK(first_json.at("status") == "ok");
  CHECK(first_json.at("state") ==
        nlohmann::json({{"file", state}, {"before", nullptr}, {"now", 300}}));

  serve(600);
  const Ran grown = coffer(verify({"--state", state}));
  CHECK(grown.exit == 0);
  CHECK(Has(grown.out, state + ", 300 entries: contained, unchanged"));
  CHECK(Has(grown.out, "remembered 300 entries, and remembers 600 now"));
  const auto again = nlohmann::json::parse(coffer(verify({"--state", state, "--json"})).out);
  CHECK(again.at("state") == nlohmann::json({{"file", state}, {"before", 600}, {"now", 600}}));
  CHECK(again.at("compared")[0] ==
        nlohmann::json({{"from", state}, {"given", true}, {"size", 600}, {"result", "holds"}}));
  const std::string remembered = ContentOf(state);

  SECTION("a mirror that stayed behind is behind") {
    serve(599);
    const auto [text, as_json] = coffer.Both(verify({"--state", state}));
    CHECK(text.exit == 7);
    CHECK(Has(text.out, "BEHIND: "));
    CHECK_FALSE(Has(text.out, "DAMAGED"));
    CHECK(Has(text.out, "Keep all of these notes"));
    CHECK(Has(text.out, log.Checkpoint(600)));
    CHECK(Has(text.out, log.Checkpoint(599)));
    const auto report = nlohmann::json::parse(as_json.out);
    CHECK(report.at("ok") == false);
    CHECK(report.at("status") == "behind");
    CHECK(report.at("findings")[0].at("checkpoint") == state);
    CHECK(report.at("findings")[0].at("seq") == 599);
    CHECK(report.at("keep").size() == 2);
    // So is an export of an earlier time, and what a file of a checkpoint tells to be missing.
    PublicLog cut(0);
    const std::string entries = coffer.File("entries", [&] {
      std::string ndjson;
      for (std::size_t i = 0; i < 599; ++i) ndjson += log.entries[i] + "\n";
      return ndjson;
    }());
    const std::string own = coffer.File("own", log.Checkpoint(590));
    CHECK(coffer
              .Both({"verify", "--entries", entries, "--checkpoint", own, "--state", state,
                     "--log-key", KeyOf(log)})
              .first.exit == 7);
    // Where nothing of its own holds, nothing says that it is an earlier time and not a cut.
    const std::string newer = coffer.File("newer", log.Checkpoint(600));
    CHECK(
        coffer
            .Both({"verify", "--entries", entries, "--checkpoint", newer, "--log-key", KeyOf(log)})
            .first.exit == 4);
  }
  SECTION("one that was written anew contradicts, with both notes and where they part") {
    const std::string before = log.Checkpoint(600), kept = coffer.File("kept", log.Checkpoint(400));
    log.WriteAnew(450);
    serve(700);
    const auto [text, as_json] = coffer.Both(verify({"--state", state, "--checkpoint", kept}));
    CHECK(text.exit == 4);
    CHECK(Has(text.out, state + ", 600 entries: CONTRADICTS"));
    CHECK(Has(text.out, kept + ", 400 entries: contained"));
    CHECK(Has(text.out, "Keep all of these notes"));
    CHECK(Has(text.out, before));
    CHECK(Has(text.out, log.Checkpoint(700)));
    const auto report = nlohmann::json::parse(as_json.out);
    CHECK(report.at("status") == "damaged");
    CHECK(report.at("parting") == nlohmann::json({{"from", 400}, {"before", 600}}));
    CHECK(report.at("findings")[0].at("checkpoint") == state);
  }
  SECTION("written anew and shorter: what is missing begins where the logs part") {
    const std::string kept = coffer.File("kept", log.Checkpoint(400));
    const std::string later = coffer.File("later", log.Checkpoint(451));
    log.WriteAnew(450);
    serve(590);
    const auto [text, as_json] =
        coffer.Both(verify({"--state", state, "--checkpoint", kept, "--checkpoint", later}));
    CHECK(text.exit == 4);
    const auto report = nlohmann::json::parse(as_json.out);
    CHECK(report.at("parting") == nlohmann::json({{"from", 400}, {"before", 451}}));
    CHECK(report.at("findings").back().at("check") == "truncated");
    CHECK(report.at("findings").back().at("seq") == 400);
    CHECK(Has(text.out, "entries 400 to 599 are missing"));
  }
  CHECK(ContentOf(state) == remembered);
}

TEST_CASE("a successor is followed, and what is lost is told once, by text, JSON and exit code") {
  PublicLog log(700);
  Inputs coffer;
  const std::string mirror = coffer.directory / "mirror", state = coffer.directory / "log.state";
  const std::string old_key = KeyOf(log), before = log.Checkpoint(600);
  const std::string kept = coffer.File("kept", log.Checkpoint(500));
  const std::string longer = coffer.File("longer", log.Checkpoint(650));
  coffer.File("log.state", StateOf(log, 600));
  log.Succeed(550, 620, 590);
  WriteFiles(FilesOf(log, 590), mirror);
  const auto verify = [&](const Strings& more) {
    Strings arguments{"verify", "--tiles", mirror, "--log-key", old_key};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  // The state is of the successor after each: what was there is put back for JSON.
  const std::string remembered = ContentOf(state);
  const Ran text = coffer(verify({"--state", state, "--checkpoint", kept}));
  CHECK(text.exit == 9);
  CHECK(Has(text.out, "SUCCEEDED"));
  CHECK(Has(text.out, "entries 550 to 619 were signed and are lost"));
  CHECK(Has(text.out, before));
  CHECK_FALSE(Has(text.out, "OK: "));
  coffer.File("log.state", remembered);
  const Ran as_json = coffer(verify({"--state", state, "--checkpoint", kept, "--json"}));
  CHECK(as_json.exit == 9);
  const auto report = nlohmann::json::parse(as_json.out);
  CHECK(report.at("status") == "succeeded");
  CHECK(report.at("origin") == "test.example/log~2");
  CHECK(report.at("compared")[0].at("result") == "lost");
  CHECK(report.at("compared")[1].at("result") == "holds");
  CHECK(report.at("successions")[0] == nlohmann::json({{"log", "test.example/log~2"},
                                                       {"closed", "test.example/log"},
                                                       {"from", 550},
                                                       {"closed_size", 620}}));
  CHECK(report.at("state").at("now") == 590);

  const Ran again = coffer(verify({"--state", state}));
  CHECK(again.exit == 0);
  CHECK(Has(again.out, "in the place of test.example/log, which was closed"));
  // More was signed than it says.
  CHECK(coffer.Both(verify({"--checkpoint", longer})).first.exit == 4);
  // The closed log, to who has seen the successor.
  const PublicLog other(30);
  WriteFiles(FilesOf(other, 30), coffer.directory / "closed");
  const std::string newer = coffer.File(
      "newer", audit::FormatRemembered({{"test.example/log~2", other.Key().key},
                                        other.Sign({"test.example/log~2", 40, crypto::Hash{1}})}));
  CHECK(coffer
            .Both({"verify", "--tiles", coffer.directory / "closed", "--state", newer, "--log-key",
                   KeyOf(other)})
            .first.exit == 7);
}

TEST_CASE("of the vault's own server, what is not there is gone and not behind") {
  const PublicLog log(50);
  Tool coffer([&](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.target == "/v1/log/checkpoint") return Reply(200, log.Checkpoint(40));
    std::string body;
    for (std::size_t i = 0; i < 40 && Has(request.target, "cursor=0"); ++i) {
      body += log.entries[i] + "\n";
    }
    return Reply(200, body, {{"coffer-log-size", "40"}});
  });
  const std::string state = coffer.directory / "state";
  std::ofstream(state) << StateOf(log, 45);
  const Ran ran = coffer({"verify", "--log-key", KeyOf(log), "--state", state});
  CHECK(ran.exit == 4);
  CHECK(Has(ran.out, "DAMAGED"));
  CHECK(Has(ran.out, "the server's checkpoint"));
  const std::string other = audit::FormatVerifierKey({"other.example/log", log.Key().key});
  CHECK(coffer({"verify", "--log-key", other}).exit == 2);
}

TEST_CASE("notes with 16 long signatures of others, and proofs with an extra line, are read") {
  const PublicLog log(300);
  Inputs coffer;
  const std::string lines = SixteenLongSignatures();
  const auto with = [&](std::uint64_t size) { return log.Checkpoint(size) + lines; };
  CHECK(with(300).size() > 100'000);
  LogFiles files = FilesOf(log, 300);
  files["checkpoint"] = with(300);
  WriteFiles(files, coffer.directory / "mirror");
  const std::string kept = coffer.File("kept", with(200)), state = coffer.directory / "state";
  const Strings verify{"verify",    "--tiles",      coffer.directory / "mirror",
                       "--log-key", KeyOf(log),     "--state",
                       state,       "--checkpoint", kept};
  CHECK(coffer(verify).exit == 0);
  CHECK(coffer(verify).exit == 0);  // with the state that has them
  CHECK(Has(ContentOf(state), lines));

  std::string proof = log.Proof(42, 300) + lines;
  const std::string start = "c2sp.org/tlog-proof@v1\n";
  proof.insert(start.size(), "extra " + crypto::Base64Encode(crypto::Bytes(3000, 7)) + "\n");
  CHECK(coffer({"verify", "--proof", coffer.File("proof", proof), "--entry",
                coffer.File("entry", log.entries[42]), "--log-key", KeyOf(log)})
            .exit == 0);
}

}  // namespace coffer::cli
