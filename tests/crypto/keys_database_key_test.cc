// keys.db.key: what replaces the key of keys.db while the vault serves. Without it all clients are
// lost, so whatever fails must leave a file with the key that is in use.
#include "crypto/keys_database_key.h"

#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <optional>

#include "tests/crypto/child_process.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

// Written by a Python script (package cryptography) from the format's description alone: keys 71…71
// and 72…72 of the golden vault.
constexpr std::string_view kGoldenHead = "coffer-keys-db-key-v1\n";
constexpr std::string_view kGoldenFirst =
    "7 AQAAAAcKCgoKCgoKCgoKCgrQMU4m8MlR2JL16S71eHNgjYQKxRZOw+QGQsCrhNKjTobFshvgVtTnIpPdcz8DQeY=\n";
constexpr std::string_view kGoldenNext =
    "8 AQAAAAgLCwsLCwsLCwsLCwuS/mny6zrPJWfhT4j9zCWpJDdypKhBZJ4z+PHWgaQW7MU+6DgIVwajVNVxLQd9lgc=\n";

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return text;
}

// The golden vault's keyring, and a place for the file.
class KeysPlace {
 public:
  KeysPlace() {
    const auto root = OpenKeyFile(directory.Put("root.key", kGoldenRootKey));
    REQUIRE(root);
    auto ring = Keyring::Open(directory.Put("keyring.json", kGoldenKeyring), **root);
    REQUIRE(ring);
    ring_.emplace(*std::move(ring));
  }
  const Keyring& ring() const { return *ring_; }
  void Put(std::string_view text) const { directory.Put("keys.db.key", text); }
  std::string Text() const { return directory.Get("keys.db.key"); }
  auto Keys() const { return ReadKeysDatabaseKeys(path, ring()); }
  std::string Versions() const {
    const auto keys = Keys();
    REQUIRE(keys);
    std::string versions;
    for (const auto& key : *keys) versions += std::to_string(key.version) + " ";
    return versions;
  }
  SecretBytes Key(std::size_t which) const {
    auto keys = Keys();
    REQUIRE(keys);
    REQUIRE(keys->size() > which);
    return std::move((*keys)[which].key);
  }

  TemporaryDirectory directory;
  const std::string path = directory / "keys.db.key";

 private:
  std::optional<Keyring> ring_;
};

bool IsOf(const SecretBytes& key, std::uint8_t byte) {
  return ConstantTimeEqual(key.ExposeSecret(), Bytes(32, byte));
}

}  // namespace

TEST_CASE("the keys of keys.db written elsewhere from the format's description open") {
  const KeysPlace place;
  place.Put(Joined({kGoldenHead, kGoldenFirst}));
  CHECK(place.Versions() == "7 ");
  CHECK(IsOf(place.Key(0), 0x71));
  place.Put(Joined({kGoldenHead, kGoldenFirst, kGoldenNext}));
  CHECK(place.Versions() == "7 8 ");
  CHECK(IsOf(place.Key(0), 0x71));
  CHECK(IsOf(place.Key(1), 0x72));
}

TEST_CASE("without a file the key of keys.db is the keyring's own, until it gets another") {
  const KeysPlace place;
  CHECK(place.Versions() == "1 ");
  CHECK(place.Key(0) == place.ring().keys_db_key());
  CHECK(PromoteKeysDatabaseKey(place.path, place.ring()));
  CHECK(DropNextKeysDatabaseKey(place.path, place.ring()));
  CHECK_FALSE(std::filesystem::exists(place.path));
  const auto next = AddKeysDatabaseKey(place.path, place.ring());
  REQUIRE(next);
  CHECK(place.Key(0) == place.ring().keys_db_key());
  CHECK(place.Key(1) == *next);
  REQUIRE(PromoteKeysDatabaseKey(place.path, place.ring()));
  CHECK(place.Versions() == "2 ");
  CHECK(place.Key(0) == *next);
}

