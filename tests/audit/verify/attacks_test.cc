// What somebody with the database, or with another key, might try, and what the verifier says.
#include <catch2/catch_test_macros.hpp>

#include "audit/verify/verify.h"
#include "tests/audit/entries/test_log.h"
#include "tests/support/sampling.h"

namespace coffer::audit {
namespace {

TEST_CASE("the verifier names the first altered entry") {
  for (const std::size_t seq : {0UZ, 1UZ, 100UZ, 255UZ, 256UZ, 300UZ, 4095UZ, 4096UZ}) {
    CAPTURE(seq);
    TestLog log;
    log.Write(4200);
    log.Alter(seq, "record.read", "record.list");
    const VerifyReport report = log.Verify();
    REQUIRE_FALSE(report.ok());
    CHECK(report.findings[0].seq == seq);
    bool in_chain = false;
    for (const auto& finding : report.findings) {
      CHECK(finding.seq == seq);
      in_chain = in_chain || finding.check == "chain";
    }
    CHECK(in_chain);
  }
}

TEST_CASE("an altered entry is found in the chain and in its tile") {
  TestLog log;
  log.Write(300).Publish();
  log.Alter(7, "allow", "deny");
  log.Alter(200, "p1", "p2");
  CHECK(log.Findings() == Strings{"chain 7", "tile 7", "chain 200", "checkpoint"});
  CHECK(log.Verify().findings[0].message == "entry 7 is not the one that entry 8 was chained to");
}

TEST_CASE("an altered last entry is found by the checkpoint alone") {
  TestLog log;
  log.Write(20).Publish();
  log.Alter(19, "p1", "p2");
  CHECK(log.Findings() == Strings{"checkpoint"});
}

TEST_CASE("an entry of another spelling is not canonical") {
  TestLog log;
  log.Write(20);
  log.Alter(7, "\"action\":", "\"action\": ");
  CHECK(log.Findings() == Strings{"canonical 7", "chain 7"});
}

TEST_CASE("an entry removed and the rest renumbered is found where it was") {
  TestLog log;
  log.Write(20);
  log.Remove(7);
  CHECK(log.Findings() == Strings{"sequence 7", "chain 7"});
  CHECK(log.Verify().findings[0].message == "entry 7 says it is entry 8");
}

TEST_CASE("a first entry removed is found") {
  TestLog log;
  log.Write(20);
  log.Remove(0);
  CHECK(log.Findings() == Strings{"sequence 0", "chain 0"});
}

TEST_CASE("a lost entry is named, and what is left is still checked") {
  TestLog log;
  log.Write(600).Publish();
  log.Lose(7);
  log.Alter(300, "allow", "deny");
  CHECK(log.Findings() == Strings{"sequence 7", "chain 300", "checkpoint"});
  const VerifyReport report = log.Verify();
  CHECK(report.findings[0].message == "entry 7 is missing");
  CHECK(report.findings[2].message == "the checkpoint of size 600 covers entries that are missing");
  CHECK_FALSE(report.newest_checkpoint);
}

TEST_CASE("lost entries are named together, also across what is read at once") {
  TestLog log;
  log.Write(10'000);
  for (std::size_t seq = 4000; seq < 9000; ++seq) log.Lose(seq);
  CHECK(log.Findings() == Strings{"sequence 4000"});
  CHECK(log.Verify().findings[0].message == "entries 4000 to 8999 are missing");
}

TEST_CASE("entries lost at the end are named") {
  TestLog log;
  log.Write(20);
  log.Lose(18);
  log.Lose(19);
  CHECK(log.Findings() == Strings{"sequence 18"});
  CHECK(log.Verify().findings[0].message == "entries 18 to 19 are missing");
}

TEST_CASE("two entries changed over are found") {
  TestLog log;
  log.Write(20);
  log.Swap(7, 8);
  const Strings findings = log.Findings();
  REQUIRE(findings.size() >= 2);
  CHECK(findings[0] == "sequence 7");
  CHECK(findings[1] == "chain 7");
}

TEST_CASE("an entry doubled and the rest renumbered is found") {
  TestLog log;
  log.Write(20);
  log.stored().rows.insert(log.stored().rows.begin() + 7, log.stored().rows[6]);
  CHECK(log.Findings() == Strings{"sequence 7", "chain 7"});
}

TEST_CASE("a tail cut below the checkpoint is named by its missing entries") {
  TestLog log;
  log.Write(100).Publish().Write(36).Publish();
  log.Cut(120);
  CHECK(log.Findings() == Strings{"truncated 120"});
  const VerifyReport report = log.Verify();
  CHECK(report.findings[0].message.starts_with("entries 120 to 135 are missing"));
  CHECK(report.newest_checkpoint->size == 100);
  log.Cut(0);
  CHECK(log.Findings() == Strings{"truncated 0"});
  CHECK(log.Verify().findings[0].message.starts_with("entries 0 to 135 are missing"));
}

// What no checkpoint tells is not claimed: the entries before a cut may be another log's.
TEST_CASE("what is missing begins where the logs part, as near as checkpoints tell") {
  using Result = VerifyReport::Compared::Result;
  TestLog log;
  log.Write(40).Publish().Write(20).Publish().Write(40).Publish();
  const std::vector<std::string> notes = log.notes();
  REQUIRE(notes.size() == 3);
  TestLog cut;
  cut.Write(40).Write(20).Write(40);
  for (const auto& note : notes) cut.Expect(note);
  cut.Alter(50, "allow", "deny");
  cut.Cut(80);
  const VerifyReport report = cut.Verify();
  REQUIRE(report.parting);
  CHECK(report.parting->from == 40);
  CHECK(report.parting->before == 60);
  REQUIRE(report.compared.size() == 3);
  CHECK(report.compared[0].result == Result::kHolds);
  CHECK(report.compared[1].result == Result::kDiffers);
  CHECK(report.compared[2].result == Result::kBeyond);
  const auto& truncated = report.findings.back();
  CHECK(truncated.check == "truncated");
  CHECK(truncated.seq == 40);
  CHECK(truncated.checkpoint == 2);
  CHECK(truncated.message.starts_with("entries 40 to 99 are missing"));

  TestLog behind;
  behind.Write(40).Write(20).Write(40);
  for (const auto& note : notes) behind.Expect(note);
  behind.Cut(80);
  const VerifyReport whole = behind.Verify();
  CHECK_FALSE(whole.parting);
  CHECK(whole.findings.back().seq == 80);
  CHECK(whole.findings.back().message.ends_with("is told of the first 60 only"));
}

TEST_CASE("one missing entry is named in the singular") {
  TestLog log;
  log.Write(10).Publish();
  log.Cut(9);
  CHECK(log.Verify().findings[0].message.starts_with("entry 9 is missing"));
}

TEST_CASE("a history chained anew is right in itself and differs from the checkpoint") {
  TestLog log;
  log.Write(300).Publish().Write(300).Publish();
  log.Rechain(299);
  VerifyOptions alone = log.Options();
  alone.checkpoints.clear();
  CHECK(log.TryVerify(alone)->ok());
  CHECK(log.Findings() == Strings{"checkpoint", "checkpoint"});
  CHECK_FALSE(log.Verify().newest_checkpoint);
}

TEST_CASE("a fork behind a checkpoint leaves that checkpoint standing") {
  TestLog log;
  log.Write(300).Publish().Write(300).Publish();
  log.Rechain(300);
  CHECK(log.Findings() == Strings{"checkpoint"});
  CHECK(log.Verify().newest_checkpoint->size == 300);
  CHECK(log.Verify().findings[0].message.starts_with("the first 600 entries are not those"));
}

TEST_CASE("a flipped tile is named by the first entry under it", testing::kPlainOnly) {
  TestLog small;
  small.Write(1'024 + 10);
  small.FlipTile(0, 3, 32 * 5 + 7);
  CHECK(small.Findings() == Strings{"tile 773"});
  CHECK(small.Verify().findings[0].message.starts_with("tile 0/3 "));

  TestLog log;
  log.Write(65'536 + 10);
  log.FlipTile(1, 0, 32 * 2);
  CHECK(log.Findings() == Strings{"tile 512"});
  CHECK(log.Verify().findings[0].message.starts_with("tile 1/0 "));
}

TEST_CASE("a short or missing tile is named") {
  TestLog log;
  log.Write(600);
  log.stored().tiles.at({0, 0}).resize(255 * 32);
  log.stored().tiles.erase({0, 1});
  CHECK(log.Findings() == Strings{"tile 0", "tile 256"});
  CHECK(log.Verify().findings[0].message == "tile 0/0 has a wrong length");
  CHECK(log.Verify().findings[1].message == "tile 0/1 is missing");
}

TEST_CASE("a clock running backwards is found") {
  TestLog log;
  log.Write(20);
  // Chained anew, so that nothing but the time is wrong.
  const std::string later = "2030-01-01T00:00:00.000Z";
  std::string prev(64, '0');
  for (std::size_t seq = 0; seq < 20; ++seq) {
    auto entry = *ParseEntry(*log.stored().rows[seq]);
    entry.prev = HashFromHex(prev);
    if (seq == 7) entry.ts = *ParseTimestamp(later);
    std::string bytes;
    AppendCanonical(entry, bytes);
    log.stored().rows[seq] = bytes;
    prev = crypto::HexEncode(crypto::Sha256(crypto::AsBytes(bytes)));
  }
  CHECK(log.Findings() == Strings{"time 8"});
}

TEST_CASE("a checkpoint by another key is no evidence for the log") {
  TestLog log;
  log.Write(20).Expect(SignCheckpoint(log.Head(), OtherKey()));
  CHECK(log.Findings() == Strings{"checkpoint"});
  CHECK(log.Verify().findings[0].message.starts_with("checkpoint_signature_missing"));
  CHECK_FALSE(log.Verify().newest_checkpoint);
}

TEST_CASE("another log's checkpoint is no evidence for this one") {
  TestLog other("vault.example/other");
  other.Write(20);
  TestLog log;
  log.Write(20).Expect(SignCheckpoint(other.Head(), LogKey()));
  CHECK(log.Findings() == Strings{"checkpoint"});
  CHECK(log.Verify().findings[0].message.starts_with("checkpoint_origin_wrong"));
}

TEST_CASE("entries of another log are found by their origin") {
  TestLog log("vault.example/other");
  log.Write(3);
  CHECK(log.Findings() == Strings{"origin 0", "origin 1", "origin 2"});
}

TEST_CASE("a checkpoint over an empty log must have the empty root") {
  TestLog log;
  log.Expect(SignCheckpoint({std::string(kOrigin), 0, Hash{}}, LogKey()));
  CHECK(log.Findings() == Strings{"checkpoint"});
}

TEST_CASE("a checkpoint of an absurd size is a rollback, not an overflow") {
  TestLog log;
  log.Write(3).Expect(SignCheckpoint({std::string(kOrigin), UINT64_MAX, Hash{}}, LogKey()));
  CHECK(log.Findings() == Strings{"truncated 3"});
}

TEST_CASE("a source that says that it goes on for ever, and does not, is no endless verification") {
  class Boasting final : public LogSource {
   public:
    explicit Boasting(MemoryLog& log) : log_(log) {}
    Result<std::uint64_t> Size() override { return UINT64_MAX; }
    Status ReadEntries(
        std::uint64_t from, std::uint64_t to,
        const std::function<Status(std::uint64_t, std::string_view)>& each) override {
      COFFER_TRY(log_.ReadEntries(from, std::min<std::uint64_t>(to, log_.rows.size()), each));
      return to > log_.rows.size() ? Status(Fail(Code::kNotFound, "no_more")) : Status();
    }
    Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override {
      return log_.ReadTile(level, n);
    }

   private:
    MemoryLog& log_;
  };
  TestLog log;
  log.Write(300).Publish();
  log.FlipTile(0, 0, 3);
  Boasting source(log.stored());
  const auto report = VerifyLog(source, log.Options());
  REQUIRE(report);
  REQUIRE(report->findings.size() == 2);  // what was read before the end is checked as well
  CHECK(report->findings[0].check == "tile");
  CHECK(report->findings[1].check == "sequence");
  CHECK(report->findings[1].message == "entries 300 to 18446744073709551614 are missing");
  CHECK(report->newest_checkpoint == log.Head());
}

TEST_CASE("a source that repeats or goes back is found") {
  class Stuttering final : public LogSource {
   public:
    explicit Stuttering(MemoryLog& log) : log_(log) {}
    Result<std::uint64_t> Size() override { return log_.Size(); }
    Status ReadEntries(
        std::uint64_t from, std::uint64_t to,
        const std::function<Status(std::uint64_t, std::string_view)>& each) override {
      COFFER_TRY(log_.ReadEntries(from, to, each));
      return each(5, *log_.rows[5]);
    }
    Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override {
      return log_.ReadTile(level, n);
    }

   private:
    MemoryLog& log_;
  };
  TestLog log;
  log.Write(20);
  Stuttering source(log.stored());
  const auto report = VerifyLog(source, log.Options());
  REQUIRE(report);
  REQUIRE(report->findings.size() == 1);
  CHECK(report->findings[0].check == "sequence");
  CHECK(report->root == log.Head().root);
}

}  // namespace
}  // namespace coffer::audit
