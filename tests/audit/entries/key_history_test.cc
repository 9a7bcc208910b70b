// What entries say of keys. What follows for checkpoints: key_epochs_test.cc.
#include "audit/entries/key_history.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/key_entries.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

class History {
 public:
  // "" or what was wrong with it.
  std::string Take(std::uint64_t seq, const Entry& entry) {
    const Status status = history.Take(seq, entry);
    if (status) return "";
    CHECK(status.error().code == Code::kCorrupted);
    CHECK(status.error().reason == "key_history_invalid");
    return status.error().detail;
  }
  std::string Take(std::uint64_t seq, std::string_view action, std::string detail) {
    return Take(seq, KeyEntry(action, std::move(detail)));
  }
  std::string MaySign(std::uint64_t size) const {
    std::string names;
    for (const VerifierKey& key : history.MaySign(size)) names += NameOf(key);
    return names;
  }

  KeyHistory history{std::string(kOrigin)};
};

TEST_CASE("a detail is the key's text, unless an entry would cut it") {
  CHECK(Detail(KeyA()) == "key " + FormatVerifierKey(KeyA()));
  VerifierKey key = KeyA();
  key.name = std::string(198, 'n');
  CHECK(KeyDetail(key)->size() == 256);
  key.name += 'n';
  CHECK(KeyDetail(key).error().reason == "key_detail_too_long");
  key.name = std::string(100, '"');  // two bytes each
  CHECK_FALSE(KeyDetail(key));
}

TEST_CASE("keys may sign from their announcement to their retirement") {
  History log;
  CHECK(log.Take(0, kLogCreated, Detail(KeyA())).empty());
  CHECK(log.Take(1, "record.read", Detail(KeyB())).empty());
  CHECK(log.Take(7, kKeyAnnounced, Detail(KeyB())).empty());
  CHECK(log.Take(9, kKeyRetired, Detail(KeyA())).empty());
  CHECK(log.Take(9, kKeyAnnounced, Detail(KeyC())).empty());
  CHECK(log.MaySign(0) == "A");
  CHECK(log.MaySign(1) == "A");
  CHECK(log.MaySign(7) == "A");
  CHECK(log.MaySign(8) == "AB");
  CHECK(log.MaySign(9) == "AB");
  CHECK(log.MaySign(10) == "BC");
  CHECK(log.MaySign(UINT64_MAX) == "BC");
  CHECK(log.history.first_named());
  CHECK(log.history.Find(KeyB())->named_by == 7);
}

TEST_CASE("the same key under another name is another key") {
  History log;
  CHECK(log.Take(0, kLogCreated, Detail(KeyA())) == "");
  REQUIRE(log.history.Find(KeyA()) != nullptr);
  VerifierKey renamed = KeyA();
  renamed.name = "vault.example/other";
  CHECK(log.history.Find(renamed) == nullptr);
}

TEST_CASE("a key may stand among other parts of a detail") {
  History log;
  CHECK(log.Take(0, kLogCreated, "one person decides alone; " + Detail(KeyA())).empty());
  CHECK(log.Take(1, kKeyAnnounced, Detail(KeyB()) + "; ticket 12").empty());
  CHECK(log.MaySign(5) == "AB");
}

TEST_CASE("a log that names no first key takes it from its retirement") {
  History log;
  CHECK(log.Take(0, kLogCreated, "one person decides alone").empty());
  CHECK_FALSE(log.history.first_named());
  CHECK(log.Take(3, kKeyAnnounced, Detail(KeyB())).empty());
  CHECK_FALSE(log.history.first_named());
  CHECK(log.MaySign(3).empty());
  CHECK(log.Take(5, kKeyRetired, Detail(KeyA())).empty());
  CHECK(log.history.first_named());
  CHECK(log.MaySign(0) == "A");
  CHECK(log.MaySign(5) == "BA");
  CHECK(log.MaySign(6) == "B");
  CHECK(log.Take(6, kKeyRetired, Detail(KeyC())) == "retires a key that was not announced");
}

