// The log's signing key is replaced while the vault lives: nothing else may change, and what a
// crash or a wrong root key interrupts must leave the old keyring.
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "crypto/internal/keyring_format.h"
#include "crypto/internal/sealed_keyring.h"
#include "crypto/keyring.h"
#include "tests/crypto/child_process.h"
#include "tests/crypto/failing_root.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

using nlohmann::json;

constexpr std::array kSteps{&Keyring::AddLogKey, &Keyring::RetireLogKey,
                            &Keyring::DropRetiredLogKey};

template <class T>
bool IsMalformed(const Result<T>& result) {
  return FailsWith(result, Code::kCorrupted, "keyring_malformed");
}

// The golden vault, with one log key or in the middle of a rotation.
class Vault {
 public:
  explicit Vault(std::string_view keyring = kGoldenKeyring) { Put(keyring); }

  void Put(std::string_view text) const { directory_.Put("keyring.json", text); }
  std::string Text() const { return directory_.Get("keyring.json"); }
  json Document() const { return json::parse(Text()); }

  Keyring Open() const {
    auto ring = Keyring::Open(path, root());
    REQUIRE(ring);
    return *std::move(ring);
  }
  KeyringHeader Header() const {
    auto header = Keyring::ReadHeader(path);
    REQUIRE(header);
    return *std::move(header);
  }
  Status Add() const { return Keyring::AddLogKey(path, root()); }
  Status Retire() const { return Keyring::RetireLogKey(path, root()); }
  Status Drop() const { return Keyring::DropRetiredLogKey(path, root()); }

  RootKeyProvider& root() const { return *root_; }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<RootKeyProvider> root_ = *OpenKeyFile(directory_.Put("root.key", kGoldenRootKey));

 public:
  const std::string path = directory_ / "keyring.json";
};

std::vector<std::uint32_t> Versions(const Keyring& ring) {
  std::vector<std::uint32_t> versions;
  for (const auto& key : ring.log_keys()) versions.push_back(key.version);
  return versions;
}

std::vector<PublicKey> PublicKeys(const Keyring& ring) {
  std::vector<PublicKey> keys;
  for (const auto& key : ring.log_keys()) keys.push_back(key.key->public_key());
  return keys;
}

bool Holds(const SecretBytes& key, std::uint8_t byte) {
  return ConstantTimeEqual(key.ExposeSecret(), Bytes(32, byte));
}

// Whatever a rotation may not touch.
json TheRest(json document) {
  document["keys"].erase("log-signing");
  document["log"].erase("public_key");
  document["log"].erase("public_keys");
  document.erase("format");
  document.erase("seal");
  return document;
}

// Opens what there is, and wraps so that nobody can open it.
class RootThatWrapsRubbish final : public RootKeyProvider {
 public:
  explicit RootThatWrapsRubbish(RootKeyProvider& root) : root_(root) {}
  std::string_view kind() const override { return root_.kind(); }
  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override {
    return root_.Wrap(key, std::string(context) + "?");
  }
  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    return root_.Unwrap(wrapped, context);
  }

 private:
  RootKeyProvider& root_;
};

// The vault ready for kSteps[step].
Vault ReadyFor(std::size_t step) { return Vault(step == 0 ? kGoldenKeyring : kGoldenTwoLogKeys); }

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Keyring::LogKey> && !Printable<SigningKey> && !Printable<Keyring>);

}  // namespace

TEST_CASE("the keyring with two log keys written elsewhere from the format's description opens") {
  const Vault vault(kGoldenTwoLogKeys);
  const Keyring ring = vault.Open();
  REQUIRE(Versions(ring) == std::vector<std::uint32_t>{1, 2});
  CHECK(Holds(ring.log_keys()[0].key->ExportSeed(), 0xe1));
  CHECK(Holds(ring.log_keys()[1].key->ExportSeed(), 0xe2));
  CHECK(ring.log_keys()[0].retiring);
  CHECK_FALSE(ring.log_keys()[1].retiring);
  CHECK(ring.log_signing_key() == ring.log_keys()[1].key);
  CHECK(Holds(ring.vault_db_key(), 0x91));

  const KeyringHeader header = vault.Header();
  CHECK(header.log_public_keys == PublicKeys(ring));
  CHECK(header.log_public_key == ring.log_signing_key()->public_key());
  CHECK(header.oldest_log_key_retiring);
  const auto document = internal::ParseKeyring(kGoldenTwoLogKeys);
  REQUIRE(document);
  CHECK(internal::RenderKeyring(*document) == kGoldenTwoLogKeys);
}

