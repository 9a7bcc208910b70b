#include "audit/tlog/merkle.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>

#include "crypto/encoding.h"
#include "tests/audit/tlog/naive_tree.h"
#include "tests/audit/tlog/test_keys.h"
#include "tests/crypto/child_process.h"
#include "tests/support/sampling.h"

namespace coffer::audit {
namespace {

// The leaves of the RFC 6962 reference tests.
NaiveTree ReferenceTree() {
  std::vector<Hash> leaves;
  for (const std::string_view hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(LeafHash(*crypto::HexDecode(hex)));
  }
  return NaiveTree(std::move(leaves));
}

Hash RootOfFirst(const std::vector<Hash>& leaves, std::size_t size) {
  Frontier frontier;
  for (std::size_t i = 0; i < size; ++i) frontier.Append(leaves[i]);
  return frontier.Root();
}

Hash HashFromBase64(std::string_view text) {
  const auto bytes = crypto::Base64Decode(text);
  REQUIRE((bytes && bytes->size() == 32));
  Hash hash{};
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

TEST_CASE("the reference tree has its published roots") {
  const auto tree = ReferenceTree();
  const auto& leaves = tree.leaves();
  const Hash empty =
      HashFromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(EmptyRoot() == empty);
  CHECK(RootOfFirst(leaves, 0) == empty);
  CHECK(RootOfFirst(leaves, 1) ==
        HashFromHex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
  CHECK(RootOfFirst(leaves, 7) ==
        HashFromHex("ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"));
  CHECK(RootOfFirst(leaves, 8) ==
        HashFromHex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"));
}

TEST_CASE("the tree of 300 entries has its published roots and consistency proof") {
  auto tree = NaiveTree::OfSize(300);
  const Hash root_256 =
      HashFromHex("da6596d95369f5fef322ab8e4e0da3b0b50236aa9c8a3b1d246f7411c9e2e32e");
  const Hash root_300 =
      HashFromHex("ca393d0296bec5e0b8dcab983bd1fb7d1461f512e7267cb89631ad26fd66d848");
  CHECK(RootOfFirst(tree.leaves(), 200) ==
        HashFromHex("282d0b269ab4d0d86da77103929e2883944ce9f5f2ea7e837d8e0192c86e00aa"));
  CHECK(RootOfFirst(tree.leaves(), 256) == root_256);
  CHECK(RootOfFirst(tree.leaves(), 300) == root_300);
  const auto proof = ConsistencyProof(256, 300, tree.Reader());
  REQUIRE(proof);
  CHECK(*proof ==
        std::vector<Hash>{HashFromBase64("ruluENNmx7XMmcrclg/HTCS10kkNUlBQYS+Bm3Of5NU=")});
  CHECK(VerifyConsistency(256, root_256, 300, root_300, *proof));
}

TEST_CASE("leaves and nodes are hashed apart") {
  // The two children of a node, given as an entry, must not be that node.
  const Hash left = LeafHash(crypto::AsBytes("l"));
  const Hash right = LeafHash(crypto::AsBytes("r"));
  crypto::Bytes forged(left.begin(), left.end());
  forged.insert(forged.end(), right.begin(), right.end());
  CHECK(LeafHash(forged) != NodeHash(left, right));
  forged.insert(forged.begin(), 0x01);
  CHECK(crypto::Sha256(forged) == NodeHash(left, right));
  CHECK(LeafHash(forged) != NodeHash(left, right));
}

TEST_CASE("the frontier's root is that of the recursive definition for all sizes up to 300") {
  auto tree = NaiveTree::OfSize(300);
  Frontier frontier;
  for (std::uint64_t size = 0; size <= 300; ++size) {
    REQUIRE(frontier.size() == size);
    REQUIRE(frontier.roots().size() == static_cast<std::size_t>(std::popcount(size)));
    REQUIRE(frontier.Root() == tree.Root(size));
    REQUIRE(RootAt(size, tree.Reader()) == tree.Root(size));
    const auto restored = Frontier::FromRoots(size, frontier.roots());
    REQUIRE(restored);
    REQUIRE(restored->Root() == frontier.Root());
    if (size < 300) frontier.Append(tree.leaves()[size]);
  }
}

TEST_CASE("a frontier needs one root for each bit of its size") {
  CHECK(Frontier::FromRoots(0, {}));
  CHECK(Frontier::FromRoots(5, std::vector<Hash>(2)));
  CHECK_FALSE(Frontier::FromRoots(0, std::vector<Hash>(1)));
  CHECK_FALSE(Frontier::FromRoots(5, std::vector<Hash>(1)));
  CHECK_FALSE(Frontier::FromRoots(5, std::vector<Hash>(3)));
}

TEST_CASE("a perfect tree's root is that of the recursive definition") {
  auto tree = NaiveTree::OfSize(512);
  for (std::size_t width = 1; width <= 512; width *= 2) {
    CHECK(PerfectRoot(std::span(tree.leaves()).first(width)) == tree.Root(width));
  }
  CHECK(crypto::Aborts([] { PerfectRoot({}); }));
  CHECK(crypto::Aborts([&] { PerfectRoot(std::span(tree.leaves()).first(3)); }));
}

TEST_CASE("inclusion of every entry is proved for all sizes up to 300", testing::kPlainOnly) {
  auto tree = NaiveTree::OfSize(300);
  for (std::uint64_t size = 1; size <= 300; ++size) {
    const Hash root = tree.Root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = InclusionProof(index, size, tree.Reader());
      REQUIRE(proof);
      REQUIRE(*proof == tree.Inclusion(index, size));
      REQUIRE(VerifyInclusion(tree.leaves()[index], index, size, *proof, root));
    }
    REQUIRE_FALSE(InclusionProof(size, size, tree.Reader()));
  }
}

TEST_CASE("consistency of every two sizes up to 300 is proved") {
  auto tree = NaiveTree::OfSize(300);
  for (std::uint64_t size = 0; size <= 300; ++size) {
    const Hash root = tree.Root(size);
    for (std::uint64_t old_size = 0; old_size <= size; ++old_size) {
      const auto proof = ConsistencyProof(old_size, size, tree.Reader());
      REQUIRE(proof);
      if (old_size > 0) REQUIRE(*proof == tree.Consistency(old_size, size));
      REQUIRE(VerifyConsistency(old_size, tree.Root(old_size), size, root, *proof));
    }
    REQUIRE_FALSE(ConsistencyProof(size + 1, size, tree.Reader()));
  }
}

TEST_CASE("an inclusion proof holds for nothing but its entry, place, size and root") {
  auto tree = NaiveTree::OfSize(70);
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const Hash root = tree.Root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = tree.Inclusion(index, size);
      const Hash leaf = tree.leaves()[index];
      auto changed = proof;
      for (Hash& hash : changed) {
        hash[31] ^= 1;
        REQUIRE_FALSE(VerifyInclusion(leaf, index, size, changed, root));
        hash[31] ^= 1;
      }
      auto longer = proof;
      longer.push_back(root);
      REQUIRE_FALSE(VerifyInclusion(leaf, index, size, longer, root));
      if (!proof.empty()) {
        REQUIRE_FALSE(VerifyInclusion(leaf, index, size, std::span(proof).subspan(1), root));
        REQUIRE_FALSE(
            VerifyInclusion(leaf, index, size, std::span(proof).first(proof.size() - 1), root));
      }
      if (size > 1) REQUIRE_FALSE(VerifyInclusion(root, index, size, proof, leaf));
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) REQUIRE_FALSE(VerifyInclusion(leaf, other, size, proof, root));
      }
    }
    REQUIRE_FALSE(VerifyInclusion(root, size, size, {}, root));
  }
  CHECK_FALSE(VerifyInclusion(EmptyRoot(), 0, 0, {}, EmptyRoot()));
}

