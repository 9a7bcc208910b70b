// The root key and the client-KEK are exchanged while the vault lives: nothing else may change, and
// what a crash or a key that does not work interrupts must leave the old keyring.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "crypto/atomic_file.h"
#include "crypto/keyring.h"
#include "crypto/keys_database_key.h"
#include "tests/crypto/failing_root.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

using nlohmann::json;

const Argon2idParameters kQuickExchange{.passes = 1, .memory_kib = 8, .salt = Bytes(16, 1)};

class ExchangedKeyring {
 public:
  ExchangedKeyring() { directory_.Put("keyring.json", kGoldenKeyring); }

  std::string Text() const { return directory_.Get("keyring.json"); }
  json Document() const { return json::parse(Text()); }
  Keyring Open(RootKeyProvider& root) const {
    auto ring = Keyring::Open(path, root);
    REQUIRE(ring);
    return *std::move(ring);
  }
  Keyring Open() const { return Open(root()); }
  KeyringHeader Header() const {
    auto header = Keyring::ReadHeader(path);
    REQUIRE(header);
    return *std::move(header);
  }
  RootKeyProvider& root() const { return *root_; }
  const TemporaryDirectory& directory() const { return directory_; }
  std::unique_ptr<RootKeyProvider> OtherFile(char digit = '2') const {
    return *OpenKeyFile(directory_.Put("other.key", std::string(64, digit)));
  }
  static std::unique_ptr<RootKeyProvider> Passphrase() {
    return *OpenPassphrase(SecretBytes::CopyOf(AsBytes("correct horse battery")), kQuickExchange);
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<RootKeyProvider> root_ = *OpenKeyFile(directory_.Put("root.key", kGoldenRootKey));

 public:
  const std::string path = directory_ / "keyring.json";
};

// Every key of two keyrings, but for who wraps them.
void CheckSameKeys(const Keyring& one, const Keyring& other) {
  CHECK(one.vault_id() == other.vault_id());
  CHECK(one.vault_db_key() == other.vault_db_key());
  CHECK(one.keys_db_key() == other.keys_db_key());
  CHECK(one.blind_index_key() == other.blind_index_key());
  CHECK(one.token_hash_key() == other.token_hash_key());
  CHECK(one.note_key() == other.note_key());
  CHECK(one.log_signing_key()->ExportSeed() == other.log_signing_key()->ExportSeed());
  CHECK(one.client_keks().versions() == other.client_keks().versions());
  Bytes opened(32);
  const Id128 owner{7};
  CHECK(other.UnwrapDataKey(one.WrapDataKey(Bytes(32, 5), owner), owner, opened));
  CHECK(opened == Bytes(32, 5));
}

enum class Fault { kOpensNothing, kGivesAnother };

// Wraps, and does not give back what it was given.
class RootThatLoses final : public RootKeyProvider {
 public:
  RootThatLoses(RootKeyProvider& root, Fault fault) : root_(root), fault_(fault) {}
  std::string_view kind() const override { return root_.kind(); }
  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override {
    if (fault_ == Fault::kGivesAnother) return root_.Wrap(SecretBytes(key.size()), context);
    return root_.Wrap(key, std::string(context) + "?");
  }
  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    return root_.Unwrap(wrapped, context);
  }

 private:
  RootKeyProvider& root_;
  Fault fault_;
};

}  // namespace

TEST_CASE("the root key is exchanged from any kind to any other, and the old one opens nothing") {
  const ExchangedKeyring vault;
  const Keyring before = vault.Open();
  const auto other = vault.OtherFile();
  const auto passphrase = ExchangedKeyring::Passphrase();
  RootKeyProvider* had = &vault.root();
  for (RootKeyProvider* next : {other.get(), passphrase.get(), &vault.root()}) {
    const auto wrap = vault.Header().root_wraps;
    REQUIRE(Keyring::ExchangeRootKey(vault.path, *had, *next, kQuickExchange));
    CheckSameKeys(before, vault.Open(*next));
    CHECK(FailsWith(Keyring::Open(vault.path, *had), Code::kUnauthenticated, "root_key_wrong"));
    CHECK(vault.Header().root_kind == next->kind());
    CHECK(vault.Header().root_wraps != wrap);
    CHECK(vault.Header().passphrase.salt ==
          (next->kind() == "passphrase" ? kQuickExchange.salt : Bytes()));
    had = next;
  }
  // Nothing else is in the file than before.
  json expected = json::parse(std::string(kGoldenKeyring)), after = vault.Document();
  for (const char* name : {"keys", "seal"}) {
    expected.erase(name);
    after.erase(name);
  }
  CHECK(after == expected);
  CHECK(ModeOf(vault.path) == 0600);
}

