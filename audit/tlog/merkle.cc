#include "audit/tlog/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "audit/tlog/leaf_prefix.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

// Leaves and nodes are hashed with different prefixes: without them an inner node could be passed
// off as an entry (RFC 6962 section 2.1).
constexpr std::uint8_t kNodePrefix[] = {0x01};

// RFC 9162's k: the largest power of two smaller than n. Precondition: n > 1.
std::uint64_t SplitPoint(std::uint64_t n) { return std::bit_floor(n - 1); }

// Root of the leaves [begin, end), a range that splitting a tree by RFC 9162 gives: its full
// subtrees are then aligned, and each is one hash to read.
Result<Hash> RangeRoot(std::uint64_t begin, std::uint64_t end, const HashReader& read) {
  std::vector<Hash> subtrees;
  while (begin < end) {
    const auto level = static_cast<unsigned>(std::bit_width(end - begin) - 1);
    COFFER_ASSIGN(const Hash hash, read(level, begin >> level));
    subtrees.push_back(hash);
    begin += std::uint64_t{1} << level;
  }
  if (subtrees.empty()) return EmptyRoot();
  Hash root = subtrees.back();
  for (std::size_t i = subtrees.size() - 1; i-- > 0;) root = NodeHash(subtrees[i], root);
  return root;
}

// Folds a proof's lower part: bit i of `index` says on which side its i-th hash lies.
Hash FoldInner(Hash hash, std::uint64_t index, std::span<const Hash> proof) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    hash = ((index >> i) & 1) == 0 ? NodeHash(hash, proof[i]) : NodeHash(proof[i], hash);
  }
  return hash;
}

// As FoldInner, without the hashes right of the path: the old tree did not have them.
Hash FoldInnerLeft(Hash hash, std::uint64_t index, std::span<const Hash> proof) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    if (((index >> i) & 1) != 0) hash = NodeHash(proof[i], hash);
  }
  return hash;
}

// Folds a proof's upper part, along the tree's right edge: every hash lies on the left.
Hash FoldEdge(Hash hash, std::span<const Hash> proof) {
  for (const Hash& left : proof) hash = NodeHash(left, hash);
  return hash;
}

std::uint64_t ShiftRight(std::uint64_t value, unsigned bits) {
  return bits < 64 ? value >> bits : 0;
}

}  // namespace

Hash LeafHash(crypto::ByteView entry) { return crypto::Sha256({{&kLeafPrefix, 1}, entry}); }

Hash NodeHash(const Hash& left, const Hash& right) {
  return crypto::Sha256({kNodePrefix, left, right});
}

Hash EmptyRoot() { return crypto::Sha256(crypto::ByteView{}); }

Result<Frontier> Frontier::FromRoots(std::uint64_t size, std::vector<Hash> roots) {
  if (roots.size() != static_cast<std::size_t>(std::popcount(size))) {
    return Fail(Code::kInvalidArgument, "frontier_malformed");
  }
  Frontier frontier;
  frontier.size_ = size;
  frontier.roots_ = std::move(roots);
  return frontier;
}

void Frontier::Append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit is a full subtree as large as what is being added: they merge.
  for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
    hash = NodeHash(roots_.back(), hash);
    roots_.pop_back();
  }
  roots_.push_back(hash);
  ++size_;
}

Hash Frontier::Root() const {
  if (roots_.empty()) return EmptyRoot();
  Hash root = roots_.back();
  for (std::size_t i = roots_.size() - 1; i-- > 0;) root = NodeHash(roots_[i], root);
  return root;
}

Hash PerfectRoot(std::span<const Hash> hashes) {
  if (!std::has_single_bit(hashes.size())) std::abort();
  // pending[level] is a left subtree of 2^level hashes that waits for its right neighbour.
  std::array<Hash, 64> pending;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    Hash hash = hashes[i];
    std::size_t level = 0;
    for (; ((i >> level) & 1) != 0; ++level) hash = NodeHash(pending[level], hash);
    pending[level] = hash;
  }
  return pending[static_cast<std::size_t>(std::countr_zero(hashes.size()))];
}

