#include "crypto/keyring.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/internal/keyring_format.h"
#include "crypto/random.h"
#include "tests/crypto/child_process.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/hex.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kOrigin = "vault.example/log";

const Argon2idParameters& QuickParameters() {
  static const Argon2idParameters parameters{.passes = 1, .memory_kib = 8, .salt = Bytes(16, 1)};
  return parameters;
}

std::unique_ptr<RootKeyProvider> Passphrase(std::string_view text) {
  auto root = OpenPassphrase(SecretBytes::CopyOf(AsBytes(text)), QuickParameters());
  REQUIRE(root);
  return *std::move(root);
}

// A vault of this test's own: where the keyring goes and a root key file.
struct Place {
  TemporaryDirectory directory;
  std::string path = directory / "keyring.json";

  std::unique_ptr<RootKeyProvider> KeyFile(std::string_view name = "root.key") const {
    if (!std::filesystem::exists(directory.path() / name)) REQUIRE(CreateKeyFile(directory / name));
    auto root = OpenKeyFile(directory / name);
    REQUIRE(root);
    return *std::move(root);
  }

  Keyring Create(RootKeyProvider& root) const {
    auto ring = Keyring::Create(path, root, QuickParameters(), kOrigin);
    REQUIRE(ring);
    return *std::move(ring);
  }
};

bool SameKeys(const Keyring& a, const Keyring& b) {
  return a.vault_id() == b.vault_id() && a.log_origin() == b.log_origin() &&
         a.vault_db_key() == b.vault_db_key() && a.keys_db_key() == b.keys_db_key() &&
         a.blind_index_key() == b.blind_index_key() && a.token_hash_key() == b.token_hash_key() &&
         a.note_key() == b.note_key() &&
         a.log_signing_key()->public_key() == b.log_signing_key()->public_key() &&
         a.log_signing_key()->ExportSeed() == b.log_signing_key()->ExportSeed();
}

// An HSM that is not there.
class AbsentToken final : public RootKeyProvider {
 public:
  std::string_view kind() const override { return "key-file"; }
  Result<Bytes> Wrap(const SecretBytes&, std::string_view) override { return Absent(); }
  Result<SecretBytes> Unwrap(ByteView, std::string_view) override { return Absent(); }

 private:
  static std::unexpected<Error> Absent() { return Fail(Code::kUnavailable, "token_absent"); }
};

Bytes Repeated(std::uint8_t byte) { return Bytes(32, byte); }

bool KeyringHolds(const SecretBytes& key, std::uint8_t byte) {
  return ConstantTimeEqual(key.ExposeSecret(), Repeated(byte));
}

}  // namespace

TEST_CASE("a created keyring opens again with all of its keys") {
  const Place place;
  const auto root = place.KeyFile();
  const Keyring created = place.Create(*root);
  CHECK(ModeOf(place.path) == 0600);
  const auto opened = Keyring::Open(place.path, *place.KeyFile());
  REQUIRE(opened);
  CHECK(SameKeys(created, *opened));

  const Id128 owner{1, 2, 3};
  const auto data_key = SecretBytes::Random(kAeadKeyBytes);
  Bytes out(kAeadKeyBytes);
  REQUIRE(opened->UnwrapDataKey(created.WrapDataKey(data_key.ExposeSecret(), owner), owner, out));
  CHECK(ConstantTimeEqual(out, data_key.ExposeSecret()));
}

TEST_CASE("a keyring under a passphrase records how the root key is derived") {
  const Place place;
  const Keyring created = place.Create(*Passphrase("correct horse battery"));
  const auto header = Keyring::ReadHeader(place.path);
  REQUIRE(header);
  CHECK(header->vault_id == created.vault_id());
  CHECK(header->root_kind == "passphrase");
  CHECK(header->passphrase.passes == QuickParameters().passes);
  CHECK(header->passphrase.memory_kib == QuickParameters().memory_kib);
  CHECK(header->passphrase.salt == QuickParameters().salt);
  CHECK(header->log_origin == kOrigin);
  CHECK(header->log_public_key == created.log_signing_key()->public_key());
  const auto opened = Keyring::Open(place.path, *Passphrase("correct horse battery"));
  REQUIRE(opened);
  CHECK(SameKeys(created, *opened));
}

