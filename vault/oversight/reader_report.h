// Who was shown how many clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// How many different clients somebody was shown, beside what those with the same work were.
struct ReaderCount {
  PrincipalId principal;
  std::string login, name, role;
  std::uint64_t reads = 0, clients = 0;
  // The others of the smallest of its teams, else of its role, that has enough of them: those who
  // saw nobody too. Fewer than kFewestColleagues are compared with nobody: it would say what one of
  // them did.
  static constexpr std::size_t kFewestColleagues = 3;
  std::string group;  // "team:NAME" or "role:NAME"; empty: there are too few
  std::uint64_t colleagues = 0;
  double median = 0;  // of their clients
};

struct ReaderReport {
  std::vector<ReaderCount> readers;  // those who saw most first; at most kMostReaders
  static constexpr std::size_t kMostReaders = 1000;
  bool more = false;
  Timestamp from, to;      // [from, to)
  std::uint64_t size = 0;  // entries before this one are counted
};

}  // namespace coffer::vault
