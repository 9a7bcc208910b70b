// Whether all lines of each erasure of a ledger (erasure_ledger.h) are there, in whatever order and
// however often they were written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "audit/documents/erasure_ledger.h"

namespace coffer::audit {

// What of one erasure is missing.
struct IncompleteErasure {
  std::string erasure, client;
  std::vector<std::uint64_t> missing;  // parts, from 1; empty: the lines do not say how many
  std::uint64_t parts = 0;
  bool operator==(const IncompleteErasure&) const = default;
};

// "part 2 of 3", "parts 2, 3 of 3".
std::string MissingParts(const IncompleteErasure& erasure);

// Keeps some hundred bytes for each erasure.
class LedgerCompleteness {
 public:
  // Each line, in any order. Errors: kCorrupted "ledger_damaged" where lines of one erasure are not
  // of one client and scope.
  Status Take(const LedgerLine& line);

  std::uint64_t erasures() const { return erasures_.size(); }
  // Of other acts, each of which has one line.
  std::uint64_t acts() const { return acts_.size(); }
  // Parts are missing for certain; in the order of their ids.
  std::vector<IncompleteErasure> Incomplete() const;
  // Older lines, which do not say how many there are, and of which each is full: there may have
  // been more.
  std::vector<IncompleteErasure> Uncertain() const;

 private:
  struct Seen {
    std::string client, scope;
    std::map<std::uint64_t, std::vector<bool>> parts;  // which were seen, by how many there are
    bool old_full = false, old_short = false;          // lines that do not say, as long as may be
    bool IsComplete() const;
  };
  std::vector<IncompleteErasure> Collect(bool certain) const;

  std::unordered_map<std::string, Seen> erasures_;
  std::unordered_set<std::string> acts_;
};

}  // namespace coffer::audit