TEST_CASE("a key of keys.db is made once, and its file never replaced") {
  const KeysPlace place;
  const auto key = CreateKeysDatabaseKey(place.path, place.ring());
  REQUIRE(key);
  CHECK(ModeOf(place.path) == 0600);
  CHECK(place.Versions() == "1 ");
  CHECK(place.Key(0) == *key);
  CHECK(*key != place.ring().keys_db_key());
  const std::string text = place.Text();
  CHECK(FailsWith(CreateKeysDatabaseKey(place.path, place.ring()), Code::kConflict, "file_exists"));
  CHECK(place.Text() == text);
  CHECK_FALSE(text.contains(Base64Encode(key->ExposeSecret()).substr(0, 42)));
}

TEST_CASE("a next key is added, and becomes the only one or goes again") {
  const KeysPlace place;
  place.Put(Joined({kGoldenHead, kGoldenFirst}));
  const auto first = AddKeysDatabaseKey(place.path, place.ring());
  REQUIRE(first);
  CHECK(place.Versions() == "7 8 ");
  CHECK(IsOf(place.Key(0), 0x71));
  CHECK(place.Key(1) == *first);
  const std::string both = place.Text();
  CHECK(FailsWith(AddKeysDatabaseKey(place.path, place.ring()), Code::kConflict,
                  "keys_db_key_replaced_already"));
  CHECK(place.Text() == both);

  REQUIRE(DropNextKeysDatabaseKey(place.path, place.ring()));
  CHECK(place.Versions() == "7 ");
  CHECK(IsOf(place.Key(0), 0x71));

  const auto second = AddKeysDatabaseKey(place.path, place.ring());
  REQUIRE(second);
  CHECK(*second != *first);
  REQUIRE(PromoteKeysDatabaseKey(place.path, place.ring()));
  CHECK(place.Versions() == "8 ");
  CHECK(place.Key(0) == *second);
  const std::string text = place.Text();
  CHECK(PromoteKeysDatabaseKey(place.path, place.ring()));
  CHECK(DropNextKeysDatabaseKey(place.path, place.ring()));
  CHECK(place.Text() == text);
  CHECK(ModeOf(place.path) == 0600);
}

TEST_CASE("a destroyed key of keys.db is in no file, nor where a crash had left it") {
  for (const auto& destroy : {PromoteKeysDatabaseKey, DropNextKeysDatabaseKey}) {
    const KeysPlace place;
    place.Put(Joined({kGoldenHead, kGoldenFirst, kGoldenNext}));
    place.directory.Put("keys.db.key.0123456789abcdef.tmp", place.Text());
    std::ifstream left(place.directory / "keys.db.key.0123456789abcdef.tmp"), before(place.path);
    REQUIRE(destroy(place.path, place.ring()));
    CHECK(place.directory.FileCount() == 3);
    const std::string_view gone = destroy == PromoteKeysDatabaseKey ? kGoldenFirst : kGoldenNext;
    CHECK_FALSE(place.Text().contains(gone.substr(30, 40)));
    CHECK(place.Versions() == (destroy == PromoteKeysDatabaseKey ? "8 " : "7 "));
    // Nor in the blocks that these had.
    for (std::ifstream* file : {&left, &before}) {
      const std::string blocks((std::istreambuf_iterator<char>(*file)), {});
      CHECK_FALSE(blocks.empty());
      CHECK(blocks.find_first_not_of('\0') == std::string::npos);
    }
    // Also what a crash left behind the last step.
    place.directory.Put("keys.db.key.0123456789abcdef.tmp", "x");
    REQUIRE(destroy(place.path, place.ring()));
    CHECK(place.directory.FileCount() == 3);
  }
}

