#include "audit/entries/succession.h"

#include <catch2/catch_test_macros.hpp>

#include "audit/entries/key_history.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

TEST_CASE("a successor's name is that of its log with the next number") {
  CHECK(SuccessorName("vault.example/log") == "vault.example/log~2");
  CHECK(SuccessorName("vault.example/log~2") == "vault.example/log~3");
  CHECK(SuccessorName("a~9") == "a~10");
  for (const char* const first :
       {"a", "a~", "a~1", "a~0", "a~02", "a~2x", "~2", "a~-2", "a~99999"}) {
    INFO(first);
    CHECK(SuccessionNumber(first) == 1);
    CHECK(FirstLogName(first) == first);
    CHECK(SuccessorName(first) == std::string(first) + "~2");
  }
  CHECK(IsOrSucceeds("a~3", "a"));
  CHECK(IsOrSucceeds("a~3", "a~3"));
  CHECK_FALSE(IsOrSucceeds("a", "a~2"));
  CHECK_FALSE(IsOrSucceeds("b~3", "a"));
  CHECK_FALSE(IsOrSucceeds("a~2~3", "a"));
}

TEST_CASE("a key stands under each name that the log has had") {
  const auto keys = UnderAllNames({"a~3", LogKey().public_key()});
  REQUIRE(keys.size() == 3);
  CHECK(keys[0].name == "a");
  CHECK(keys[1].name == "a~2");
  CHECK(keys[2].name == "a~3");
  CHECK(UnderAllNames({"a", LogKey().public_key()}).size() == 1);
  CHECK(UnderAllNames({"a~2~3", LogKey().public_key()}).size() == 3);
}

Entry Succeeding(std::string log, const Checkpoint& closed) {
  Entry entry = SuccessionEntry(closed);
  entry.log = std::move(log);
  return entry;
}

TEST_CASE("what an entry of a successor must say") {
  const Hash root{7};
  Entry plain;
  plain.log = "a";
  LogNames names("a");
  REQUIRE(names.Take(0, plain));
  struct Case {
    const char* what;
    Entry entry;
    bool taken;
  };
  Entry without_root = Succeeding("a~2", {"a", 9, root});
  without_root.payload_hash.reset();
  Entry denied = Succeeding("a~2", {"a", 9, root});
  denied.decision = Decision::kDeny;
  Entry by_user = Succeeding("a~2", {"a", 9, root});
  by_user.actor_kind = ActorKind::kUser;
  Entry cut = Succeeding("a~2", {"a", 9, root});
  cut.detail = "closed a; size ";
  const Case cases[] = {
      {"entries lost", Succeeding("a~2", {"a", 9, root}), true},
      {"none known to be lost", Succeeding("a~2", {"a", 5, root}), true},
      {"the copy is from before another succession", Succeeding("a~3", {"a~2", 9, root}), true},
      {"of a successor that this copy was not, shorter", Succeeding("a~3", {"a~2", 4, root}), true},
      {"numbers may be left out", Succeeding("a~4", {"a", 9, root}), true},
      {"shorter than what is left", Succeeding("a~2", {"a", 4, root}), false},
      {"no successor's name", Succeeding("a", {"a", 9, root}), false},
      {"of another log", Succeeding("b~2", {"b", 9, root}), false},
      {"an earlier name", Succeeding("a", {"a~2", 9, root}), false},
      {"no root", without_root, false},
      {"no size", cut, false},
      {"denied", denied, false},
      {"not by the vault", by_user, false},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    LogNames tried = names;
    CHECK(tried.Take(5, one.entry).has_value() == one.taken);
    CHECK(tried.successions().size() == (one.taken ? 1U : 0U));
    if (!one.taken) continue;
    CHECK(tried.name() == one.entry.log);
    CHECK(tried.successions().front().from == 5);
    CHECK(tried.successions().front().closed.root == root);
    CHECK_FALSE(tried.Take(6, plain));
  }
}

TEST_CASE("an entry of a successor that nothing began is told once") {
  LogNames names("a");
  Entry entry;
  entry.log = "a~2";
  CHECK_FALSE(names.Take(0, entry));
  CHECK(names.Take(1, entry));
}

}  // namespace
}  // namespace coffer::audit