TEST_CASE("a log key is added, the old one retired and dropped, and nothing else changes") {
  const Vault vault;
  const json before = vault.Document();
  const Keyring first = vault.Open();
  CHECK(Versions(first) == std::vector<std::uint32_t>{1});
  CHECK(vault.Header().log_public_keys == PublicKeys(first));
  const std::string old_wrapped = before["keys"]["log-signing"]["1"];

  REQUIRE(vault.Add());
  const Keyring both = vault.Open();
  REQUIRE(Versions(both) == std::vector<std::uint32_t>{1, 2});
  CHECK_FALSE((both.log_keys()[0].retiring || both.log_keys()[1].retiring));
  CHECK(Holds(both.log_keys()[0].key->ExportSeed(), 0xe1));
  CHECK(both.log_signing_key()->public_key() == both.log_keys()[1].key->public_key());
  CHECK(vault.Header().log_public_keys == PublicKeys(both));
  CHECK_FALSE(vault.Header().oldest_log_key_retiring);
  CHECK(vault.Document()["keys"]["log-signing"]["1"] == old_wrapped);
  CHECK(TheRest(vault.Document()) == TheRest(before));
  // Each can sign by itself.
  for (const auto& key : both.log_keys()) {
    CHECK(VerifySignature(key.key->public_key(), AsBytes("head"), key.key->Sign(AsBytes("head"))));
  }

  const json keys_of_both = vault.Document()["keys"];
  REQUIRE(vault.Retire());
  const Keyring retiring = vault.Open();
  CHECK(PublicKeys(retiring) == PublicKeys(both));
  CHECK((retiring.log_keys()[0].retiring && !retiring.log_keys()[1].retiring));
  CHECK(vault.Header().oldest_log_key_retiring);
  CHECK(vault.Header().log_public_key == both.log_keys()[1].key->public_key());
  CHECK(vault.Document()["keys"] == keys_of_both);
  CHECK(TheRest(vault.Document()) == TheRest(before));

  REQUIRE(vault.Drop());
  const Keyring last = vault.Open();
  CHECK(Versions(last) == std::vector<std::uint32_t>{2});
  CHECK_FALSE(last.log_keys()[0].retiring);
  CHECK(last.log_signing_key()->ExportSeed() == both.log_keys()[1].key->ExportSeed());
  CHECK(vault.Header().log_public_keys == PublicKeys(last));
  CHECK(TheRest(vault.Document()) == TheRest(before));
  CHECK(ModeOf(vault.path) == 0600);
  CHECK(vault.directory().FileCount() == 2);
}

TEST_CASE("a keyring with one log key is of the form that older programs read, at any version") {
  const Vault vault;
  const json before = vault.Document();
  for (const char* const version : {"2", "3", "4"}) {
    REQUIRE(vault.Add());
    CHECK(vault.Document()["format"] == "coffer-keyring-v2");
    REQUIRE(vault.Retire());
    REQUIRE(vault.Drop());
    const Keyring ring = vault.Open();
    json expected = before;
    expected["keys"]["log-signing"] = {{version, vault.Document()["keys"]["log-signing"][version]}};
    expected["log"]["public_key"] = Base64Encode(ring.log_signing_key()->public_key());
    expected["seal"] = vault.Document()["seal"];
    CHECK(vault.Text() == expected.dump(2) + "\n");
  }
}

