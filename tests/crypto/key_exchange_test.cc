// The root key and the client-KEK are exchanged while the vault lives: nothing else may change, and
// what a crash or a key that does not work interrupts must leave the old keyring.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "crypto/keyring.h"
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
  CHECK(one.log_signing_key().ExportSeed() == other.log_signing_key().ExportSeed());
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
    const auto wrap = vault.Header().root_wrap;
    REQUIRE(Keyring::ExchangeRootKey(vault.path, *had, *next, kQuickExchange));
    CheckSameKeys(before, vault.Open(*next));
    CHECK(FailsWith(Keyring::Open(vault.path, *had), Code::kUnauthenticated, "root_key_wrong"));
    CHECK(vault.Header().root_kind == next->kind());
    CHECK(vault.Header().root_wrap != wrap);
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
  REQUIRE(Keyring::DropOlderClientKeks(vault.path, vault.root()));  // the golden one has two
  const json before = vault.Document();
  const Id128 owner{9};
  const Bytes by_old = vault.Open().WrapDataKey(Bytes(32, 1), owner);
  const auto wrap = vault.Header().root_wrap;
  CHECK(vault.Header().versions.at("client-kek") == std::vector<std::uint32_t>{2});
  const auto added = Keyring::AddClientKek(vault.path, vault.root());
  REQUIRE(added);
  CHECK(*added == 3);
  CHECK(FailsWith(Keyring::AddClientKek(vault.path, vault.root()), Code::kConflict,
                  "rotation_in_progress"));
  CHECK(vault.Header().versions.at("client-kek") == std::vector<std::uint32_t>{2, 3});
  CHECK(vault.Header().root_wrap == wrap);

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

  REQUIRE(Keyring::DropOlderClientKeks(vault.path, vault.root()));
  const Keyring one = vault.Open();
  CHECK(one.client_keks().versions() == std::vector<std::uint32_t>{3});
  CHECK(one.UnwrapDataKey(**rewrapped, owner, out));
  CHECK(out == Bytes(32, 1));
  CHECK(FailsWith(one.UnwrapDataKey(by_old, owner, out), Code::kCorrupted, "client_kek_unknown"));
  CHECK(Keyring::DropOlderClientKeks(vault.path, vault.root()));
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
  REQUIRE(Keyring::DropOlderClientKeks(vault.path, vault.root()));
  Keyring running = vault.Open();
  REQUIRE(Keyring::AddClientKek(vault.path, vault.root()));
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

}  // namespace coffer::crypto
