#include "audit/documents/ledger_completeness.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/audit/documents/test_ledger.h"

namespace coffer::audit {
namespace {

std::vector<LedgerLine> LinesOf(const LedgerErasure& erasure, bool old = false) {
  auto lines = ReadLedger(Lines({erasure})).lines;
  if (old) {
    for (auto& line : lines) line.part = line.parts = 0;
  }
  return lines;
}

LedgerCompleteness Taken(const std::vector<LedgerLine>& lines) {
  LedgerCompleteness completeness;
  for (const auto& line : lines) REQUIRE(completeness.Take(line));
  return completeness;
}

}  // namespace

TEST_CASE("of an erasure in parts exactly those are missing that are not there") {
  const auto all = LinesOf(RecordsErasure(701));
  REQUIRE(all.size() == 4);
  for (std::size_t chosen = 0; chosen < 16; ++chosen) {
    std::vector<LedgerLine> lines;
    std::vector<std::uint64_t> missing;
    for (std::size_t i = 0; i < 4; ++i) {
      if ((chosen >> i & 1) != 0) {
        lines.push_back(all[i]);
      } else {
        missing.push_back(i + 1);
      }
    }
    // In whatever order, and once more.
    std::ranges::reverse(lines);
    const auto once = lines;
    lines.insert(lines.end(), once.begin(), once.end());
    CAPTURE(chosen);
    const auto incomplete = Taken(lines).Incomplete();
    if (chosen == 0 || chosen == 15) {
      CHECK(incomplete.empty());
      continue;
    }
    REQUIRE(incomplete.size() == 1);
    CHECK(incomplete[0].erasure == all[0].erasure.erasure);
    CHECK(incomplete[0].client == all[0].erasure.client);
    CHECK(incomplete[0].missing == missing);
    CHECK(incomplete[0].parts == 4);
    CHECK(Taken(lines).Uncertain().empty());
  }
  CHECK(MissingParts({{}, {}, {2}, 3}) == "part 2 of 3");
  CHECK(MissingParts({{}, {}, {2, 3}, 3}) == "parts 2, 3 of 3");
}

TEST_CASE("of older lines only the last says that it is the last, and not when it is full") {
  for (const std::size_t records : {1UZ, 199UZ, 200UZ, 201UZ, 400UZ, 405UZ}) {
    const auto all = LinesOf(RecordsErasure(records), true);
    for (std::size_t left = 1; left <= all.size(); ++left) {
      CAPTURE(records, left);
      const auto taken = Taken({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(left)});
      CHECK(taken.Incomplete().empty());
      const bool last_is_short = left == all.size() && records % 200 != 0;
      CHECK(taken.Uncertain().size() == (last_is_short ? 0 : 1));
    }
  }
}

TEST_CASE("what was cut off is whole again when all of it was written once more") {
  const auto old = LinesOf(RecordsErasure(205), true);
  const auto parts = LinesOf(RecordsErasure(205));
  CHECK(Taken({old[0], parts[0], parts[1]}).Incomplete().empty());
  CHECK(Taken({old[0], parts[0], parts[1]}).Uncertain().empty());
  CHECK(Taken({old[0], parts[0]}).Incomplete().size() == 1);
  CHECK(Taken({old[0], old[1], parts[0]}).Incomplete().empty());
  CHECK(Taken({old[0], parts[1]}).erasures() == 1);
}

TEST_CASE("lines of one erasure are of one client and scope") {
  auto lines = LinesOf(RecordsErasure(205));
  SECTION("client") { lines[1].erasure.client = ErasureNo(1).client; }
  SECTION("scope") { lines[1].erasure.scope = {ScopeKind::kClient}; }
  LedgerCompleteness completeness;
  REQUIRE(completeness.Take(lines[0]));
  const Status taken = completeness.Take(lines[1]);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().reason == "ledger_damaged");
}

}  // namespace coffer::audit
