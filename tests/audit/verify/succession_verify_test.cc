// A log that was closed, and its successor: what each checkpoint that was ever signed is worth.
#include <catch2/catch_test_macros.hpp>

#include "audit/entries/log_reader.h"
#include "audit/entries/succession.h"
#include "audit/verify/remembered.h"
#include "tests/audit/entries/test_log.h"

namespace coffer::audit {
namespace {

using Became = VerifyReport::Compared::Result;

constexpr std::size_t kKept = 12, kSigned = 20;

std::string Second() { return SuccessorName(kOrigin); }

// Signed heads by size, of one name.
using Notes = std::map<std::size_t, std::string>;

struct Succeeded {
  TestLog log;
  Notes closed, own;
  Checkpoint last;

  explicit Succeeded(std::size_t kept = kKept, std::size_t known = kSigned) {
    for (std::size_t size = 1; size <= kSigned + 5; ++size) {
      log.Write(1);
      closed[size] = SignCheckpoint(log.Head(), LogKey());
      if (size == known) last = log.Head();
    }
    GoOnFrom(kept, last);
  }
  void GoOnFrom(std::size_t kept, const Checkpoint& follows) {
    log.Cut(kept);
    auto head = LoadHead(log.stored());
    REQUIRE(head);
    log.writer() = LogWriter(SuccessorName(follows.origin), *std::move(head));
    log.Append(SuccessionEntry(follows), Timestamp{1'767'400'000'000});
    own[kept + 1] = SignCheckpoint(log.Head(), LogKey());
    for (std::size_t size = kept + 2; size < kept + 10; ++size) {
      log.Append(TestLog::Reading(), Timestamp{1'767'400'000'000});
      own[size] = SignCheckpoint(log.Head(), LogKey());
    }
  }
  VerifyReport Against(const std::vector<std::string>& notes,
                       const VerifierKey& key = LogVerifier()) {
    const auto report = log.TryVerify({key, notes, true, {}});
    REQUIRE(report);
    return *report;
  }
};

TEST_CASE("each checkpoint of a closed log is kept, lost as was said, or longer than was said") {
  Succeeded one;
  for (const auto& [size, note] : one.closed) {
    INFO(size);
    const auto report = one.Against({note, one.own.rbegin()->second});
    const Became wanted = size <= kKept     ? Became::kHolds
                          : size <= kSigned ? Became::kLost
                                            : Became::kBeyond;
    CHECK(report.compared.front().result == wanted);
    CHECK(report.ok() == (wanted != Became::kBeyond));
    CHECK(report.name == Second());
    REQUIRE(report.successions.size() == 1);
    CHECK(report.successions.front().closed == one.last);
    REQUIRE(report.newest_key);
    CHECK(report.newest_key->name == Second());
    // What is remembered is a note of the successor, and its key has that name.
    CHECK(ParseRemembered(FormatRemembered({*report.newest_key, report.newest_note})));
  }
}

TEST_CASE("each checkpoint of a successor holds, by the key under either name") {
  Succeeded one;
  for (const auto& key : UnderAllNames({Second(), LogKey().public_key()})) {
    for (const auto& [size, note] : one.own) {
      INFO(key.name << " " << size);
      const auto report = one.Against({note}, key);
      CHECK(report.ok());
      CHECK(report.compared.front().result == Became::kHolds);
      CHECK(report.newest_checkpoint->origin == Second());
    }
  }
}

TEST_CASE("the checkpoint that a successor says it follows must be the one that was signed") {
  Succeeded one(kKept, 0);  // its root is nobody's
  one.last.origin = kOrigin;
  one.last.size = kSigned;
  one.GoOnFrom(kKept, one.last);
  const auto report = one.Against({one.closed[kSigned], one.own.rbegin()->second});
  CHECK(report.compared.front().result == Became::kDiffers);
  CHECK_FALSE(report.ok());
}

TEST_CASE("a succession that nobody signed excuses nothing") {
  Succeeded one;
  for (std::size_t size = kKept + 1; size <= kSigned; ++size) {
    for (const auto& beside :
         {std::vector<std::string>{}, std::vector<std::string>{one.closed[kKept]}}) {
      std::vector<std::string> notes{one.closed[size]};
      notes.insert(notes.end(), beside.begin(), beside.end());
      const auto report = one.Against(notes);
      CHECK(report.compared.front().result == Became::kBeyond);
      REQUIRE(report.findings.size() == 1);
      CHECK(report.findings.front().check == "truncated");
    }
  }
}

TEST_CASE("where how much is lost was not known, nothing of the closed log contradicts it") {
  Succeeded one(kKept, kKept);
  CHECK_FALSE(one.last == Checkpoint{});
  for (const auto& [size, note] : one.closed) {
    const auto report = one.Against({note, one.own.rbegin()->second});
    CHECK(report.ok());
    CHECK(report.compared.front().result == (size <= kKept ? Became::kHolds : Became::kLost));
  }
}

TEST_CASE("a successor signs nothing of its log's own entries, and has no other name") {
  Succeeded one;
  TestLog early(Second());
  early.Write(5);
  const auto too_small = one.Against({SignCheckpoint(early.Head(), LogKey())});
  CHECK(too_small.compared.front().result == Became::kUntrusted);
  CHECK_FALSE(too_small.ok());

  TestLog third(SuccessorName(Second()));
  third.Write(30);
  const auto later = one.Against({SignCheckpoint(third.Head(), LogKey())});
  CHECK(later.compared.front().result == Became::kBeyond);
  CHECK_FALSE(later.ok());

  // The closed log, shown to who has seen its successor.
  TestLog closed;
  closed.Write(15);
  const auto shown = closed.Findings({{Second(), LogKey().public_key()}, {}, true, {}});
  CHECK(shown == Strings{"truncated"});
}

TEST_CASE("a successor without its first entry, or with another's, is damage") {
  Succeeded one;
  one.log.Alter(kKept, "size 20", "size 21");
  CHECK_FALSE(one.Against({one.own.rbegin()->second}).ok());

  TestLog renamed;
  renamed.Write(3);
  auto head = LoadHead(renamed.stored());
  REQUIRE(head);
  renamed.writer() = LogWriter(Second(), *std::move(head));
  renamed.Write(3);
  CHECK(renamed.Findings({LogVerifier(), {}, true, {}}) == Strings{"origin 3"});
}

TEST_CASE("a copy from before a succession follows the successor of its log") {
  Succeeded one;
  const auto second = one.own;
  const auto newest = ParseCheckpointNote(second.rbegin()->second);
  REQUIRE(newest);
  const Checkpoint last = newest->checkpoint;
  one.own.clear();
  one.GoOnFrom(8, last);
  const std::string now = one.own.rbegin()->second;
  for (const Notes* const notes : {&std::as_const(one.closed), &second}) {
    for (const auto& [size, note] : *notes) {
      INFO(size);
      const auto report = one.Against({note, now});
      CHECK(report.ok());
      CHECK(report.compared.front().result == (size <= 8 ? Became::kHolds : Became::kLost));
      CHECK(report.name == SuccessorName(Second()));
    }
  }
}

TEST_CASE("a copy that goes further than a successor of its log follows that one") {
  // The successor began at 4 and had 13 entries; this copy has 8 of the first log's.
  Succeeded other(4);
  const auto newest = ParseCheckpointNote(other.own.rbegin()->second);
  REQUIRE(newest);
  Succeeded one(8, kSigned);
  one.own.clear();
  one.log = TestLog();
  one.log.Write(8);
  one.GoOnFrom(8, newest->checkpoint);
  for (const auto& [size, note] : other.own) {
    INFO(size);
    const auto report = one.Against({note, one.own.rbegin()->second});
    CHECK(report.ok());
    CHECK(report.compared.front().result == Became::kLost);
  }
}

}  // namespace
}  // namespace coffer::audit