// coffer verify --state over exchanges of the log's key, whichever of its keys is given each time.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "audit/verify/remembered.h"
#include "tests/api/cli/run_tool.h"
#include "tests/audit/entries/key_entries.h"
#include "tests/audit/entries/test_log.h"

namespace coffer::cli {
namespace {

using audit::KeyA;
using audit::KeyB;
using audit::KeyC;
using Strings = std::vector<std::string>;

// What there was to verify at one moment.
struct LogThen {
  std::string entries, note;
};

class Verifier : public Tool {
 public:
  Verifier() : Tool([](const HttpRequest&) { return Reply(200, "{}"); }) {}

  int Verify(const LogThen& then, const std::optional<audit::VerifierKey>& key,
             const std::string& state) {
    Write("entries", then.entries);
    Write("note", then.note);
    Strings arguments{"verify",       "--entries",        directory / "entries",
                      "--checkpoint", directory / "note", "--state",
                      state};
    if (key) arguments.insert(arguments.end(), {"--log-key", audit::FormatVerifierKey(*key)});
    last = (*this)(arguments);
    return last.exit;
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(directory / name, std::ios::binary) << content;
  }
  Ran last;
};

LogThen Now(audit::TestLog& log, const std::vector<const crypto::SigningKey*>& signers) {
  LogThen then;
  for (const auto& row : log.stored().rows) {
    then.entries += *row + "\n";
  }
  for (const auto* signer : signers) {
    const std::string note = audit::SignCheckpoint(log.Head(), *signer);
    then.note += then.note.empty() ? note : note.substr(note.find("\n\n") + 2);
  }
  return then;
}

// A, then A and B, then B alone, then B and C, then C alone, which signs twice.
std::vector<LogThen> ExchangedTwice() {
  audit::TestLog log;
  std::vector<LogThen> moments;
  log.Say(audit::kLogCreated, audit::Detail(KeyA())).Write(3);
  moments.push_back(Now(log, {&audit::SignerA()}));
  log.Say(audit::kKeyAnnounced, audit::Detail(KeyB())).Write(3);
  moments.push_back(Now(log, {&audit::SignerA(), &audit::SignerB()}));
  log.Say(audit::kKeyRetired, audit::Detail(KeyA())).Write(3);
  moments.push_back(Now(log, {&audit::SignerB()}));
  log.Say(audit::kKeyAnnounced, audit::Detail(KeyC())).Write(3);
  moments.push_back(Now(log, {&audit::SignerB(), &audit::SignerC()}));
  log.Say(audit::kKeyRetired, audit::Detail(KeyB())).Write(3);
  moments.push_back(Now(log, {&audit::SignerC()}));
  log.Write(3);
  moments.push_back(Now(log, {&audit::SignerC()}));
  return moments;
}

}  // namespace

TEST_CASE("a state that saw each overlap serves every key of the log, in whatever order") {
  const auto moments = ExchangedTwice();
  Verifier coffer;
  // With A each time, with what the state remembers, or with each time another key.
  const std::vector<std::vector<std::optional<audit::VerifierKey>>> ways = {
      {KeyA(), KeyA(), KeyA(), KeyA(), KeyA(), KeyA()},
      {KeyA(), {}, {}, {}, {}, KeyA()},
      {KeyA(), KeyB(), {}, KeyC(), KeyB(), KeyA()},
      {KeyA(), KeyA(), KeyB(), KeyB(), KeyC(), KeyB()},
  };
  for (std::size_t way = 0; way < ways.size(); ++way) {
    const std::string state = coffer.directory / ("state" + std::to_string(way));
    for (std::size_t i = 0; i < moments.size(); ++i) {
      CAPTURE(way, i, coffer.last.out, coffer.last.err);
      CHECK(coffer.Verify(moments[i], ways[way][i], state) == 0);
    }
    // And once more with each.
    for (const auto& key : {KeyA(), KeyB(), KeyC()}) {
      for (int times = 0; times < 3; ++times) {
        CAPTURE(way, audit::NameOf(key), coffer.last.out);
        CHECK(coffer.Verify(moments.back(), key, state) == 0);
      }
    }
  }
}

TEST_CASE("a state makes no key trusted that the given one does not lead to") {
  const auto moments = ExchangedTwice();
  Verifier coffer;
  // It did not see the overlap of A and B.
  const std::string late = coffer.directory / "late";
  REQUIRE(coffer.Verify(moments[2], KeyB(), late) == 0);
  REQUIRE(coffer.Verify(moments[3], KeyB(), late) == 0);
  CHECK(coffer.Verify(moments[4], KeyA(), late) == 4);
  CHECK(coffer.Verify(moments[4], KeyB(), late) == 0);

  // Somebody with the vault's files, and this state, but without a key of the log, announces his
  // own.
  audit::TestLog forged;
  forged.Say(audit::kLogCreated, audit::Detail(KeyA())).Write(3);
  const std::string first = Now(forged, {&audit::SignerA()}).note;
  forged.Say(audit::kKeyAnnounced, audit::Detail(KeyC())).Write(3);
  const LogThen his = Now(forged, {&audit::SignerC()});
  const std::string state = coffer.directory / "state";
  for (const Strings& older : {Strings{}, Strings{first}}) {
    coffer.Write("state", audit::FormatRemembered({KeyC(), his.note, older}));
    CHECK(coffer.Verify(his, KeyA(), state) == 4);
  }
  // One that the log does not name at all.
  coffer.Write("state", audit::FormatRemembered({KeyB(), Now(forged, {&audit::SignerB()}).note}));
  CHECK(coffer.Verify(his, KeyA(), state) != 0);
  CHECK(coffer.Verify(his, {}, state) == 4);
}

TEST_CASE("entries that are gone behind a remembered overlap are still missed") {
  const auto moments = ExchangedTwice();
  Verifier coffer;
  const std::string state = coffer.directory / "state";
  for (std::size_t i = 0; i <= 2; ++i) REQUIRE(coffer.Verify(moments[i], KeyA(), state) == 0);
  CHECK(coffer.Verify(moments[0], KeyA(), state) == 4);  // it has no key that signed the newest
  CHECK(coffer.last.out.find("truncated") != std::string::npos);
  CHECK(coffer.Verify(moments[1], KeyA(), state) == 7);
  CHECK(coffer.Verify(moments[2], KeyA(), state) == 0);
}

}  // namespace coffer::cli
