#include "crypto/keyring.h"

#include <algorithm>
#include <map>

#include "crypto/internal/invariant.h"
#include "crypto/internal/keyring_format.h"
#include "crypto/internal/new_file.h"
#include "crypto/internal/sealed_keyring.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

using internal::KeyringDocument;

constexpr std::size_t kPassphraseSaltBytes = 16;
constexpr std::uint32_t kFirstVersion = 1;

Result<std::map<std::uint32_t, SecretBytes>> UnwrapAll(const KeyringDocument& document,
                                                       std::string_view name,
                                                       RootKeyProvider& root) {
  const auto versions = document.keys.find(name);
  internal::Require(versions != document.keys.end(), "a name the parser has seen to");
  std::map<std::uint32_t, SecretBytes> keys;
  for (const auto& [version, wrapped] : versions->second) {
    COFFER_ASSIGN(SecretBytes key, internal::UnwrapKey(document, name, version, root));
    keys.emplace(version, std::move(key));
  }
  return keys;
}

Result<SecretBytes> UnwrapOnly(const KeyringDocument& document, std::string_view name,
                               RootKeyProvider& root) {
  COFFER_ASSIGN(auto versions, UnwrapAll(document, name, root));
  return std::move(versions.rbegin()->second);
}

// The header states the public keys for those who lack the root key: it must not state others.
Result<std::vector<Keyring::LogKey>> UnwrapLogKeys(const std::string& path,
                                                   const KeyringDocument& document,
                                                   RootKeyProvider& root) {
  COFFER_ASSIGN(const auto seeds, UnwrapAll(document, internal::kLogSigning, root));
  const KeyringHeader& header = document.header;
  internal::Require(seeds.size() == header.log_public_keys.size(), "a public key for each key");
  std::vector<Keyring::LogKey> keys;
  for (const auto& [version, seed] : seeds) {
    COFFER_ASSIGN(SigningKey signing, SigningKey::FromSeed(seed));
    if (signing.public_key() != header.log_public_keys[keys.size()]) {
      return Fail(Code::kCorrupted, "keyring_malformed",
                  path + " names a public key for the log that is not its signing key's");
    }
    const bool retiring = keys.empty() && header.oldest_log_key_retiring;
    keys.push_back({.version = version,
                    .retiring = retiring,
                    .key = std::make_shared<const SigningKey>(std::move(signing))});
  }
  return keys;
}

}  // namespace

Status CheckLogOrigin(std::string_view text) {
  if (internal::IsLogOrigin(text)) return {};
  return Fail(Code::kInvalidArgument, "log_origin_invalid",
              "the log's origin must be 1 to 200 bytes of UTF-8 without white space, '+' or "
              "control characters");
}

const std::vector<std::uint32_t>& KeyringHeader::VersionsOf(std::string_view name) const {
  static const std::vector<std::uint32_t> kNone;
  const auto found = versions.find(std::string(name));
  return found == versions.end() ? kNone : found->second;
}

bool KeyringHeader::HasVersion(std::string_view name, std::uint32_t version) const {
  return std::ranges::find(VersionsOf(name), version) != VersionsOf(name).end();
}

Result<KeyringHeader> Keyring::ReadHeader(const std::string& path) {
  COFFER_ASSIGN(KeyringDocument document, internal::ReadKeyring(path));
  return std::move(document.header);
}

