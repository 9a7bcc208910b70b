#include "crypto/keyring.h"

#include <algorithm>

#include "crypto/atomic_file.h"
#include "crypto/hash.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/keyring_format.h"
#include "crypto/internal/new_file.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

using internal::KeyringDocument;

constexpr std::string_view kKeyContext = "coffer-keyring-v1";
constexpr std::string_view kDataKeyContext = "coffer-data-key-v1";
constexpr std::string_view kSealName = "seal";
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
constexpr std::size_t kPassphraseSaltBytes = 16;
constexpr std::uint32_t kFirstVersion = 1;

// Prefix ‖ vault id (16) ‖ name ‖ version (u32 big-endian). Only the name varies in length, so no
// two keys share a context.
std::string KeyContext(const Id128& vault_id, std::string_view name, std::uint32_t version) {
  std::string context(kKeyContext);
  context += AsText(vault_id);
  context += name;
  for (const int shift : {24, 16, 8, 0}) context += static_cast<char>(version >> shift & 0xff);
  return context;
}

// A wrapped data key put into another client's row, or another vault, does not open.
std::string DataKeyContext(const Id128& vault_id, const Id128& owner) {
  std::string context(kDataKeyContext);
  context += AsText(vault_id);
  context += AsText(owner);
  return context;
}

Result<KeyringDocument> ReadDocument(const std::string& path) {
  auto content = ReadFile(path, kMaxFileBytes);
  if (!content) {
    Error error = std::move(content).error();
    if (error.code == Code::kNotFound) {
      return Fail(
          Code::kNotFound, "keyring_missing",
          path + " does not exist: no vault was made here, or its keyring must be restored");
    }
    if (error.code == Code::kTooLarge) {
      return Fail(Code::kCorrupted, "keyring_malformed", std::move(error.detail));
    }
    return std::unexpected(std::move(error));
  }
  auto document = internal::ParseKeyring(AsText(*content));
  if (!document) document.error().detail += " (" + path + "); restore it from a backup";
  return document;
}

std::string_view InWords(std::string_view kind) {
  return kind == "key-file" ? "a key file" : kind == "passphrase" ? "a passphrase" : kind;
}

Status CheckKind(const Keyring::Header& header, const RootKeyProvider& root) {
  if (header.root_kind == root.kind()) return {};
  return Fail(Code::kUnauthenticated, "root_key_wrong",
              "this vault's root key is " + std::string(InWords(header.root_kind)) + ", " +
                  std::string(InWords(root.kind())) + " was given");
}

// The provider cannot tell a wrong key from an altered value. The seal is opened first and covers
// the rest, so that what fails after it is an altered file and never the operator's key.
Status CheckSeal(const std::string& path, const KeyringDocument& document, RootKeyProvider& root) {
  const Id128& id = document.header.vault_id;
  auto sealed = root.Unwrap(document.seal, KeyContext(id, kSealName, 0));
  if (!sealed && sealed.error().code == Code::kCorrupted) {
    return Fail(Code::kUnauthenticated, "root_key_wrong",
                "the " + document.header.root_kind + " given does not open " + path +
                    ": it belongs to another vault, or the file was altered");
  }
  if (!sealed) return std::unexpected(std::move(sealed).error());
  if (!ConstantTimeEqual(sealed->ExposeSecret(), internal::DigestOf(document))) {
    return Fail(Code::kCorrupted, "keyring_malformed",
                path + " was altered after it was sealed; restore it from a backup");
  }
  return {};
}

// Wraps new keys into a document.
class Wrapper {
 public:
  Wrapper(KeyringDocument& document, RootKeyProvider& root) : document_(document), root_(root) {}

  Status Add(std::string_view name, const SecretBytes& key) {
    const std::string context = KeyContext(document_.header.vault_id, name, kFirstVersion);
    COFFER_ASSIGN(document_.keys[std::string(name)][kFirstVersion], root_.Wrap(key, context));
    return {};
  }

  Status AddSeal() {
    const auto digest = SecretBytes::CopyOf(internal::DigestOf(document_));
    const std::string context = KeyContext(document_.header.vault_id, kSealName, 0);
    COFFER_ASSIGN(document_.seal, root_.Wrap(digest, context));
    return {};
  }

 private:
  KeyringDocument& document_;
  RootKeyProvider& root_;
};

// Opens keys of a document whose seal was checked.
class Unwrapper {
 public:
  Unwrapper(const KeyringDocument& document, RootKeyProvider& root)
      : document_(document), root_(root) {}

  Result<SecretBytes> Take(std::string_view name) {
    COFFER_ASSIGN(auto versions, TakeAll(name));
    return std::move(versions.rbegin()->second);
  }

  Result<std::map<std::uint32_t, SecretBytes>> TakeAll(std::string_view name) {
    const auto found = document_.keys.find(name);
    internal::Require(found != document_.keys.end(), "a name the parser has seen to");
    std::map<std::uint32_t, SecretBytes> keys;
    for (const auto& [version, wrapped] : found->second) {
      const std::string context = KeyContext(document_.header.vault_id, name, version);
      COFFER_ASSIGN(SecretBytes key, root_.Unwrap(wrapped, context));
      if (key.size() != kAeadKeyBytes) {
        return Fail(Code::kCorrupted, "keyring_malformed",
                    "the key " + std::string(name) + " of the keyring is of the wrong size");
      }
      keys.emplace(version, std::move(key));
    }
    return keys;
  }

