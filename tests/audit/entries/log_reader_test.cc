#include "audit/entries/log_reader.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/test_log.h"
#include "tests/audit/tlog/naive_tree.h"
#include "tests/support/sampling.h"

namespace coffer::audit {
namespace {

NaiveTree TreeOf(const MemoryLog& log) {
  std::vector<Hash> leaves;
  for (const auto& row : log.rows) leaves.push_back(LeafHash(crypto::AsBytes(*row)));
  return NaiveTree(std::move(leaves));
}

std::string ReasonOfLoading(MemoryLog& log) {
  const auto head = LoadHead(log);
  if (head) return "loaded";
  std::string reason(head.error().reason);
  reason.append(": ").append(head.error().detail);
  return reason;
}

TEST_CASE("a head loaded from storage is that of a writer that never stopped",
          testing::kPlainOnly) {
  TestLog log;
  for (const std::size_t size : {0UZ, 1UZ, 2UZ, 255UZ, 256UZ, 257UZ, 300UZ, 511UZ, 512UZ, 513UZ,
                                 1000UZ, 65535UZ, 65536UZ, 65537UZ, 65792UZ, 66000UZ}) {
    CAPTURE(size);
    log.Write(size - log.stored().rows.size());
    log.CheckLoadedHead();
  }
  log.CheckInvariants();
}

TEST_CASE("a writer restarted at every size goes on with the same log") {
  TestLog whole;
  whole.Write(520);
  TestLog restarted;
  for (int i = 0; i < 520; ++i) {
    auto head = LoadHead(restarted.stored());
    REQUIRE(head);
    restarted.writer() = LogWriter(std::string(kOrigin), *std::move(head));
    restarted.Write(1);
  }
  CHECK(restarted.stored().rows == whole.stored().rows);
  CHECK(restarted.stored().tiles == whole.stored().tiles);
  CHECK(restarted.Head() == whole.Head());
}

TEST_CASE("loading a head names the entry that is missing") {
  TestLog log;
  log.Write(600);
  log.Lose(550);
  CHECK(ReasonOfLoading(log.stored()) == "log_gap: entry 550 is missing");
  log.Lose(599);
  CHECK(ReasonOfLoading(log.stored()) == "log_gap: entry 599 is missing");
}

TEST_CASE("loading a head refuses a last entry with another number") {
  TestLog log;
  log.Write(10);
  log.Remove(4);
  CHECK(ReasonOfLoading(log.stored()) == "log_gap: entry 8 says it is entry 9");
}

TEST_CASE("loading a head refuses a last entry that is malformed") {
  TestLog log;
  log.Write(10);
  log.Alter(9, "{", "[");
  CHECK(ReasonOfLoading(log.stored()).starts_with("entry_malformed: "));
}

TEST_CASE("loading a head names the tile that is missing or short") {
  TestLog log;
  log.Write(600);
  log.stored().tiles.at({0, 1}).pop_back();
  CHECK(ReasonOfLoading(log.stored()) == "tile_missing: tile 0/1 has a wrong length");
  log.stored().tiles.erase({0, 1});
  CHECK(ReasonOfLoading(log.stored()) == "tile_missing: tile 0/1 was not stored");
}

TEST_CASE("loading a head passes on that the storage cannot be read") {
  TestLog log;
  log.Write(3);
  log.stored().broken = true;
  CHECK(ReasonOfLoading(log.stored()) == "disk_gone: ");
}

TEST_CASE("every hash of the tree is read from tiles and the tail") {
  TestLog log;
  log.Write(1000);
  auto tree = TreeOf(log.stored());
  const auto expected = tree.Reader();
  const HashReader from_size = MakeHashReader(log.stored(), 1000);
  const HashReader from_head = MakeHashReader(log.stored(), log.writer().head());
  for (unsigned level = 0; level < 10; ++level) {
    for (std::uint64_t index = 0; index < (1000U >> level); ++index) {
      REQUIRE(from_size(level, index).value() == expected(level, index).value());
      REQUIRE(from_head(level, index).value() == expected(level, index).value());
    }
    REQUIRE_FALSE(from_size(level, 1000U >> level));
    REQUIRE_FALSE(from_head(level, 1000U >> level));
  }
  CHECK_FALSE(from_size(10, 0));
  CHECK_FALSE(from_size(64, 0));
  CHECK_FALSE(from_size(0, UINT64_MAX));
}

TEST_CASE("a reader of an earlier size sees nothing of later entries") {
  TestLog log;
  log.Write(300);
  const Checkpoint earlier = log.Head();
  log.Write(700);
  const HashReader read = MakeHashReader(log.stored(), 300);
  CHECK(RootAt(300, read).value() == earlier.root);
  CHECK_FALSE(read(0, 300));
  const HashReader read_now = MakeHashReader(log.stored(), 1000);
  CHECK(RootAt(300, read_now).value() == earlier.root);
  const auto proof = ConsistencyProof(300, 1000, read_now);
  REQUIRE(proof);
  CHECK(VerifyConsistency(300, earlier.root, 1000, log.Head().root, *proof));
}

TEST_CASE("proofs from stored tiles hold around tile borders of two levels") {
  TestLog log;
  log.Write(65'800);
  for (const std::uint64_t size :
       {1ULL, 255ULL, 256ULL, 257ULL, 65'535ULL, 65'536ULL, 65'537ULL, 65'800ULL}) {
    CAPTURE(size);
    const HashReader read = MakeHashReader(log.stored(), size);
    const auto root = RootAt(size, read);
    REQUIRE(root);
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      const auto proof = InclusionProof(index, size, read);
      REQUIRE(proof);
      CHECK(VerifyInclusion(LeafHash(crypto::AsBytes(*log.stored().rows[index])), index, size,
                            *proof, *root));
    }
    const auto proof =
        ConsistencyProof(size, 65'800, MakeHashReader(log.stored(), log.writer().head()));
    REQUIRE(proof);
    CHECK(VerifyConsistency(size, *root, 65'800, log.Head().root, *proof));
  }
}

TEST_CASE("with the head at hand a proof reads few tiles") {
  TestLog log;
  log.Write(40'000);
  const HashReader read = MakeHashReader(log.stored(), log.writer().head());
  const HashReader read_by_size = MakeHashReader(log.stored(), 40'000);
  log.stored().tile_reads = 0;
  REQUIRE(InclusionProof(20'000, 40'000, read));
  REQUIRE(ConsistencyProof(39'000, 40'000, read));
  CHECK(log.stored().tile_reads <= 2);
  // Without it the unfinished tile of level 1 is computed, once.
  REQUIRE(InclusionProof(20'000, 40'000, read_by_size));
  const auto reads = log.stored().tile_reads;
  CHECK(reads <= 2 + 156 + 2);
  REQUIRE(InclusionProof(20'001, 40'000, read_by_size));
  CHECK(log.stored().tile_reads <= reads + 2);
}

TEST_CASE("a hash reader says which tile is missing") {
  TestLog log;
  log.Write(600);
  log.stored().tiles.erase({0, 1});
  const HashReader read = MakeHashReader(log.stored(), 600);
  CHECK(read(0, 255));
  const auto hash = read(0, 256);
  REQUIRE_FALSE(hash);
  CHECK(hash.error().code == Code::kCorrupted);
  CHECK(hash.error().detail == "tile 0/1 was not stored");
}

}  // namespace
}  // namespace coffer::audit