Result<Keyring> Keyring::Create(const std::string& path, RootKeyProvider& root,
                                const Argon2idParameters& passphrase, std::string_view log_origin) {
  COFFER_TRY(CheckLogOrigin(log_origin));
  const bool by_passphrase = root.kind() == "passphrase";
  if (by_passphrase && passphrase.salt.size() != kPassphraseSaltBytes) {
    return Fail(Code::kInvalidArgument, "kdf_parameters_invalid",
                "Argon2id takes a salt of 16 bytes");
  }
  Keyring ring;
  FillRandom(ring.header_.vault_id);
  internal::RecordRootKey(ring.header_, root, passphrase);
  ring.header_.log_origin = log_origin;
  SecretBytes vault_db, keys_db, client_kek;
  for (SecretBytes* key :
       {&vault_db, &keys_db, &ring.blind_index_, &ring.token_hash_, &ring.note_, &client_kek}) {
    *key = SecretBytes::Random(kAeadKeyBytes);
  }
  SigningKey signing = SigningKey::Generate();
  ring.header_.log_public_key = signing.public_key();
  ring.header_.log_public_keys = {signing.public_key()};

  KeyringDocument document{.header = ring.header_, .keys = {}, .seal = {}};
  const auto wrap = [&](std::string_view name, const SecretBytes& key) {
    return internal::WrapKey(document, name, kFirstVersion, key, root);
  };
  COFFER_TRY(wrap(internal::kVaultDb, vault_db));
  COFFER_TRY(wrap(internal::kKeysDb, keys_db));
  COFFER_TRY(wrap("blind-index", ring.blind_index_));
  COFFER_TRY(wrap("token-hash", ring.token_hash_));
  COFFER_TRY(wrap("note", ring.note_));
  COFFER_TRY(wrap(internal::kClientKek, client_kek));
  COFFER_TRY(wrap(internal::kLogSigning, signing.ExportSeed()));
  COFFER_TRY(internal::SealKeyring(document, root));
  const auto first = [](SecretBytes key) {
    VersionedKeys::Map keys;
    keys.emplace(kFirstVersion, std::move(key));
    return keys;
  };
  ring.Hold(first(std::move(vault_db)), first(std::move(keys_db)), first(std::move(client_kek)),
            {{.version = kFirstVersion,
              .retiring = false,
              .key = std::make_shared<const SigningKey>(std::move(signing))}});

  Status written = internal::WriteNewFile(path, AsBytes(internal::RenderKeyring(document)), 0600);
  if (!written && written.error().code == Code::kConflict) {
    return Fail(Code::kConflict, "keyring_exists",
                path + " exists already; it was left as it is, as a vault depends on it");
  }
  COFFER_TRY(std::move(written));
  return ring;
}

Result<Keyring> Keyring::Open(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(const KeyringDocument document, internal::ReadKeyring(path));
  return OpenDocument(path, document, root);
}

Result<Keyring> Keyring::OpenDocument(const std::string& path, const KeyringDocument& document,
                                      RootKeyProvider& root) {
  COFFER_TRY(internal::CheckSealed(path, document, root));
  Keyring ring;
  ring.header_ = document.header;
  COFFER_ASSIGN(auto vault_db, UnwrapAll(document, internal::kVaultDb, root));
  COFFER_ASSIGN(auto keys_db, UnwrapAll(document, internal::kKeysDb, root));
  COFFER_ASSIGN(ring.blind_index_, UnwrapOnly(document, "blind-index", root));
  COFFER_ASSIGN(ring.token_hash_, UnwrapOnly(document, "token-hash", root));
  COFFER_ASSIGN(ring.note_, UnwrapOnly(document, "note", root));
  COFFER_ASSIGN(auto client_keks, UnwrapAll(document, internal::kClientKek, root));
  COFFER_ASSIGN(auto log_keys, UnwrapLogKeys(path, document, root));
  ring.Hold(std::move(vault_db), std::move(keys_db), std::move(client_keks), std::move(log_keys));
  return ring;
}

void Keyring::Hold(VersionedKeys::Map vault_db, VersionedKeys::Map keys_db,
                   VersionedKeys::Map client_keks, std::vector<LogKey> log_keys) {
  const Id128& id = header_.vault_id;
  vault_db_ = std::make_unique<VersionedKeys>(internal::kVaultDb, id, std::move(vault_db));
  keys_db_ = std::make_unique<VersionedKeys>(internal::kKeysDb, id, std::move(keys_db));
  client_keks_ = std::make_unique<ClientKeks>(id, std::move(client_keks));
  log_keys_ = std::make_unique<SigningKeys>(internal::kLogSigning, id, std::move(log_keys));
}

}  // namespace coffer::crypto