TEST_CASE("a consistency proof holds for nothing but its sizes and roots") {
  auto tree = NaiveTree::OfSize(70);
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const Hash root = tree.Root(size);
    Hash wrong_root = root;
    wrong_root[0] ^= 1;
    for (std::uint64_t old_size = 1; old_size < size; ++old_size) {
      const auto proof = tree.Consistency(old_size, size);
      const Hash old_root = tree.Root(old_size);
      Hash wrong_old_root = old_root;
      wrong_old_root[0] ^= 1;
      REQUIRE_FALSE(VerifyConsistency(old_size, wrong_old_root, size, root, proof));
      REQUIRE_FALSE(VerifyConsistency(old_size, old_root, size, wrong_root, proof));
      REQUIRE_FALSE(VerifyConsistency(size, root, old_size, old_root, proof));
      auto changed = proof;
      for (Hash& hash : changed) {
        hash[0] ^= 1;
        REQUIRE_FALSE(VerifyConsistency(old_size, old_root, size, root, changed));
        hash[0] ^= 1;
      }
      auto longer = proof;
      longer.push_back(root);
      REQUIRE_FALSE(VerifyConsistency(old_size, old_root, size, root, longer));
      REQUIRE_FALSE(VerifyConsistency(old_size, old_root, size, root,
                                      std::span(proof).first(proof.size() - 1)));
    }
  }
}

