// The Merkle tree once more, word for word from RFC 9162 section 2.1, without a thought for speed:
// what the implementation is checked against.
#pragma once

#include <bit>
#include <map>
#include <utility>
#include <vector>

#include "audit/tlog/merkle.h"
#include "crypto/hash.h"

namespace coffer::audit {

class NaiveTree {
 public:
  explicit NaiveTree(std::vector<Hash> leaves) : leaves_(std::move(leaves)) {}

  // `count` leaves of one byte string each: their number in text.
  static NaiveTree OfSize(std::size_t count) {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back(LeafHash(crypto::AsBytes("entry " + std::to_string(i))));
    }
    return NaiveTree(std::move(leaves));
  }

  const std::vector<Hash>& leaves() const { return leaves_; }

  Hash Root(std::uint64_t size) { return Mth(0, size); }
  std::vector<Hash> Inclusion(std::uint64_t index, std::uint64_t size) {
    return Path(index, 0, size);
  }
  std::vector<Hash> Consistency(std::uint64_t old_size, std::uint64_t size) {
    return SubProof(old_size, 0, size, true);
  }

  // `this` must outlive the reader.
  HashReader Reader() {
    return [this](unsigned level, std::uint64_t index) -> Result<Hash> {
      const std::uint64_t begin = index << level;
      const std::uint64_t end = (index + 1) << level;
      if (end > leaves_.size()) return Fail(Code::kInvalidArgument, "hash_beyond_log");
      return Mth(begin, end);
    };
  }

 private:
  static std::uint64_t Split(std::uint64_t n) { return std::bit_floor(n - 1); }

  Hash Mth(std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return crypto::Sha256(crypto::ByteView{});
    if (end - begin == 1) return leaves_[begin];
    if (const auto known = known_.find({begin, end}); known != known_.end()) return known->second;
    const std::uint64_t middle = begin + Split(end - begin);
    const Hash left = Mth(begin, middle);
    const Hash right = Mth(middle, end);
    const std::uint8_t prefix[] = {0x01};
    return known_[{begin, end}] = crypto::Sha256({prefix, left, right});
  }

  std::vector<Hash> Path(std::uint64_t m, std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t n = end - begin;
    if (n == 1) return {};
    const std::uint64_t k = Split(n);
    auto path = m < k ? Path(m, begin, begin + k) : Path(m - k, begin + k, end);
    path.push_back(m < k ? Mth(begin + k, end) : Mth(begin, begin + k));
    return path;
  }

  std::vector<Hash> SubProof(std::uint64_t m, std::uint64_t begin, std::uint64_t end, bool known) {
    const std::uint64_t n = end - begin;
    if (m == n) return known ? std::vector<Hash>{} : std::vector<Hash>{Mth(begin, end)};
    const std::uint64_t k = Split(n);
    auto proof =
        m <= k ? SubProof(m, begin, begin + k, known) : SubProof(m - k, begin + k, end, false);
    proof.push_back(m <= k ? Mth(begin + k, end) : Mth(begin, begin + k));
    return proof;
  }

  std::vector<Hash> leaves_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Hash> known_;
};

}  // namespace coffer::audit