TEST_CASE("a file of keys of keys.db that is not to the letter is refused and left as it is") {
  const KeysPlace place;
  const std::string first(kGoldenFirst);
  const std::string next(kGoldenNext);
  const std::string head(kGoldenHead);
  std::string flipped = first;
  flipped[60] = flipped[60] == 'A' ? 'B' : 'A';
  const std::string bad[] = {
      "",
      head,
      head.substr(0, head.size() - 1),
      first,
      "coffer-keys-db-key-v2\n" + first,
      head + first.substr(0, first.size() - 1),
      head + first + "\n",
      head + "\n" + first,
      head + first + first,
      head + next + first,
      head + first + next + next,
      head + flipped,
      head + "8" + first.substr(1),  // another version's
      head + "07" + first.substr(1),
      head + "0" + first.substr(1),
      head + "-7" + first.substr(1),
      head + "4294967296" + first.substr(1),
      head + " " + first,
      head + "7  " + first.substr(2),
      head + "7 \n",
      head + "7\n",
      head + first.substr(0, 40) + "\n",
      head + first + std::string(5000, 'x'),
  };
  for (const std::string& text : bad) {
    INFO(text);
    place.Put(text);
    const auto keys = place.Keys();
    REQUIRE(FailsWith(keys, Code::kCorrupted, "keys_db_key_malformed"));
    CHECK(keys.error().detail.starts_with(place.path));
    CHECK_FALSE(AddKeysDatabaseKey(place.path, place.ring()));
    CHECK_FALSE(PromoteKeysDatabaseKey(place.path, place.ring()));
    CHECK_FALSE(DropNextKeysDatabaseKey(place.path, place.ring()));
    CHECK(place.Text() == text);
    CHECK(place.directory.FileCount() == 3);
  }
}

TEST_CASE("another vault's key of keys.db does not open") {
  const KeysPlace place;
  const auto root = OpenKeyFile(place.directory / "root.key");
  REQUIRE(root);
  const auto other = Keyring::Create(place.directory / "other.json", **root, {}, "other");
  REQUIRE(other);
  place.Put(Joined({kGoldenHead, kGoldenFirst}));
  CHECK(FailsWith(ReadKeysDatabaseKeys(place.path, *other), Code::kCorrupted,
                  "keys_db_key_malformed"));
}

TEST_CASE("a version of the key of keys.db above the greatest there can be is not given") {
  const KeysPlace place;
  // Sealed by another script of the same kind: version 4294967295, key 73…73.
  place.Put(Joined({kGoldenHead,
                    "4294967295 Af////8MDAwMDAwMDAwMDAwdBhfvCUKrtCoAxH"
                    "YiML2lFeqM8QC44yYz+LVikd8r4LPBF6I2BP83Q5a4R9PuIvY=\n"}));
  CHECK(place.Versions() == "4294967295 ");
  const std::string text = place.Text();
  CHECK(FailsWith(AddKeysDatabaseKey(place.path, place.ring()), Code::kExhausted,
                  "keys_db_key_versions_exhausted"));
  CHECK(place.Text() == text);
}

TEST_CASE("a write of the keys of keys.db that ends half-way leaves the old file") {
  using Step = Status (*)(const std::string&, const Keyring&);
  const Step steps[] = {[](const std::string& path, const Keyring& ring) -> Status {
                          COFFER_TRY(AddKeysDatabaseKey(path, ring));
                          return {};
                        },
                        PromoteKeysDatabaseKey, DropNextKeysDatabaseKey};
  for (const Step step : steps) {
    const KeysPlace place;
    place.Put(step == steps[0] ? Joined({kGoldenHead, kGoldenFirst})
                               : Joined({kGoldenHead, kGoldenFirst, kGoldenNext}));
    const std::string text = place.Text();
    CHECK(SucceedsInChild([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = 50, .rlim_max = 50};
      return setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
             FailsWith(step(place.path, place.ring()), Code::kUnavailable, "file_not_written");
    }));
    CHECK(place.Text() == text);
    CHECK(place.directory.FileCount() == 3);
  }
}

}  // namespace coffer::crypto