TEST_CASE("the keyring written elsewhere from the format's description opens") {
  const Place place;
  place.directory.Put("root.key", kGoldenRootKey);
  place.directory.Put("keyring.json", kGoldenKeyring);
  const auto ring = Keyring::Open(place.path, *place.KeyFile());
  REQUIRE(ring);
  CHECK(HexEncode(ring->vault_id()) == "101112131415161718191a1b1c1d1e1f");
  CHECK(ring->log_origin() == kOrigin);
  CHECK(KeyringHolds(ring->vault_db_key(), 0x91));
  CHECK(KeyringHolds(ring->keys_db_key(), 0xd1));
  CHECK(KeyringHolds(ring->blind_index_key(), 0xb1));
  CHECK(KeyringHolds(ring->token_hash_key(), 0xa1));
  CHECK(KeyringHolds(ring->note_key(), 0xf1));
  CHECK(KeyringHolds(ring->log_signing_key()->ExportSeed(), 0xe1));

  Id128 owner;
  for (std::size_t i = 0; i < owner.size(); ++i) owner[i] = static_cast<std::uint8_t>(0x20 + i);
  Bytes data_key(kAeadKeyBytes);
  REQUIRE(ring->UnwrapDataKey(Hex(kGoldenDataKey1), owner, data_key));
  CHECK(data_key == Repeated(0x81));
  REQUIRE(ring->UnwrapDataKey(Hex(kGoldenDataKey2), owner, data_key));
  CHECK(data_key == Repeated(0x82));
  // The greatest version wraps.
  CHECK(*KeyIdOf(ring->WrapDataKey(data_key, owner)) == 2);
}

TEST_CASE("the keyring is written as it was read") {
  const auto document = internal::ParseKeyring(kGoldenKeyring);
  REQUIRE(document);
  CHECK(internal::RenderKeyring(*document) == kGoldenKeyring);
}

TEST_CASE("no key stands in the keyring in clear") {
  const Place place;
  const Keyring ring = place.Create(*place.KeyFile());
  const std::string text = place.directory.Get("keyring.json");
  const auto seed = ring.log_signing_key()->ExportSeed();
  const auto vault_db = ring.vault_db_key(), keys_db = ring.keys_db_key();
  for (const SecretBytes* key : {&vault_db, &keys_db, &ring.blind_index_key(),
                                 &ring.token_hash_key(), &ring.note_key(), &seed}) {
    CHECK_FALSE(text.contains(Base64Encode(key->ExposeSecret()).substr(0, 42)));
    CHECK_FALSE(text.contains(HexEncode(key->ExposeSecret())));
  }
}

TEST_CASE("creating never replaces a keyring") {
  const Place place;
  const auto root = place.KeyFile();
  const Keyring created = place.Create(*root);
  CHECK(FailsWith(Keyring::Create(place.path, *root, {}, kOrigin), Code::kConflict,
                  "keyring_exists"));
  const auto opened = Keyring::Open(place.path, *root);
  REQUIRE(opened);
  CHECK(SameKeys(created, *opened));
}

TEST_CASE("creating refuses an origin that a checkpoint could not carry") {
  const Place place;
  const auto root = place.KeyFile();
  for (const std::string& origin :
       {std::string(), std::string(201, 'x'), std::string("a b"), std::string("a+b"),
        std::string("a\n"), std::string("\t"), std::string("a\x7f"), std::string("a\0b", 3),
        std::string("a\xC2\xA0"
                    "b"),
        std::string("a\xE2\x80\xA8"), std::string("a\xC2\x85"), std::string("\xFF")}) {
    INFO(HexEncode(AsBytes(origin)));
    CHECK(FailsWith(Keyring::Create(place.path, *root, {}, origin), Code::kInvalidArgument,
                    "log_origin_invalid"));
  }
  CHECK_FALSE(std::filesystem::exists(place.path));
  const std::string longest = std::string(198, 'x') + "\xC3\xA9";
  REQUIRE(Keyring::Create(place.path, *root, {}, longest));
  CHECK(Keyring::Open(place.path, *root)->log_origin() == longest);
}

TEST_CASE("creating under a passphrase refuses a salt it could not have used") {
  const Place place;
  CHECK(FailsWith(Keyring::Create(place.path, *Passphrase("correct horse battery"), {}, kOrigin),
                  Code::kInvalidArgument, "kdf_parameters_invalid"));
}

