// That a log grew out of an earlier one.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/hash.h"

namespace coffer::vault {

struct ConsistencyProof {
  std::uint64_t old_size = 0, size = 0;
  std::vector<crypto::Hash> hashes;  // RFC 6962 section 2.1.2
};

}  // namespace coffer::vault