TEST_CASE("the wrapped key is in no file after the drop, nor where a crash had left it") {
  const Vault vault;
  const std::string wrapped = vault.Document()["keys"]["log-signing"]["1"];
  const auto public_key = Base64Encode(vault.Open().log_signing_key()->public_key());
  REQUIRE(vault.Add());
  vault.directory().Put("keyring.json.0123456789abcdef.tmp", vault.Text());
  REQUIRE(vault.Retire());
  vault.directory().Put("keyring.json.fedcba9876543210.tmp", vault.Text().substr(0, 1500));
  vault.directory().Put("keyring.json.backup", "the operator's own");
  REQUIRE(vault.Text().contains(wrapped));
  REQUIRE(vault.Drop());
  for (const auto& file : std::filesystem::directory_iterator(vault.directory().path())) {
    INFO(file.path());
    const std::string text = vault.directory().Get(file.path().filename().native());
    CHECK_FALSE(text.contains(wrapped));
    CHECK_FALSE(text.contains(wrapped.substr(24, 40)));
    CHECK_FALSE(text.contains(public_key));
  }
  CHECK(vault.directory().FileCount() == 3);

  // Also after a crash between the two.
  vault.directory().Put("keyring.json.0123456789abcdef.tmp", "left behind");
  const std::string text = vault.Text();
  REQUIRE(vault.Drop());
  CHECK(vault.directory().FileCount() == 3);
  CHECK(vault.Text() == text);
}

TEST_CASE("steps out of turn are refused or do nothing") {
  const Vault vault;
  std::string text = vault.Text();
  CHECK(FailsWith(vault.Retire(), Code::kConflict, "nothing_to_retire"));
  CHECK(vault.Drop());
  CHECK(vault.Text() == text);

  REQUIRE(vault.Add());
  text = vault.Text();
  CHECK(FailsWith(vault.Add(), Code::kConflict, "rotation_in_progress"));
  CHECK(vault.Drop());  // none is marked
  CHECK(vault.Text() == text);

  REQUIRE(vault.Retire());
  text = vault.Text();
  CHECK(FailsWith(vault.Add(), Code::kConflict, "rotation_in_progress"));
  CHECK(vault.Retire());
  CHECK(vault.Text() == text);

  REQUIRE(vault.Drop());
  text = vault.Text();
  CHECK(vault.Drop());
  CHECK(vault.Text() == text);
}

TEST_CASE("a version above the greatest there can be is not given") {
  const Vault vault;
  auto document = internal::ParseKeyring(kGoldenKeyring);
  REQUIRE(document);
  auto& versions = document->keys.find(internal::kLogSigning)->second;
  versions.clear();
  const auto seed = SecretBytes::CopyOf(Bytes(32, 0xe1));
  REQUIRE(internal::WrapKey(*document, internal::kLogSigning, 4294967295, seed, vault.root()));
  REQUIRE(internal::SealKeyring(*document, vault.root()));
  vault.Put(internal::RenderKeyring(*document));
  CHECK(Versions(vault.Open()) == std::vector<std::uint32_t>{4294967295});
  CHECK(FailsWith(vault.Add(), Code::kExhausted, "log_key_versions_exhausted"));
}

TEST_CASE("a wrong root key changes nothing") {
  const TemporaryDirectory elsewhere;
  const auto other = OpenKeyFile(elsewhere.Put("root.key", std::string(64, '2')));
  REQUIRE(other);
  const Argon2idParameters quick{.passes = 1, .memory_kib = 8, .salt = Bytes(16, 1)};
  const auto passphrase =
      OpenPassphrase(SecretBytes::CopyOf(AsBytes("correct horse battery")), quick);
  REQUIRE(passphrase);
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    const Vault vault = ReadyFor(step);
    vault.directory().Put("keyring.json.0123456789abcdef.tmp", "left behind");
    const std::string text = vault.Text();
    for (RootKeyProvider* root : {other->get(), passphrase->get()}) {
      CHECK(FailsWith(kSteps[step](vault.path, *root), Code::kUnauthenticated, "root_key_wrong"));
    }
    CHECK(vault.Text() == text);
    CHECK(vault.directory().FileCount() == 3);
  }
  CHECK(FailsWith(Keyring::AddLogKey(elsewhere / "none", **other), Code::kNotFound,
                  "keyring_missing"));
}