TEST_CASE("a keyring that cannot be written, or wrapped, is no keyring") {
  const Place place;
  CHECK(FailsWith(Keyring::Create(place.directory / "no/such", *place.KeyFile(), {}, kOrigin),
                  Code::kUnavailable, "file_not_written"));
  AbsentToken token;
  CHECK(FailsWith(Keyring::Create(place.path, token, {}, kOrigin), Code::kUnavailable,
                  "token_absent"));
  CHECK_FALSE(std::filesystem::exists(place.path));
}

TEST_CASE("open rejects another key file, another passphrase and a root key of another kind") {
  const Place place;
  place.Create(*place.KeyFile());
  const auto other = Keyring::Open(place.path, *place.KeyFile("other.key"));
  REQUIRE(FailsWith(other, Code::kUnauthenticated, "root_key_wrong"));
  CHECK(other.error().detail.contains(place.path));
  const auto kind = Keyring::Open(place.path, *Passphrase("correct horse battery"));
  REQUIRE(FailsWith(kind, Code::kUnauthenticated, "root_key_wrong"));
  CHECK(kind.error().detail == "this vault's root key is a key file, a passphrase was given");

  const Place by_passphrase;
  by_passphrase.Create(*Passphrase("correct horse battery"));
  CHECK(FailsWith(Keyring::Open(by_passphrase.path, *Passphrase("correct horse batterz")),
                  Code::kUnauthenticated, "root_key_wrong"));
  const auto file = Keyring::Open(by_passphrase.path, *by_passphrase.KeyFile());
  REQUIRE(FailsWith(file, Code::kUnauthenticated, "root_key_wrong"));
  CHECK(file.error().detail == "this vault's root key is a passphrase, a key file was given");
}

TEST_CASE("a token that is away is not taken for a wrong root key") {
  const Place place;
  place.Create(*place.KeyFile());
  AbsentToken token;
  CHECK(FailsWith(Keyring::Open(place.path, token), Code::kUnavailable, "token_absent"));
}

TEST_CASE("a missing, an oversized and an unreadable keyring are told apart") {
  const Place place;
  const auto root = place.KeyFile();
  CHECK(FailsWith(Keyring::Open(place.path, *root), Code::kNotFound, "keyring_missing"));
  CHECK(FailsWith(Keyring::ReadHeader(place.path), Code::kNotFound, "keyring_missing"));
  place.directory.Put("keyring.json", std::string(2'000'000, ' '));
  CHECK(FailsWith(Keyring::Open(place.path, *root), Code::kCorrupted, "keyring_malformed"));
  CHECK(FailsWith(Keyring::ReadHeader(place.directory.path().string()), Code::kUnavailable,
                  "file_not_read"));
}

TEST_CASE("a data key wrapped for one client does not unwrap for another, nor in another vault") {
  const Place place, elsewhere;
  const Keyring ring = place.Create(*place.KeyFile());
  const Keyring other = elsewhere.Create(*elsewhere.KeyFile());
  const Id128 owner{1};
  const Bytes wrapped = ring.WrapDataKey(Repeated(7), owner);
  CHECK(*KeyIdOf(wrapped) == 1);
  Bytes out(kAeadKeyBytes, 0xee);
  CHECK(FailsWith(ring.UnwrapDataKey(wrapped, Id128{2}, out), Code::kCorrupted,
                  "envelope_not_authentic"));
  CHECK(out == Repeated(0));
  CHECK(FailsWith(other.UnwrapDataKey(wrapped, owner, out), Code::kCorrupted,
                  "envelope_not_authentic"));
  REQUIRE(ring.UnwrapDataKey(wrapped, owner, out));
  CHECK(out == Repeated(7));
}

TEST_CASE("a wrapped data key that was cut, or names an unknown client-KEK, is refused") {
  const Place place;
  const Keyring ring = place.Create(*place.KeyFile());
  const Id128 owner{1};
  Bytes wrapped = ring.WrapDataKey(Repeated(7), owner);
  Bytes out(kAeadKeyBytes);
  CHECK(FailsWith(ring.UnwrapDataKey({}, owner, out), Code::kCorrupted, "envelope_malformed"));
  CHECK(FailsWith(ring.UnwrapDataKey(ByteView(wrapped).first(wrapped.size() - 1), owner, out),
                  Code::kCorrupted, "envelope_malformed"));
  wrapped[4] = 2;
  CHECK(FailsWith(ring.UnwrapDataKey(wrapped, owner, out), Code::kCorrupted, "client_kek_unknown"));
  CHECK(Aborts([&] { ring.WrapDataKey(ByteView(out).first(16), owner); }));
}

}  // namespace coffer::crypto