TEST_CASE(
    "a keyring gets the later keys of another beside its own, of the same vault and root key") {
  const ExchangedKeyring vault;
  REQUIRE(RemoveFile(vault.path));
  REQUIRE(Keyring::Create(vault.path, vault.root(), {}, "vault.example"));
  const Bytes before = *ReadFile(vault.path, 1UZ << 20);
  const auto exchange = [&](KeysInUse which) {
    REQUIRE(Keyring::AddNext(vault.path, vault.root(), which));
    REQUIRE(Keyring::DropOlder(vault.path, vault.root(), which));
  };
  for (int round = 0; round < 2; ++round) {
    exchange(KeysInUse::kClients);
    exchange(KeysInUse::kDatabases);
  }
  const Bytes after = *ReadFile(vault.path, 1UZ << 20);
  const Keyring later = vault.Open();
  const auto put = [&](const Bytes& keyring) { REQUIRE(WriteFileAtomically(vault.path, keyring)); };

  put(before);
  const Keyring earlier = vault.Open();
  const Keyring::JoinedVersions versions{earlier.vault_db_keys().newest(),
                                         later.vault_db_keys().newest()};
  REQUIRE(Keyring::Join(vault.path, vault.root(), after, versions));
  const Keyring joined = vault.Open();
  const std::vector<std::uint32_t> both = {earlier.vault_db_keys().newest(),
                                           later.vault_db_keys().newest()};
  CHECK(joined.vault_db_keys().versions() == both);
  CHECK(joined.keys_db_keys().versions() == both);
  CHECK(*joined.vault_db_keys().Find(both[0]) == earlier.vault_db_key());
  CHECK(joined.vault_db_key() == later.vault_db_key());
  CHECK(joined.keys_db_key() == later.keys_db_key());
  Bytes opened(32);
  const Id128 owner{7};
  for (const Keyring* one : {&earlier, &later}) {
    CHECK(joined.UnwrapDataKey(one->WrapDataKey(Bytes(32, 5), owner), owner, opened));
  }
  CHECK(joined.log_signing_key()->ExportSeed() == earlier.log_signing_key()->ExportSeed());

  // Again changes nothing. Of a third version only the two that are named stay, in both.
  const std::string text = vault.Text();
  REQUIRE(Keyring::Join(vault.path, vault.root(), after, versions));
  CHECK(vault.Document()["keys"] == json::parse(text)["keys"]);
  put(after);
  exchange(KeysInUse::kDatabases);
  const std::uint32_t third = vault.Open().vault_db_keys().newest();
  const Bytes newest = *ReadFile(vault.path, 1UZ << 20);
  put(Bytes(AsBytes(text).begin(), AsBytes(text).end()));
  REQUIRE(Keyring::Join(vault.path, vault.root(), newest, {versions.own, third}));
  CHECK(vault.Open().vault_db_keys().versions() == std::vector<std::uint32_t>{versions.own, third});
  CHECK(vault.Open().keys_db_keys().versions() == std::vector<std::uint32_t>{versions.own, third});
  const std::string two = vault.Text();
  for (const Keyring::JoinedVersions& none :
       {Keyring::JoinedVersions{third + 1, third}, {versions.own, third + 1}}) {
    CHECK(FailsWith(Keyring::Join(vault.path, vault.root(), newest, none), Code::kConflict,
                    "keyrings_do_not_join"));
  }
  // Of another vault, of another root key, or altered.
  REQUIRE(Keyring::Create(vault.directory() / "other.json", vault.root(), {}, "other.example"));
  CHECK(FailsWith(Keyring::Join(vault.path, vault.root(),
                                *ReadFile(vault.directory() / "other.json", 1UZ << 20), versions),
                  Code::kConflict, "keyrings_do_not_join"));
  const auto other_root = vault.OtherFile();
  put(after);
  REQUIRE(Keyring::ExchangeRootKey(vault.path, vault.root(), *other_root, {}));
  const Bytes of_other_root = *ReadFile(vault.path, 1UZ << 20);
  REQUIRE(WriteFileAtomically(vault.path, AsBytes(two)));
  CHECK(FailsWith(Keyring::Join(vault.path, vault.root(), of_other_root, versions),
                  Code::kUnauthenticated, "root_key_wrong"));
  CHECK(FailsWith(Keyring::Join(vault.path, vault.root(), AsBytes("{}"), versions),
                  Code::kCorrupted, "keyring_malformed"));
  CHECK(vault.Text() == two);
}