 private:
  const KeyringDocument& document_;
  RootKeyProvider& root_;
};

}  // namespace

Result<Keyring::Header> Keyring::ReadHeader(const std::string& path) {
  COFFER_ASSIGN(KeyringDocument document, ReadDocument(path));
  return std::move(document.header);
}

Result<Keyring> Keyring::Create(const std::string& path, RootKeyProvider& root,
                                const Argon2idParameters& passphrase, std::string_view log_origin) {
  if (!internal::IsLogOrigin(log_origin)) {
    return Fail(Code::kInvalidArgument, "log_origin_invalid",
                "the log's origin must be 1 to 200 bytes of UTF-8 without white space, '+' or "
                "control characters");
  }
  const bool by_passphrase = root.kind() == "passphrase";
  if (by_passphrase && passphrase.salt.size() != kPassphraseSaltBytes) {
    return Fail(Code::kInvalidArgument, "kdf_parameters_invalid",
                "Argon2id takes a salt of 16 bytes");
  }
  Keyring ring;
  FillRandom(ring.header_.vault_id);
  ring.header_.root_kind = root.kind();
  if (by_passphrase) ring.header_.passphrase = passphrase;
  ring.header_.log_origin = log_origin;
  for (SecretBytes* key : {&ring.vault_db_, &ring.keys_db_, &ring.blind_index_, &ring.token_hash_,
                           &ring.note_, &ring.client_keks_[kFirstVersion]}) {
    *key = SecretBytes::Random(kAeadKeyBytes);
  }
  ring.log_signing_ = std::make_unique<SigningKey>(SigningKey::Generate());
  ring.header_.log_public_key = ring.log_signing_->public_key();

  KeyringDocument document{.header = ring.header_, .keys = {}, .seal = {}};
  Wrapper wrapper(document, root);
  COFFER_TRY(wrapper.Add("vault-db", ring.vault_db_));
  COFFER_TRY(wrapper.Add("keys-db", ring.keys_db_));
  COFFER_TRY(wrapper.Add("blind-index", ring.blind_index_));
  COFFER_TRY(wrapper.Add("token-hash", ring.token_hash_));
  COFFER_TRY(wrapper.Add("note", ring.note_));
  COFFER_TRY(wrapper.Add(internal::kClientKek, ring.client_keks_[kFirstVersion]));
  COFFER_TRY(wrapper.Add("log-signing", ring.log_signing_->ExportSeed()));
  COFFER_TRY(wrapper.AddSeal());

  Status written = internal::WriteNewFile(path, AsBytes(internal::RenderKeyring(document)), 0600);
  if (!written && written.error().code == Code::kConflict) {
    return Fail(Code::kConflict, "keyring_exists",
                path + " exists already; it was left as it is, as a vault depends on it");
  }
  COFFER_TRY(std::move(written));
  return ring;
}

Result<Keyring> Keyring::Open(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadDocument(path));
  COFFER_TRY(CheckKind(document.header, root));
  COFFER_TRY(CheckSeal(path, document, root));
  Keyring ring;
  Unwrapper unwrapper(document, root);
  COFFER_ASSIGN(ring.vault_db_, unwrapper.Take("vault-db"));
  COFFER_ASSIGN(ring.keys_db_, unwrapper.Take("keys-db"));
  COFFER_ASSIGN(ring.blind_index_, unwrapper.Take("blind-index"));
  COFFER_ASSIGN(ring.token_hash_, unwrapper.Take("token-hash"));
  COFFER_ASSIGN(ring.note_, unwrapper.Take("note"));
  COFFER_ASSIGN(ring.client_keks_, unwrapper.TakeAll(internal::kClientKek));
  COFFER_ASSIGN(const SecretBytes seed, unwrapper.Take("log-signing"));
  COFFER_ASSIGN(SigningKey signing, SigningKey::FromSeed(seed));
  if (signing.public_key() != document.header.log_public_key) {
    return Fail(Code::kCorrupted, "keyring_malformed",
                path + " names a public key for the log that is not its signing key's");
  }
  ring.log_signing_ = std::make_unique<SigningKey>(std::move(signing));
  ring.header_ = std::move(document.header);
  return ring;
}

Bytes Keyring::WrapDataKey(ByteView data_key, const Id128& owner) const {
  internal::Require(data_key.size() == kAeadKeyBytes, "a data key of 32 bytes");
  internal::Require(!client_keks_.empty(), "a client-KEK");
  const auto& [version, kek] = *client_keks_.rbegin();
  return Seal(kek.ExposeSecret(), version, AsBytes(DataKeyContext(header_.vault_id, owner)),
              data_key);
}

Status Keyring::UnwrapDataKey(ByteView wrapped, const Id128& owner,
                              std::span<std::uint8_t> out) const {
  internal::Require(out.size() == kAeadKeyBytes, "room for a data key of 32 bytes");
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(wrapped));
  const auto kek = client_keks_.find(version);
  if (kek == client_keks_.end()) {
    return Fail(Code::kNotFound, "client_kek_unknown",
                "a data key is wrapped under client-kek version " + std::to_string(version) +
                    ", which this keyring does not hold");
  }
  return OpenInto(kek->second.ExposeSecret(), AsBytes(DataKeyContext(header_.vault_id, owner)),
                  wrapped, out);
}

}  // namespace coffer::crypto
