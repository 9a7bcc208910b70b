// Hashes of a tree, each read once.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "audit/tlog/merkle.h"

namespace coffer::vault {

// Neighbouring entries share most of their proofs. What it remembers lives as long as it does.
inline audit::HashReader Remembering(audit::HashReader read) {
  return
      [read = std::move(read), known = std::map<std::pair<unsigned, std::uint64_t>, audit::Hash>()](
          unsigned level, std::uint64_t index) mutable -> Result<audit::Hash> {
        const auto found = known.find({level, index});
        if (found != known.end()) return found->second;
        COFFER_ASSIGN(const audit::Hash hash, read(level, index));
        known.emplace(std::pair(level, index), hash);
        return hash;
      };
}

}  // namespace coffer::vault
