// Verification of whole logs, and of logs that are honest but odd. Attacks: attacks_test.cc.
#include "audit/verify/verify.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/test_log.h"

namespace coffer::audit {
namespace {

TEST_CASE("whole logs of any size verify against all their checkpoints") {
  TestLog log;
  for (const std::size_t count : {0UZ, 1UZ, 7UZ, 248UZ, 1UZ, 43UZ, 4000UZ}) {
    log.Write(count).Publish();
    log.CheckInvariants();
    CHECK(log.Verify().newest_checkpoint == log.Head());
  }
}

TEST_CASE("a log of more than two tile levels verifies") {
  TestLog log;
  log.Write(65'536 + 300).Publish().Write(5);
  const VerifyReport report = log.Verify();
  CHECK(report.ok());
  CHECK(report.root == log.Head().root);
}

TEST_CASE("the report counts what was allowed and denied") {
  TestLog log;
  log.Write(5);
  Entry denied = TestLog::Reading();
  denied.decision = Decision::kDeny;
  log.Append(denied, {1'767'323'046'000});
  const VerifyReport report = log.Verify();
  CHECK(report.allowed == 5);
  CHECK(report.denied == 1);
}

TEST_CASE("a log without checkpoints is checked in itself") {
  TestLog log;
  log.Write(300);
  const VerifyReport report = log.Verify();
  CHECK(report.ok());
  CHECK_FALSE(report.newest_checkpoint);
}

TEST_CASE("checkpoints may be given in any order and twice") {
  TestLog log;
  log.Write(10).Publish();
  const Checkpoint small = log.Head();
  log.Write(10).Publish();
  const Checkpoint large = log.Head();
  VerifyOptions options = log.Options();
  std::swap(options.checkpoints[0], options.checkpoints[1]);
  options.checkpoints.push_back(options.checkpoints[0]);
  const auto report = log.TryVerify(options);
  REQUIRE(report);
  CHECK(report->ok());
  CHECK(report->newest_checkpoint == large);
  options.checkpoints = {SignCheckpoint(small, LogKey())};
  CHECK(log.TryVerify(options)->newest_checkpoint == small);
}

TEST_CASE("a source without tiles is verified without them") {
  TestLog log;
  log.Write(600).Publish();
  log.stored().tiles.clear();
  CHECK(log.Findings() == Strings{"tile 0", "tile 256"});
  VerifyOptions options = log.Options();
  options.check_tiles = false;
  const auto report = log.TryVerify(options);
  REQUIRE(report);
  CHECK(report->ok());
  CHECK(report->newest_checkpoint == log.Head());
}

TEST_CASE("each entry that passed is handed on in order, and no other") {
  TestLog log;
  log.Write(6);
  log.Alter(3, "{", "[");
  VerifyOptions options = log.Options();
  std::vector<std::uint64_t> seen;
  options.on_entry = [&](const Entry& entry, std::string_view bytes) -> Status {
    CHECK(bytes == *log.stored().rows[entry.seq]);
    seen.push_back(entry.seq);
    return {};
  };
  REQUIRE(log.TryVerify(options));
  CHECK(seen == std::vector<std::uint64_t>{0, 1, 2, 5});
}

TEST_CASE("entries in another's place are handed on no more than the first of them") {
  TestLog log;
  log.Write(8);
  log.Remove(3);
  VerifyOptions options = log.Options();
  std::vector<std::uint64_t> seen;
  options.on_entry = [&](const Entry& entry, std::string_view) -> Status {
    seen.push_back(entry.seq);
    return {};
  };
  REQUIRE(log.TryVerify(options));
  CHECK(seen == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("what a further check refuses is a finding about the state") {
  TestLog log;
  log.Write(6);
  VerifyOptions options = log.Options();
  options.on_entry = [](const Entry& entry, std::string_view) -> Status {
    if (entry.seq == 4) return Fail(Code::kCorrupted, "payload_differs", "of record r1");
    return {};
  };
  const auto report = log.TryVerify(options);
  REQUIRE(report);
  REQUIRE(report->findings.size() == 1);
  CHECK(report->findings[0].seq == 4);
  CHECK(report->findings[0].check == "state");
  CHECK(report->findings[0].message == "payload_differs: of record r1");
}

TEST_CASE("a source that cannot be read is an error, not a finding") {
  TestLog log;
  log.Write(6);
  log.stored().broken = true;
  const auto report = log.TryVerify(log.Options());
  REQUIRE_FALSE(report);
  CHECK(report.error().reason == "disk_gone");
}

TEST_CASE("a tile that cannot be read is an error, not a missing one") {
  TestLog log;
  log.Write(256);
  log.stored().tiles_broken = true;
  const auto report = log.TryVerify(log.Options());
  REQUIRE_FALSE(report);
  CHECK(report.error().reason == "disk_gone");
}

TEST_CASE("at most twenty findings are kept, the first bad entry first") {
  TestLog log;
  log.Write(500);
  for (std::size_t seq = 30; seq < 500; seq += 2) log.Alter(seq, "record.read", "record.list");
  const VerifyReport report = log.Verify();
  CHECK(report.findings.size() == 20);
  CHECK(report.findings.front().seq == 30);
}

TEST_CASE("a flood of bad entries does not hide a rollback") {
  TestLog log;
  log.Write(500).Publish();
  log.Cut(400);
  for (std::size_t seq = 30; seq < 400; seq += 2) log.Alter(seq, "record.read", "record.list");
  const VerifyReport report = log.Verify();
  CHECK(report.findings.size() == 20);
  CHECK(report.findings.front().seq == 30);
  CHECK(report.findings.back().check == "truncated");
}

}  // namespace
}  // namespace coffer::audit
