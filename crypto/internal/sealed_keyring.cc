#include "crypto/internal/sealed_keyring.h"

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/internal/invariant.h"

namespace coffer::crypto::internal {
namespace {

constexpr std::string_view kKeyContext = "coffer-keyring-v1";
constexpr std::string_view kSealName = "seal";
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

// Prefix ‖ vault id (16) ‖ name ‖ version (u32 big-endian). Only the name varies in length, so no
// two keys share a context.
std::string WrappingContext(const Id128& vault_id, std::string_view name, std::uint32_t version) {
  std::string context(kKeyContext);
  context += AsText(vault_id);
  context += name;
  for (const int shift : {24, 16, 8, 0}) context += static_cast<char>(version >> shift & 0xff);
  return context;
}

std::string_view InWords(std::string_view kind) {
  return kind == "key-file"     ? "a key file"
         : kind == "passphrase" ? "a passphrase"
         : kind == "pkcs11"     ? "in a token"
                                : kind;
}

Status CheckKind(const KeyringHeader& header, const RootKeyProvider& root) {
  if (header.root_kind == root.kind()) return {};
  return Fail(Code::kUnauthenticated, "root_key_wrong",
              "this vault's root key is " + std::string(InWords(header.root_kind)) + ", " +
                  std::string(InWords(root.kind())) + " was given");
}

}  // namespace

Result<KeyringDocument> ReadKeyring(const std::string& path) {
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
  auto document = ParseKeyring(AsText(*content));
  if (!document) document.error().detail += " (" + path + "); restore it from a backup";
  return document;
}

// The provider cannot tell a wrong key from an altered value. The seal is opened first and covers
// the rest, so that what fails after it is an altered file and never the operator's key.
Status CheckSealed(const std::string& path, const KeyringDocument& document,
                   RootKeyProvider& root) {
  COFFER_TRY(CheckKind(document.header, root));
  const Id128& id = document.header.vault_id;
  auto sealed = root.Unwrap(document.seal, WrappingContext(id, kSealName, 0));
  if (!sealed && sealed.error().code == Code::kCorrupted) {
    return Fail(Code::kUnauthenticated, "root_key_wrong",
                "the " + (document.header.token ? "token" : document.header.root_kind) +
                    " given does not open " + path +
                    ": it belongs to another vault, or the file was altered");
  }
  if (!sealed) return std::unexpected(std::move(sealed).error());
  if (!ConstantTimeEqual(sealed->ExposeSecret(), DigestOf(document))) {
    return Fail(Code::kCorrupted, "keyring_malformed",
                path + " was altered after it was sealed; restore it from a backup");
  }
  return {};
}

void RecordRootKey(KeyringHeader& header, const RootKeyProvider& root,
                   const Argon2idParameters& passphrase) {
  header.root_kind = root.kind();
  header.passphrase = header.root_kind == "passphrase" ? passphrase : Argon2idParameters();
  header.token = root.token() ? std::optional(*root.token()) : std::nullopt;
}

Status SealKeyring(KeyringDocument& document, RootKeyProvider& root) {
  const auto digest = SecretBytes::CopyOf(DigestOf(document));
  const std::string context = WrappingContext(document.header.vault_id, kSealName, 0);
  COFFER_ASSIGN(document.seal, root.Wrap(digest, context));
  return {};
}

Status WrapKey(KeyringDocument& document, std::string_view name, std::uint32_t version,
               const SecretBytes& key, RootKeyProvider& root) {
  const std::string context = WrappingContext(document.header.vault_id, name, version);
  COFFER_ASSIGN(document.keys[std::string(name)][version], root.Wrap(key, context));
  return {};
}

Result<SecretBytes> UnwrapKey(const KeyringDocument& document, std::string_view name,
                              std::uint32_t version, RootKeyProvider& root) {
  const auto versions = document.keys.find(name);
  Require(versions != document.keys.end(), "a name the parser has seen to");
  const auto wrapped = versions->second.find(version);
  Require(wrapped != versions->second.end(), "a version of the document");
  const std::string context = WrappingContext(document.header.vault_id, name, version);
  COFFER_ASSIGN(SecretBytes key, root.Unwrap(wrapped->second, context));
  if (key.size() != kAeadKeyBytes) {
    return Fail(Code::kCorrupted, "keyring_malformed",
                "the key " + std::string(name) + " of the keyring is of the wrong size");
  }
  return key;
}

}  // namespace coffer::crypto::internal