TEST_CASE("a root key that is exchanged for itself is refused, whatever file it is in") {
  const ExchangedKeyring vault;
  const auto copy = OpenKeyFile(vault.directory().Put("copy.key", kGoldenRootKey));
  REQUIRE(copy);
  CHECK(FailsWith(Keyring::ExchangeRootKey(vault.path, vault.root(), **copy, {}),
                  Code::kInvalidArgument, "root_key_unchanged"));
  CHECK(vault.Text() == kGoldenKeyring);
}

TEST_CASE("a wrong root key exchanges nothing") {
  const ExchangedKeyring vault;
  const auto wrong = vault.OtherFile('3'), next = vault.OtherFile('4');
  CHECK(FailsWith(Keyring::ExchangeRootKey(vault.path, *wrong, *next, {}), Code::kUnauthenticated,
                  "root_key_wrong"));
  CHECK(vault.Text() == kGoldenKeyring);
}

TEST_CASE("root keys that fail at any call leave the old keyring") {
  const ExchangedKeyring vault;
  const auto next = vault.OtherFile();
  for (const bool old_fails : {true, false}) {
    int good_calls = 0;
    for (;; ++good_calls) {
      FailingRoot ending(old_fails ? vault.root() : *next, good_calls);
      RootKeyProvider& from = old_fails ? static_cast<RootKeyProvider&>(ending) : vault.root();
      RootKeyProvider& to = old_fails ? *next : static_cast<RootKeyProvider&>(ending);
      const Status status = Keyring::ExchangeRootKey(vault.path, from, to, {});
      if (status) break;
      CHECK(FailsWith(status, Code::kUnavailable, "token_absent"));
      CHECK(vault.Text() == kGoldenKeyring);
    }
    CHECK(good_calls > 14);
    CHECK_FALSE(Keyring::Open(vault.path, vault.root()));
    vault.directory().Put("keyring.json", kGoldenKeyring);
  }
}

TEST_CASE("a root key that does not give back what it wrapped never gets to replace the keyring") {
  const ExchangedKeyring vault;
  const auto next = vault.OtherFile();
  for (const Fault fault : {Fault::kOpensNothing, Fault::kGivesAnother}) {
    RootThatLoses losing(*next, fault);
    CHECK(FailsWith(Keyring::ExchangeRootKey(vault.path, vault.root(), losing, {}), Code::kInternal,
                    "root_key_unusable"));
    CHECK(vault.Text() == kGoldenKeyring);
  }
}

TEST_CASE("what a crash left of an earlier keyring goes with an exchange of the root key") {
  const ExchangedKeyring vault;
  vault.directory().Put("keyring.json.0123456789abcdef.tmp", kGoldenKeyring);
  const auto next = vault.OtherFile();
  REQUIRE(Keyring::ExchangeRootKey(vault.path, vault.root(), *next, {}));
  CHECK(vault.directory().FileCount() == 3);
}