TEST_CASE("a root key that fails at any call leaves the old keyring") {
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    const Vault vault = ReadyFor(step);
    const std::string text = vault.Text();
    int good_calls = 0;
    for (;; ++good_calls) {
      FailingRoot root(vault.root(), good_calls);
      const Status status = kSteps[step](vault.path, root);
      if (status) break;
      CHECK(FailsWith(status, Code::kUnavailable, "token_absent"));
      CHECK(vault.Text() == text);
      CHECK(vault.directory().FileCount() == 2);
    }
    // Retiring what retires already asks for the seal only.
    CHECK(good_calls >= (step == 1 ? 1 : 10));
    vault.Open();
  }
}

TEST_CASE("a root key that cannot unwrap what it wraps never gets to replace the keyring") {
  const Vault vault;
  RootThatWrapsRubbish rubbish(vault.root());
  CHECK_FALSE(Keyring::AddLogKey(vault.path, rubbish));
  CHECK(vault.Text() == kGoldenKeyring);
  REQUIRE(vault.Add());
  const std::string text = vault.Text();
  CHECK_FALSE(Keyring::RetireLogKey(vault.path, rubbish));
  CHECK(vault.Text() == text);
  vault.Put(kGoldenTwoLogKeys);
  CHECK_FALSE(Keyring::DropRetiredLogKey(vault.path, rubbish));
  CHECK(vault.Text() == kGoldenTwoLogKeys);
}

TEST_CASE("a write that cannot begin, or ends half-way, leaves the old keyring") {
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    const Vault vault = ReadyFor(step);
    if (step == 1) {  // whose key is not yet marked
      vault.Put(kGoldenKeyring);
      REQUIRE(vault.Add());
    }
    const std::string text = vault.Text();
    CHECK(SucceedsInChild([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
      return setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
             FailsWith(kSteps[step](vault.path, vault.root()), Code::kUnavailable,
                       "file_not_written");
    }));
    // Readable for all, as the child is another user if it was root.
    REQUIRE(chmod(vault.path.c_str(), 0644) == 0);
    REQUIRE(chmod(vault.directory().path().c_str(), 0555) == 0);
    CHECK(SucceedsInChild([&] {
      return DropPrivileges() && FailsWith(kSteps[step](vault.path, vault.root()),
                                           Code::kUnavailable, "file_not_written");
    }));
    REQUIRE(chmod(vault.directory().path().c_str(), 0700) == 0);
    CHECK(vault.Text() == text);
    CHECK(vault.directory().FileCount() == 2);
    vault.Open();
  }
}

TEST_CASE("open rejects a sealed public key that is not the one of its private key") {
  for (const std::size_t which : {0UL, 1UL}) {
    const Vault vault;
    auto document = internal::ParseKeyring(kGoldenTwoLogKeys);
    REQUIRE(document);
    document->header.log_public_keys[which] = SigningKey::Generate().public_key();
    REQUIRE(internal::SealKeyring(*document, vault.root()));
    vault.Put(internal::RenderKeyring(*document));
    const auto ring = Keyring::Open(vault.path, vault.root());
    REQUIRE(IsMalformed(ring));
    CHECK(ring.error().detail.contains("names a public key"));
    CHECK(IsMalformed(vault.Drop()) == (which == 1));  // not of the key that goes
  }
}

TEST_CASE("no log key is printed, neither in the file nor in what is said about it") {
  const Vault vault;
  REQUIRE(vault.Add());
  const Keyring ring = vault.Open();
  std::string said = vault.Text();
  const auto say = [&](const Status& status) {
    REQUIRE_FALSE(status);
    said += "\n" + std::string(status.error().reason) + " " + status.error().detail;
  };
  say(vault.Add());
  RootThatWrapsRubbish rubbish(vault.root());
  say(Keyring::RetireLogKey(vault.path, rubbish));
  vault.Put(vault.Text().substr(0, 1200));
  say(vault.Retire());
  vault.Put(kGoldenKeyring);
  say(vault.Retire());
  for (const auto& key : ring.log_keys()) {
    const SecretBytes seed = key.key->ExportSeed();
    CHECK_FALSE(said.contains(AsText(seed.ExposeSecret())));
    CHECK_FALSE(said.contains(HexEncode(seed.ExposeSecret())));
    CHECK_FALSE(said.contains(Base64Encode(seed.ExposeSecret()).substr(0, 42)));
  }
}

}  // namespace coffer::crypto
