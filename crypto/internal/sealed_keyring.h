// A keyring's document and the root key that seals it and wraps its keys. `path` is for messages
// where nothing is read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/internal/keyring_format.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto::internal {

// Errors: kNotFound "keyring_missing", kCorrupted "keyring_malformed", kUnavailable.
Result<KeyringDocument> ReadKeyring(const std::string& path);

// That `root` is of the kind the document names and sealed it as it is. Errors: kUnauthenticated
// "root_key_wrong", kCorrupted "keyring_malformed", the provider's own.
Status CheckSealed(const std::string& path, const KeyringDocument& document, RootKeyProvider& root);
// What the header says of a root key, in place of what it said of another. `passphrase` is recorded
// for the kind "passphrase".
void RecordRootKey(KeyringHeader& header, const RootKeyProvider& root,
                   const Argon2idParameters& passphrase);
Status SealKeyring(KeyringDocument& document, RootKeyProvider& root);

// A key of the document, bound to the vault's id, its name and its version.
Status WrapKey(KeyringDocument& document, std::string_view name, std::uint32_t version,
               const SecretBytes& key, RootKeyProvider& root);
// For documents whose seal was checked. Errors: kCorrupted, the provider's own.
Result<SecretBytes> UnwrapKey(const KeyringDocument& document, std::string_view name,
                              std::uint32_t version, RootKeyProvider& root);

}  // namespace coffer::crypto::internal