TEST_CASE("a client-KEK is added and the older dropped, and nothing else changes") {
  const ExchangedKeyring vault;
  REQUIRE(
      Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kClients));  // the golden one has two
  const json before = vault.Document();
  const Id128 owner{9};
  const Bytes by_old = vault.Open().WrapDataKey(Bytes(32, 1), owner);
  const auto wrap = vault.Header().root_wraps;
  CHECK(vault.Header().versions.at("client-kek") == std::vector<std::uint32_t>{2});
  const auto added = Keyring::AddNext(vault.path, vault.root(), KeysInUse::kClients);
  REQUIRE(added);
  CHECK(*added == 3);
  CHECK(FailsWith(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kClients), Code::kConflict,
                  "rotation_in_progress"));
  CHECK(vault.Header().versions.at("client-kek") == std::vector<std::uint32_t>{2, 3});
  CHECK(vault.Header().root_wraps == wrap);

  // Each opens by the version that it names, and what is new names the newest.
  const Keyring both = vault.Open();
  Bytes out(32);
  CHECK(both.UnwrapDataKey(by_old, owner, out));
  const auto rewrapped = both.client_keks().Rewrap(by_old, owner);
  REQUIRE((rewrapped && *rewrapped));
  CHECK(KeyIdOf(**rewrapped) == 3U);
  CHECK(KeyIdOf(both.WrapDataKey(Bytes(32, 1), owner)) == 3U);
  const auto again = both.client_keks().Rewrap(**rewrapped, owner);
  CHECK((again && !*again));

  REQUIRE(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kClients));
  const Keyring one = vault.Open();
  CHECK(one.client_keks().versions() == std::vector<std::uint32_t>{3});
  CHECK(one.UnwrapDataKey(**rewrapped, owner, out));
  CHECK(out == Bytes(32, 1));
  CHECK(FailsWith(one.UnwrapDataKey(by_old, owner, out), Code::kCorrupted, "client_kek_unknown"));
  CHECK(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kClients));
  json expected = before, after = vault.Document();
  for (json* document : {&expected, &after}) {
    (*document)["keys"].erase("client-kek");
    document->erase("seal");
  }
  CHECK(after == expected);
}

TEST_CASE(
    "a running holder takes up the next client-KEK, from who has the one before and the notes") {
  const ExchangedKeyring vault;
  REQUIRE(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kClients));
  Keyring running = vault.Open();
  REQUIRE(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kClients));
  const Keyring both = vault.Open();
  const auto sealed = both.client_keks().SealNewest(both.note_key());
  REQUIRE(sealed);
  CHECK_FALSE(running.client_keks().SealNewest(running.note_key()));

  // Half of what it takes is not enough.
  CHECK(FailsWith(running.client_keks().Take(*sealed, running.token_hash_key()), Code::kCorrupted,
                  "envelope_not_authentic"));
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    Bytes altered = *sealed;
    altered[i] ^= 1;
    const auto taken = running.client_keks().Take(altered, running.note_key());
    CHECK((!taken || !*taken));
  }
  CHECK(running.client_keks().newest() == 2);
  const auto taken = running.client_keks().Take(*sealed, running.note_key());
  REQUIRE(taken);
  CHECK(*taken);
  CHECK(running.client_keks().versions() == std::vector<std::uint32_t>{2, 3});
  CheckSameKeys(running, both);
  CHECK(running.client_keks().Take(*sealed, running.note_key()) == false);
  running.client_keks().ForgetOlder();
  CHECK(running.client_keks().versions() == std::vector<std::uint32_t>{3});
}