Result<Hash> RootAt(std::uint64_t size, const HashReader& read) { return RangeRoot(0, size, read); }

Result<std::vector<Hash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const HashReader& read) {
  if (index >= size) return Fail(Code::kInvalidArgument, "index_beyond_log");
  std::vector<Hash> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // PATH of RFC 6962 section 2.1.1, walked from the root; its hashes are listed from the leaf.
  while (end - begin > 1) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    const bool left = index < middle;
    COFFER_ASSIGN(const Hash sibling,
                  left ? RangeRoot(middle, end, read) : RangeRoot(begin, middle, read));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<std::vector<Hash>> ConsistencyProof(std::uint64_t old_size, std::uint64_t size,
                                           const HashReader& read) {
  if (old_size > size) return Fail(Code::kInvalidArgument, "size_beyond_log");
  std::vector<Hash> proof;
  if (old_size == 0 || old_size == size) return proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // SUBPROOF of RFC 6962 section 2.1.2, walked from the root towards the old tree's right edge.
  while (end != old_size) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    const bool left = old_size <= middle;
    COFFER_ASSIGN(const Hash sibling,
                  left ? RangeRoot(middle, end, read) : RangeRoot(begin, middle, read));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  // The verifier has the old root already when the old tree is one full subtree from the left.
  if (begin != 0) {
    COFFER_ASSIGN(const Hash last, RangeRoot(begin, end, read));
    proof.push_back(last);
  }
  std::ranges::reverse(proof);
  return proof;
}

Status VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                       std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return Fail(Code::kCorrupted, "inclusion_proof_invalid", "index beyond size");
  // Below where the paths to `index` and to the last leaf part, both sides occur; above, only left
  // siblings do.
  const auto inner = static_cast<unsigned>(std::bit_width(index ^ (size - 1)));
  const auto edge = static_cast<unsigned>(std::popcount(ShiftRight(index, inner)));
  if (proof.size() != inner + edge) {
    return Fail(Code::kCorrupted, "inclusion_proof_invalid", "wrong number of hashes");
  }
  const Hash computed = FoldEdge(FoldInner(leaf, index, proof.first(inner)), proof.subspan(inner));
  if (computed != root) {
    return Fail(Code::kCorrupted, "inclusion_proof_invalid", "another root");
  }
  return {};
}

Status VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size,
                         const Hash& root, std::span<const Hash> proof) {
  const auto invalid = [](const char* detail) {
    return Fail(Code::kCorrupted, "consistency_proof_invalid", detail);
  };
  if (old_size > size) return invalid("old size beyond size");
  if (old_size == 0 || old_size == size) {
    if (!proof.empty()) return invalid("wrong number of hashes");
    if (old_root != (old_size == 0 ? EmptyRoot() : root)) return invalid("another old root");
    if (size == 0 && root != EmptyRoot()) return invalid("another root");
    return {};
  }

  // The proof starts at the largest full subtree that ends where the old tree ends. When it is the
  // whole old tree, its hash is the old root and is not repeated in the proof.
  const auto shift = static_cast<unsigned>(std::countr_zero(old_size));
  const auto parting = static_cast<unsigned>(std::bit_width((old_size - 1) ^ (size - 1)));
  const unsigned inner = parting - shift;
  const auto edge = static_cast<unsigned>(std::popcount(ShiftRight(old_size - 1, parting)));
  const bool old_root_starts = std::has_single_bit(old_size);
  if (proof.size() != (old_root_starts ? 0U : 1U) + inner + edge) {
    return invalid("wrong number of hashes");
  }

  const Hash start = old_root_starts ? old_root : proof.front();
  const auto path = proof.subspan(old_root_starts ? 0 : 1);
  const std::uint64_t sides = (old_size - 1) >> shift;
  const auto lower = path.first(inner);
  const auto upper = path.subspan(inner);
  if (FoldEdge(FoldInnerLeft(start, sides, lower), upper) != old_root) {
    return invalid("another old root");
  }
  if (FoldEdge(FoldInner(start, sides, lower), upper) != root) return invalid("another root");
  return {};
}

}  // namespace coffer::audit