TEST_CASE("a fork is not consistent with what it forked from") {
  auto before = NaiveTree::OfSize(100);
  auto leaves = NaiveTree::OfSize(140).leaves();
  leaves[40][0] ^= 1;
  NaiveTree fork(leaves);
  CHECK_FALSE(
      VerifyConsistency(100, before.Root(100), 140, fork.Root(140), fork.Consistency(100, 140)));
}

TEST_CASE("a tree that shrank is not consistent with itself, whatever its signer calls it") {
  // Signed as of size 2, the root of four leaves makes the arithmetic of a proof from 3 to 4 hold.
  auto tree = NaiveTree::OfSize(4);
  REQUIRE(VerifyConsistency(3, tree.Root(3), 4, tree.Root(4), tree.Consistency(3, 4)));
  const auto shrunk = VerifyConsistency(3, tree.Root(3), 2, tree.Root(4), tree.Consistency(3, 4));
  REQUIRE_FALSE(shrunk);
  CHECK(shrunk.error().detail == "old size beyond size");
}

TEST_CASE("equal and empty trees need an empty proof") {
  auto tree = NaiveTree::OfSize(5);
  const Hash root = tree.Root(5);
  const std::vector<Hash> one(1);
  CHECK(VerifyConsistency(5, root, 5, root, {}));
  CHECK_FALSE(VerifyConsistency(5, root, 5, root, one));
  CHECK_FALSE(VerifyConsistency(5, root, 5, tree.Root(4), {}));
  CHECK(VerifyConsistency(0, EmptyRoot(), 5, root, {}));
  CHECK_FALSE(VerifyConsistency(0, EmptyRoot(), 5, root, one));
  CHECK_FALSE(VerifyConsistency(0, root, 5, root, {}));
  CHECK(VerifyConsistency(0, EmptyRoot(), 0, EmptyRoot(), {}));
  CHECK_FALSE(VerifyConsistency(0, EmptyRoot(), 0, root, {}));
}

TEST_CASE("proofs for sizes at the end of 64 bits are refused without overflow") {
  const Hash hash{};
  const std::vector<Hash> proof(63);
  for (const std::uint64_t size : {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1} << 63}) {
    CHECK_FALSE(VerifyInclusion(hash, 0, size, proof, hash));
    CHECK_FALSE(VerifyInclusion(hash, size - 1, size, proof, hash));
    CHECK_FALSE(VerifyInclusion(hash, size, size, proof, hash));
    CHECK_FALSE(VerifyConsistency(1, hash, size, hash, proof));
    CHECK_FALSE(VerifyConsistency(size - 1, hash, size, hash, proof));
  }
}

}  // namespace
}  // namespace coffer::audit
