// The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): leaf = SHA-256(00 ‖ entry),
// node = SHA-256(01 ‖ left ‖ right), empty root = SHA-256(""). Pure functions over values.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::audit {

using crypto::Hash;

inline constexpr std::uint64_t kTileWidth = 256;

Hash LeafHash(crypto::ByteView entry);
Hash NodeHash(const Hash& left, const Hash& right);
Hash EmptyRoot();

// The tree's right edge: the roots of the full subtrees that n leaves decompose into, largest first
// (one per set bit of n). Appending costs amortised one node hash; nothing else is kept.
class Frontier {
 public:
  Frontier() = default;
  // Errors: kInvalidArgument unless there is one root per set bit of `size`.
  static Result<Frontier> FromRoots(std::uint64_t size, std::vector<Hash> roots);

  void Append(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  const std::vector<Hash>& roots() const { return roots_; }
  Hash Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> roots_;
};

// Root of the perfect tree over `hashes` (a full tile: 256 hashes of one level). Precondition: the
// count is a power of two.
Hash PerfectRoot(std::span<const Hash> hashes);

// Reads one hash of the tree: level 0 are leaves, level l the roots of full subtrees of 2^l leaves.
using HashReader = std::function<Result<Hash>(unsigned level, std::uint64_t index)>;

// Root of the first `size` leaves, from any stored hashes.
Result<Hash> RootAt(std::uint64_t size, const HashReader& read);

// RFC 6962 section 2.1.1 and 2.1.2. Errors: kInvalidArgument when index >= size or old > size.
Result<std::vector<Hash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const HashReader& read);
Result<std::vector<Hash>> ConsistencyProof(std::uint64_t old_size, std::uint64_t size,
                                           const HashReader& read);

// RFC 9162 sections 2.1.3.2 and 2.1.4.2. The proof's length is checked before anything is hashed.
// Errors: kCorrupted "inclusion_proof_invalid", "consistency_proof_invalid".
Status VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                       std::span<const Hash> proof, const Hash& root);
Status VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size,
                         const Hash& root, std::span<const Hash> proof);

}  // namespace coffer::audit
