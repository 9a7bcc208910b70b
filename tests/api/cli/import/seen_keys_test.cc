#include "api/cli/import/seen_keys.h"

#include <catch2/catch_test_macros.hpp>

namespace coffer::cli {
namespace {

using Line = std::optional<std::uint64_t>;

void CheckSeen(const SeenBefore& seen, const Line& same, const Line& alike) {
  CHECK(seen.same == same);
  CHECK(seen.alike == alike);
}

}  // namespace

TEST_CASE(
    "keys that differ by blanks, capitals or forms of characters are alike, and not the same") {
  for (const std::string other : {"ab 1", "AB1", "a b 1", "ab\u00a01", "ab\u200b1", "ａｂ１"}) {
    CAPTURE(other);
    SeenTexts seen;
    CheckSeen(seen.Insert("ab1", "", 2), {}, {});
    CheckSeen(seen.Insert(other, "", 3), {}, 2);
    CheckSeen(seen.Insert("ab1", "", 4), 2, {});
    CheckSeen(seen.Insert(other, "", 5), 3, {});
  }
  SeenTexts seen;
  CheckSeen(seen.Insert("Щукина", "", 2), {}, {});
  CheckSeen(seen.Insert("щукина", "", 3), {}, 2);
  CheckSeen(seen.Insert("щукино", "", 4), {}, {});
  CheckSeen(seen.Insert("01", "", 5), {}, {});
  CheckSeen(seen.Insert("1", "", 6), {}, {});
}

TEST_CASE("two columns of a key are not one") {
  SeenTexts seen;
  CheckSeen(seen.Insert("a", "bc", 2), {}, {});
  CheckSeen(seen.Insert("ab", "c", 3), {}, {});
  CheckSeen(seen.Insert("abc", "", 4), {}, {});
}

TEST_CASE("with a record key, a client may have many rows, and is told once of one that is alike") {
  SeenKeys seen;
  CheckSeen(seen.Insert("K1", "a", 2), {}, {});
  CheckSeen(seen.Insert("K1", "b", 3), {}, {});
  CheckSeen(seen.Insert("K1", "a", 4), 2, {});
  CheckSeen(seen.Insert("k1", "c", 5), {}, 2);
  CheckSeen(seen.Insert("k1", "d", 6), {}, {});
  CheckSeen(seen.Insert("K1", "A", 7), {}, 2);
}

}  // namespace coffer::cli
