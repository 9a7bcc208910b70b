// Logs that changed their signing key: which checkpoints count, for a verifier that trusts one key.
#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/key_entries.h"
#include "tests/audit/entries/test_log.h"

namespace coffer::audit {
namespace {

// Entries 0 to 9 by A; B announced in entry 10, A retired in entry 20; 30 entries.
struct Rotated : TestLog {
  explicit Rotated(bool names_first = true) {
    Say(kLogCreated, names_first ? Detail(KeyA()) : "one person decides alone");
    Write(9);
    by_a = SignCheckpoint(Head(), SignerA());
    Say(kKeyAnnounced, Detail(KeyB())).Write(4);
    overlap_a = SignCheckpoint(Head(), SignerA());
    overlap_b = SignCheckpoint(Head(), SignerB());
    Write(5);
    Say(kKeyRetired, Detail(KeyA())).Write(9);
    by_b = SignCheckpoint(Head(), SignerB());
  }

  std::string by_a, overlap_a, overlap_b, by_b;  // sizes 10, 15, 15, 30

  Strings Found(const VerifierKey& trusted, std::vector<std::string> notes) {
    return TestLog::Findings({trusted, std::move(notes), true, {}});
  }
  VerifyReport Report(const VerifierKey& trusted, std::vector<std::string> notes) {
    return TryVerify({trusted, std::move(notes), true, {}}).value();
  }
};

// One text under the signatures of two keys.
std::string Both(const std::string& note, const std::string& other) {
  return note + other.substr(other.find("\n\n") + 2);
}

TEST_CASE("a newer key vouches for the older ones") {
  Rotated log;
  CHECK(log.Found(KeyB(), {log.by_a, log.overlap_a, log.overlap_b, log.by_b}).empty());
  CHECK(log.Found(KeyB(), {log.by_a, log.by_b}).empty());
  const auto report = log.Report(KeyB(), {log.by_b, log.by_a});
  CHECK(report.newest_checkpoint->size == 30);
  CHECK(report.newest_note == log.by_b);
  CHECK(NameOf(*report.newest_key) == "B");
}

TEST_CASE("an older key leads to its successor by a checkpoint from the overlap") {
  Rotated log;
  CHECK(log.Found(KeyA(), {log.by_b, log.overlap_a}).empty());
  CHECK(log.Found(KeyA(), {log.by_b, Both(log.overlap_a, log.overlap_b)}).empty());
  CHECK(log.Found(KeyA(), {log.by_a, log.by_b}) == Strings{"epoch"});
  CHECK(log.Found(KeyA(), {log.by_b}) == Strings{"epoch"});
  CHECK(log.Found(KeyA(), {log.overlap_b}) == Strings{"epoch"});
  const auto report = log.Report(KeyA(), {log.by_b, log.overlap_a});
  CHECK(report.newest_note == log.by_b);
  CHECK(NameOf(*report.newest_key) == "B");
}

TEST_CASE("an overlap's checkpoint is remembered with the newer of its keys") {
  Rotated log;
  const auto report = log.Report(KeyA(), {Both(log.overlap_a, log.overlap_b)});
  CHECK(report.ok());
  CHECK(NameOf(*report.newest_key) == "B");
}

TEST_CASE("of each key that did not sign the newest checkpoint its largest is kept") {
  Rotated log;
  const auto older = [&](const VerifierKey& trusted, std::vector<std::string> notes) {
    return log.Report(trusted, std::move(notes)).older_notes;
  };
  CHECK(older(KeyA(), {log.by_b, log.by_a, log.overlap_a}) == Strings{log.overlap_a});
  CHECK(older(KeyB(), {log.by_b, log.by_a}) == Strings{log.by_a});
  CHECK(older(KeyB(), {log.by_b, log.overlap_b}).empty());
  CHECK(older(KeyA(), {Both(log.overlap_a, log.overlap_b), log.by_a}).empty());
  CHECK(older(KeyA(), {log.by_a, log.by_b}).empty());  // nothing of B is trusted
}

TEST_CASE("trust does not pass through a checkpoint that does not hold") {
  Rotated log;
  Checkpoint wrong{std::string(kOrigin), 15, Hash{}};
  CHECK(log.Found(KeyA(), {log.by_b, SignCheckpoint(wrong, SignerA())}) ==
        Strings{"checkpoint", "epoch"});
  Checkpoint beyond{std::string(kOrigin), 99, Hash{}};
  CHECK(log.Found(KeyA(), {log.by_b, SignCheckpoint(beyond, SignerA())}) ==
        Strings{"epoch", "truncated 30"});
}

TEST_CASE("trust does not pass through a checkpoint that the key may not sign") {
  TestLog log;
  log.Say(kLogCreated, Detail(KeyA())).Say(kKeyAnnounced, Detail(KeyB()));
  log.Say(kKeyRetired, Detail(KeyA())).Say(kKeyAnnounced, Detail(KeyC())).Write(2);
  const std::string late = SignCheckpoint(log.Head(), SignerA());
  const std::string by_c = SignCheckpoint(log.Head(), SignerC());
  CHECK(log.Findings({KeyA(), {late, by_c}, true, {}}) == Strings{"epoch", "epoch"});
}

TEST_CASE("trust passes along a chain of keys in both directions") {
  TestLog log;
  log.Say(kLogCreated, Detail(KeyA())).Say(kKeyAnnounced, Detail(KeyB()));
  const std::string ab = SignCheckpoint(log.Head(), SignerA());
  log.Say(kKeyRetired, Detail(KeyA())).Say(kKeyAnnounced, Detail(KeyC()));
  const std::string bc = SignCheckpoint(log.Head(), SignerB());
  log.Say(kKeyRetired, Detail(KeyB())).Write(3);
  const std::string c = SignCheckpoint(log.Head(), SignerC());
  for (const VerifierKey& trusted : {KeyA(), KeyB(), KeyC()}) {
    CAPTURE(NameOf(trusted));
    CHECK(log.Findings({trusted, {c, bc, ab}, true, {}}).empty());
  }
  CHECK(log.Findings({KeyA(), {c, ab}, true, {}}) == Strings{"epoch"});
  CHECK(log.Findings({KeyA(), {c, bc}, true, {}}) == Strings{"epoch", "epoch"});
}

TEST_CASE("a key signs no size before its announcement and none after its retirement") {
  Rotated log;
  const auto at = [&](std::size_t size, const crypto::SigningKey& key) {
    TestLog prefix;
    prefix.stored().rows.assign(log.stored().rows.begin(),
                                log.stored().rows.begin() + static_cast<std::ptrdiff_t>(size));
    const auto head = LoadHead(prefix.stored());
    return SignCheckpoint({std::string(kOrigin), size, head->frontier.Root()}, key);
  };
  CHECK(log.Found(KeyB(), {at(10, SignerB())}) == Strings{"epoch"});
  CHECK(log.Found(KeyB(), {at(11, SignerB())}).empty());
  CHECK(log.Found(KeyA(), {at(20, SignerA())}).empty());
  CHECK(log.Found(KeyA(), {at(21, SignerA())}) == Strings{"epoch"});
  CHECK(log.Report(KeyA(), {at(21, SignerA())}).newest_checkpoint.has_value() == false);
  CHECK(log.Found(KeyB(), {Both(at(21, SignerA()), at(21, SignerB()))}).empty());
  CHECK(log.Found(KeyA(), {at(0, SignerA())}).empty());
}

TEST_CASE("the trusted key is one of those that the log names") {
  Rotated log;
  CHECK(log.Found(KeyC(), {}) == Strings{"epoch"});
  CHECK(log.Found(KeyC(), {log.by_b}) == Strings{"epoch", "epoch"});
}

TEST_CASE("a log that does not name its first key is verified with the one that is trusted") {
  TestLog old;
  old.Write(20).Publish();
  CHECK(old.Findings().empty());
  old.Say(kKeyAnnounced, Detail(KeyB())).Write(3).Publish().PublishBy(SignerB());
  CHECK(old.Findings().empty());

  Rotated log(false);
  CHECK(log.Found(KeyA(), {log.by_a, log.overlap_a, log.by_b}).empty());
  CHECK(log.Found(KeyB(), {log.by_a, log.overlap_a, log.by_b}).empty());
  CHECK(log.Found(KeyC(), {log.by_b}) == Strings{"epoch", "epoch"});
}

TEST_CASE("a key that was not announced signs nothing") {
  Rotated log;
  const std::string by_c = SignCheckpoint(log.Head(), SignerC());
  CHECK(log.Found(KeyB(), {by_c}) == Strings{"checkpoint"});
  CHECK(log.Found(KeyB(), {Both(log.by_b, by_c)}).empty());
}

TEST_CASE("a wrong line of a known key spoils a note that another key signed") {
  Rotated log;
  std::string wrong = log.overlap_a.substr(log.overlap_a.find("\n\n") + 2);
  wrong[wrong.size() - 10] = wrong[wrong.size() - 10] == 'A' ? 'B' : 'A';
  const auto report = log.Report(KeyB(), {log.overlap_b + wrong});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].check == "checkpoint");
  CHECK(report.findings[0].message.starts_with("checkpoint_signature_wrong"));
}

TEST_CASE("an entry that breaks the rules of keys is named") {
  Rotated log;
  log.Say(kKeyRetired, Detail(KeyB()));
  CHECK(log.Found(KeyB(), {log.by_b}) == Strings{"epoch 30"});
  CHECK(log.Report(KeyB(), {}).findings[0].message == "entry 30 retires the last key");
}

TEST_CASE("a rollback to before a key's announcement is seen by that key") {
  Rotated log;
  log.Cut(10);
  CHECK(log.Found(KeyB(), {log.by_b}) == Strings{"epoch", "truncated 10"});
  CHECK(log.Found(KeyA(), {log.overlap_a}) == Strings{"truncated 10"});
}

TEST_CASE("a thief of the database cannot announce himself into it") {
  Rotated log;
  log.Say(kKeyAnnounced, Detail(KeyC())).Write(2);
  const std::string by_c = SignCheckpoint(log.Head(), SignerC());
  CHECK(log.Found(KeyB(), {log.by_b, by_c}) == Strings{"epoch"});
}

}  // namespace
}  // namespace coffer::audit