TEST_CASE("the keys of both databases are exchanged together, and nothing else is") {
  const ExchangedKeyring vault;
  const json before = vault.Document();
  const Keyring old_keys = vault.Open();
  const std::uint32_t first = old_keys.vault_db_keys().newest();
  const auto wraps = vault.Header().root_wraps;
  CHECK(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kDatabases));
  CHECK(vault.Document() == before);
  CHECK(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kDatabases) == first + 1);
  CHECK(FailsWith(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kDatabases),
                  Code::kConflict, "rotation_in_progress"));
  CHECK(vault.Header().versions.at("vault-db") == std::vector{first, first + 1});
  CHECK(vault.Header().versions.at("keys-db") == std::vector{first, first + 1});
  // That the root key is another would show in the older's wrap.
  REQUIRE(vault.Header().root_wraps.size() == 2);
  CHECK(vault.Header().root_wraps.front() == wraps.front());

  const Keyring both = vault.Open();
  CHECK(both.vault_db_keys().Find(first) == old_keys.vault_db_key());
  CHECK(both.keys_db_keys().Find(first) == old_keys.keys_db_key());
  CHECK(both.vault_db_key() != old_keys.vault_db_key());
  CHECK(both.keys_db_key() != old_keys.keys_db_key());
  CHECK(both.vault_db_key() != both.keys_db_key());

  REQUIRE(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kDatabases));
  const Keyring after = vault.Open();
  CHECK(after.vault_db_keys().versions() == std::vector{first + 1});
  CHECK(after.vault_db_key() == both.vault_db_key());
  CHECK_FALSE(after.vault_db_keys().Find(first));
  json expected = before, now = vault.Document();
  for (json* document : {&expected, &now}) {
    for (const char* name : {"vault-db", "keys-db"}) (*document)["keys"].erase(name);
    document->erase("seal");
  }
  CHECK(now == expected);
}

TEST_CASE("a keyring whose databases' keys are not exchanged together is malformed") {
  const ExchangedKeyring vault;
  REQUIRE(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kDatabases));
  const json good = vault.Document();
  const auto fails = [&](const json& document) {
    vault.directory().Put("keyring.json", document.dump());
    return FailsWith(Keyring::ReadHeader(vault.path), Code::kCorrupted, "keyring_malformed");
  };
  for (const char* name : {"vault-db", "keys-db"}) {
    const auto newest = std::prev(good["keys"][name].end());
    json one_less = good, another = good, three = good, none = good;
    one_less["keys"][name].erase(newest.key());
    CHECK(fails(one_less));
    another["keys"][name].erase(newest.key());
    another["keys"][name]["77"] = newest.value();
    CHECK(fails(another));
    for (const char* both : {"vault-db", "keys-db"}) three["keys"][both]["77"] = newest.value();
    CHECK(fails(three));
    none["keys"].erase(name);
    CHECK(fails(none));
  }
}

TEST_CASE("keys.db.key opens under either of two keys, and is written under the newest") {
  const ExchangedKeyring vault;
  const Keyring old_keys = vault.Open();
  const std::string path = vault.directory() / "keys.db.key";
  const auto page_key = CreateKeysDatabaseKey(path, old_keys);
  REQUIRE(page_key);
  CHECK(IsUnderNewestKeysDbKey(path, old_keys) == true);
  CHECK(IsUnderNewestKeysDbKey(path + ".none", old_keys) == false);
  REQUIRE(Keyring::AddNext(vault.path, vault.root(), KeysInUse::kDatabases));
  const Keyring both = vault.Open();
  CHECK(IsUnderNewestKeysDbKey(path, both) == false);
  auto read = ReadKeysDatabaseKeys(path, both);
  REQUIRE(read);
  CHECK(read->front().key == *page_key);
  REQUIRE(AddKeysDatabaseKey(path, both));
  CHECK(IsUnderNewestKeysDbKey(path, both) == true);
  CHECK(FailsWith(ReadKeysDatabaseKeys(path, old_keys), Code::kCorrupted, "keys_db_key_malformed"));
  REQUIRE(Keyring::DropOlder(vault.path, vault.root(), KeysInUse::kDatabases));
  const Keyring after = vault.Open();
  read = ReadKeysDatabaseKeys(path, after);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK(read->front().key == *page_key);
  CHECK(
      FailsWith(IsUnderNewestKeysDbKey(path, old_keys), Code::kCorrupted, "keys_db_key_malformed"));
}

}  // namespace coffer::crypto