TEST_CASE("the last key is not retired") {
  History log;
  CHECK(log.Take(2, kKeyRetired, Detail(KeyA())) == "retires the last key");
  CHECK_FALSE(log.history.first_named());
  CHECK(log.Take(3, kKeyAnnounced, Detail(KeyB())).empty());
  // The unnamed first key remains.
  CHECK(log.Take(4, kKeyRetired, Detail(KeyB())).empty());
  CHECK(log.Take(5, kKeyRetired, Detail(KeyA())) == "retires the last key");

  History named;
  CHECK(named.Take(0, kLogCreated, Detail(KeyA())).empty());
  CHECK(named.Take(1, kKeyRetired, Detail(KeyA())) == "retires the last key");
  CHECK(named.Take(2, kKeyAnnounced, Detail(KeyB())).empty());
  CHECK(named.Take(3, kKeyRetired, Detail(KeyA())).empty());
  CHECK(named.Take(4, kKeyRetired, Detail(KeyB())) == "retires the last key");
  CHECK(named.MaySign(9) == "B");
}

TEST_CASE("what breaks the rules changes nothing") {
  History log;
  CHECK(log.Take(0, kLogCreated, Detail(KeyA())).empty());
  CHECK(log.Take(1, kKeyAnnounced, Detail(KeyA())) == "announces a key a second time");
  CHECK(log.Take(2, kKeyAnnounced, "") == "does not name one key");
  CHECK(log.Take(2, kKeyAnnounced, Detail(KeyB()) + "; " + Detail(KeyC())) ==
        "does not name one key");
  CHECK(log.Take(2, kKeyRetired, "nothing") == "does not name one key");
  CHECK(log.Take(2, kKeyAnnounced, "key x") == "names a malformed key");
  CHECK(log.Take(2, kKeyAnnounced, Detail(KeyB()) + " ") == "names a malformed key");
  VerifierKey other = KeyB();
  other.name = "vault.example/other";
  CHECK(log.Take(2, kKeyAnnounced, Detail(other)) == "names a key of another log");
  CHECK(log.Take(2, kKeyRetired, Detail(KeyB())) == "retires a key that was not announced");
  CHECK(log.MaySign(9) == "A");
  CHECK(log.Take(3, kKeyAnnounced, Detail(KeyB())).empty());
  CHECK(log.Take(4, kKeyRetired, Detail(KeyA())).empty());
  CHECK(log.Take(5, kKeyRetired, Detail(KeyA())) == "retires a key a second time");
  CHECK(log.Take(6, kKeyAnnounced, Detail(KeyA())) == "announces a key a second time");
  CHECK(log.MaySign(5) == "B");
}

TEST_CASE("only what the system did counts, and only the first entry creates") {
  const auto ignored = [](auto change, std::uint64_t seq = 0,
                          std::string_view action = kLogCreated) {
    History log;
    Entry entry = KeyEntry(action, Detail(KeyA()));
    change(entry);
    return log.Take(seq, entry).empty() && log.history.epochs().empty();
  };
  CHECK_FALSE(ignored([](Entry&) {}));
  CHECK(ignored([](Entry&) {}, 1));
  for (const std::string_view action : {kLogCreated, kKeyAnnounced, kKeyRetired}) {
    CHECK(ignored([](Entry& entry) { entry.actor_kind = ActorKind::kUser; }, 0, action));
    CHECK(ignored([](Entry& entry) { entry.actor_kind = ActorKind::kUnknown; }, 0, action));
    CHECK(ignored([](Entry& entry) { entry.actor_kind = ActorKind::kService; }, 0, action));
    CHECK(ignored([](Entry& entry) { entry.decision = Decision::kDeny; }, 0, action));
    CHECK(ignored([](Entry& entry) { entry.outcome = "unavailable"; }, 0, action));
    CHECK(ignored([](Entry& entry) { entry.outcome.clear(); }, 0, action));
  }
}

TEST_CASE("a log announces no end of keys") {
  History log;
  VerifierKey key = KeyA();
  std::string refused;
  for (std::uint64_t seq = 0; seq < 300; ++seq) {
    key.key[0] = static_cast<std::uint8_t>(seq);
    key.key[1] = static_cast<std::uint8_t>(seq >> 8);
    refused = log.Take(seq, kKeyAnnounced, Detail(key));
    REQUIRE(refused.empty() == (seq < KeyHistory::kMaxKeys));
  }
  CHECK(refused == "announces more keys than a log may have");
}

}  // namespace
}  // namespace coffer::audit
