#include "audit/verify/remembered.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/test_log.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kGolden =
    "coffer-log-state-v1\n"
    "vault.example/audit+6c5bbaef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\n"
    "\n"
    "vault.example/audit\n300\nyjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=\n\n"
    "— vault.example/audit "
    "bFu674DqJLf2hesKu7Dy+gsIomxP2Po71Vx+U4M8AkTEFzePb8pNN/r+jXgSIiVvD4HnTc/"
    "1nT1zEPqshT6jfQGNfgk=\n";

std::string WithReplaced(std::string_view from, std::string_view to) {
  std::string text(kGolden);
  return text.replace(text.find(from), from.size(), to);
}

// What a verifier keeps of a log that it found whole, and sees when it comes back.
RememberedLog Remember(TestLog& log) {
  const VerifyReport report = log.Verify();
  REQUIRE(report.ok());
  const auto state = ParseRemembered(FormatRemembered({*report.newest_key, report.newest_note}));
  REQUIRE(state);
  return *state;
}
Strings ComeBack(TestLog& log, const RememberedLog& state) {
  return log.Findings({state.key, {state.note}, true, {}});
}

TEST_CASE("a remembered state keeps key and note") {
  const auto state = ParseRemembered(kGolden);
  REQUIRE(state);
  CHECK(state->key.name == kOrigin);
  CHECK(state->key.key == LogKey().public_key());
  CHECK(FormatRemembered(*state) == kGolden);
}

TEST_CASE("a state of another form, or whose note is not the key's, is refused") {
  const std::string other_key = FormatVerifierKey({std::string(kOrigin), OtherKey().public_key()});
  const std::string_view key = kGolden.substr(20, kGolden.find("\n\n") - 20);
  for (const std::string& text :
       {std::string(), WithReplaced("v1", "v2"), WithReplaced("v1", "v3"),
        WithReplaced("coffer", " coffer"), WithReplaced("\n\n", "\n"),
        WithReplaced("\n\n", "\n\n\n"), WithReplaced("\n\n", "\nx\n"),
        WithReplaced("+6c5b", "+6c5c"), WithReplaced(key, ""), WithReplaced(key, other_key),
        WithReplaced("\n300\n", "\n301\n"), WithReplaced("audit\n300", "other\n300"),
        std::string(kGolden) + "x", std::string(kGolden.substr(0, kGolden.size() - 1)),
        std::string(kGolden.substr(0, kGolden.find("\n\n") + 2))}) {
    CAPTURE(text);
    const auto state = ParseRemembered(text);
    REQUIRE_FALSE(state);
    CHECK(state.error().code == Code::kCorrupted);
    CHECK(state.error().reason == "state_malformed");
  }
}

TEST_CASE("a state keeps older notes behind the newest, and has one spelling") {
  TestLog log;
  std::vector<std::string> older;
  for (int i = 0; i < 3; ++i) older.push_back(SignCheckpoint(log.Write(5).Head(), OtherKey()));
  RememberedLog state{LogVerifier(), SignCheckpoint(log.Head(), LogKey()), older};
  const std::string text = FormatRemembered(state);
  CHECK(text.starts_with("coffer-log-state-v2\n" + FormatVerifierKey(LogVerifier()) + "\n\n" +
                         state.note + "\n" + older[0] + "\n"));
  const auto read = ParseRemembered(text);
  REQUIRE(read);
  CHECK(read->older_notes == older);
  CHECK(FormatRemembered(*read) == text);

  state.older_notes = {SignCheckpoint({"other.example/log", 5, Hash{}}, OtherKey())};
  for (const std::string& wrong :
       {FormatRemembered(state), text + "\n", text + "x", "\n" + text,
        text.substr(0, text.size() - older[2].size()), text.substr(0, text.size() - 1),
        text.substr(0, text.find(older[0]) - 1), text.substr(0, text.find(older[0])),
        FormatRemembered({state.key, state.note, {"no note"}})}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseRemembered(wrong));
  }
  state.older_notes.assign(2000, older[0]);
  const std::string most = FormatRemembered(state);
  CHECK(most.size() <= kMaxRememberedBytes);
  CHECK(ParseRemembered(most));
}

TEST_CASE("a log that only grew is the one remembered") {
  TestLog log;
  log.Write(300).Publish();
  const RememberedLog state = Remember(log);
  CHECK(ComeBack(log, state).empty());
  log.Write(300);
  CHECK(ComeBack(log, state).empty());
}

TEST_CASE("a rollback and a fork behind the remembered state are told apart") {
  TestLog log;
  log.Write(300).Publish();
  const RememberedLog state = Remember(log);
  TestLog cut;
  cut.Write(299).Publish();
  CHECK(cut.Verify().ok());
  CHECK(ComeBack(cut, state) == Strings{"truncated 299"});
  log.Rechain(200);
  CHECK(ComeBack(log, state) == Strings{"checkpoint"});
  log.Write(300);
  CHECK(ComeBack(log, state) == Strings{"checkpoint"});
}

}  // namespace
}  // namespace coffer::audit
