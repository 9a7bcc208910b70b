#include "audit/entries/log_writer.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/test_log.h"
#include "tests/audit/tlog/naive_tree.h"
#include "tests/crypto/child_process.h"

namespace coffer::audit {
namespace {

Entry Parsed(MemoryLog& log, std::size_t seq) {
  auto entry = ParseEntry(*log.rows[seq]);
  REQUIRE(entry);
  return *std::move(entry);
}

crypto::Bytes Joined(std::span<const Hash> hashes) {
  crypto::Bytes bytes;
  for (const Hash& hash : hashes) bytes.insert(bytes.end(), hash.begin(), hash.end());
  return bytes;
}

TEST_CASE("each entry names its number, its log and the hash of the one before") {
  TestLog log;
  log.Write(20);
  Hash prev{};
  for (std::size_t seq = 0; seq < 20; ++seq) {
    const Entry entry = Parsed(log.stored(), seq);
    CHECK(entry.seq == seq);
    CHECK(entry.log == kOrigin);
    CHECK(entry.prev == prev);
    CHECK(entry.skew_ms == 0);
    prev = crypto::Sha256(crypto::AsBytes(*log.stored().rows[seq]));
  }
  CHECK(log.writer().head().prev == prev);
  log.CheckInvariants();
}

TEST_CASE("the caller's entry and buffer tell what was written") {
  LogWriter writer{std::string(kOrigin), {}};
  Entry entry = TestLog::Reading();
  entry.seq = 99;
  entry.log = "another/log";
  entry.skew_ms = 5;
  std::string bytes = "left over";
  std::vector<FullTile> tiles;
  writer.Append(entry, {1000}, bytes, tiles);
  CHECK(entry.seq == 0);
  CHECK(entry.log == kOrigin);
  CHECK(entry.skew_ms == 0);
  CHECK(entry.ts == Timestamp{1000});
  std::string expected;
  AppendCanonical(entry, expected);
  CHECK(bytes == expected);
  CHECK(tiles.empty());
}

TEST_CASE("a clock that went back is recorded as skew, and time stands still") {
  TestLog log;
  const Timestamp start{1'767'323'045'000};
  log.Append(TestLog::Reading(), start);
  log.Append(TestLog::Reading(), {start.ms - 1500});
  log.Append(TestLog::Reading(), {start.ms - 10});
  log.Append(TestLog::Reading(), {start.ms + 1});
  CHECK(Parsed(log.stored(), 1).ts == start);
  CHECK(Parsed(log.stored(), 1).skew_ms == 1500);
  CHECK(Parsed(log.stored(), 2).ts == start);
  CHECK(Parsed(log.stored(), 2).skew_ms == 10);
  CHECK(Parsed(log.stored(), 3).ts.ms == start.ms + 1);
  CHECK(Parsed(log.stored(), 3).skew_ms == 0);
  log.CheckInvariants();
}

TEST_CASE("a first entry before 1970 has no skew") {
  TestLog log;
  log.Append(TestLog::Reading(), {-5});
  CHECK(Parsed(log.stored(), 0).ts == Timestamp{-5});
  CHECK(Parsed(log.stored(), 0).skew_ms == 0);
}

TEST_CASE("a full tile holds 256 leaf hashes and is handed out once") {
  TestLog log;
  log.Write(255);
  CHECK(log.stored().tiles.empty());
  log.Write(1);
  CHECK(log.stored().tiles.size() == 1);
  CHECK(log.writer().head().tile_levels[0].empty());
  log.Write(300);
  CHECK(log.stored().tiles.size() == 2);

  std::vector<Hash> leaves;
  for (const auto& row : log.stored().rows) leaves.push_back(LeafHash(crypto::AsBytes(*row)));
  CHECK(log.stored().tiles.at({0, 0}) == Joined(std::span(leaves).first(256)));
  CHECK(log.stored().tiles.at({0, 1}) == Joined(std::span(leaves).subspan(256, 256)));
  const LogHead& head = log.writer().head();
  CHECK(head.tile_levels.size() == 2);
  CHECK(head.tile_levels[0] == std::vector<Hash>(leaves.begin() + 512, leaves.end()));
  CHECK(head.tile_levels[1] == std::vector<Hash>{PerfectRoot(std::span(leaves).first(256)),
                                                 PerfectRoot(std::span(leaves).subspan(256, 256))});
  CHECK(head.frontier.Root() == NaiveTree(leaves).Root(556));
}

TEST_CASE("appending fails as if it had not happened when the head is reset") {
  TestLog log;
  log.Write(255);
  const LogHead before = log.writer().head();
  std::string bytes;
  std::vector<FullTile> tiles;
  Entry lost = TestLog::Reading();
  log.writer().Append(lost, {0}, bytes, tiles);
  CHECK(tiles.size() == 1);
  auto head = LoadHead(log.stored());
  REQUIRE(head);
  log.writer().Reset(*std::move(head));
  CHECK(log.writer().head().tile_levels == before.tile_levels);
  log.Write(10);
  log.CheckInvariants();
}

TEST_CASE("a head whose parts disagree aborts") {
  TestLog log;
  log.Write(300);
  const LogHead whole = log.writer().head();
  CHECK_FALSE(crypto::Aborts([&] { LogWriter("o", whole); }));
  const auto aborts_with = [&](auto change) {
    LogHead head = whole;
    change(head);
    return crypto::Aborts([&] { LogWriter("o", head); }) &&
           crypto::Aborts([&] { log.writer().Reset(head); });
  };
  CHECK(aborts_with([](LogHead& head) { ++head.size; }));
  CHECK(aborts_with([](LogHead& head) { head.frontier = {}; }));
  CHECK(aborts_with([](LogHead& head) { head.tile_levels.clear(); }));
  CHECK(aborts_with([](LogHead& head) { head.tile_levels[0].pop_back(); }));
  CHECK(aborts_with([](LogHead& head) { head.tile_levels.pop_back(); }));
  CHECK(aborts_with([](LogHead& head) { head.tile_levels.push_back({Hash{}}); }));
}

}  // namespace
}  // namespace coffer::audit
