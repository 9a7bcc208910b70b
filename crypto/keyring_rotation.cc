#include <limits>

#include "crypto/atomic_file.h"
#include "crypto/internal/keyring_format.h"
#include "crypto/internal/sealed_keyring.h"
#include "crypto/keyring.h"

namespace coffer::crypto {
namespace {

using internal::KeyringDocument;
using internal::kLogSigning;

Result<KeyringDocument> ReadSealed(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, internal::ReadKeyring(path));
  COFFER_TRY(internal::CheckSealed(path, document, root));
  return document;
}

}  // namespace

// The vault will have nothing but the new text: a root key that wraps what it cannot unwrap, or a
// text that does not read back, must show while the old one is still there.
Status Keyring::Rewrite(const std::string& path, KeyringDocument document, RootKeyProvider& root) {
  COFFER_TRY(internal::SealKeyring(document, root));
  const std::string text = internal::RenderKeyring(document);
  COFFER_ASSIGN(const KeyringDocument reread, internal::ParseKeyring(text));
  COFFER_TRY(OpenDocument(path, reread, root));
  return ReplaceSecretFile(path, AsBytes(text), 0600);
}

Status Keyring::AddLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  const auto& versions = document.keys[std::string(kLogSigning)];
  if (versions.size() > 1) {
    return Fail(Code::kConflict, "rotation_in_progress",
                path + " holds two signing keys of the log: retire and drop the old one first");
  }
  const std::uint32_t newest = versions.rbegin()->first;
  if (newest == std::numeric_limits<std::uint32_t>::max()) {
    return Fail(Code::kExhausted, "log_key_versions_exhausted", path + " has no further version");
  }
  const SigningKey key = SigningKey::Generate();
  COFFER_TRY(internal::WrapKey(document, kLogSigning, newest + 1, key.ExportSeed(), root));
  document.header.log_public_keys.push_back(key.public_key());
  document.header.log_public_key = key.public_key();
  return Rewrite(path, std::move(document), root);
}

Status Keyring::RetireLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  if (document.header.log_public_keys.size() < 2) {
    return Fail(Code::kConflict, "nothing_to_retire",
                path + " holds one signing key of the log: add another one first");
  }
  if (document.header.oldest_log_key_retiring) return {};
  document.header.oldest_log_key_retiring = true;
  return Rewrite(path, std::move(document), root);
}

Status Keyring::DropRetiredLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  // What a crash of an earlier rewrite left behind holds the key as well.
  COFFER_TRY(RemoveTemporariesOf(path));
  if (!document.header.oldest_log_key_retiring) return {};
  auto& versions = document.keys[std::string(kLogSigning)];
  versions.erase(versions.begin());
  document.header.log_public_keys.erase(document.header.log_public_keys.begin());
  document.header.oldest_log_key_retiring = false;
  return Rewrite(path, std::move(document), root);
}

}  // namespace coffer::crypto
