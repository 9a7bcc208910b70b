// Where the root key lives. It wraps the keys of the keyring and never leaves the provider: a key
// file, a passphrase, or a PKCS#11 token (token_root_key.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/kdf.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "crypto/token_root.h"

namespace coffer::crypto {

class RootKeyProvider {
 public:
  virtual ~RootKeyProvider() = default;
  // "key-file", "passphrase" or "pkcs11"; recorded in the keyring so that the wrong one is named at
  // start.
  virtual std::string_view kind() const = 0;
  // What the keyring records besides for "pkcs11", and only for that.
  virtual const TokenRoot* token() const { return nullptr; }
  virtual Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) = 0;
  virtual Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) = 0;
};

// A file of 64 hex digits (32 random bytes), mode 0600 or stricter; also for systemd credentials. A
// byte order mark, and blanks and line ends around them, are passed over. Errors: kNotFound
// "root_key_missing", kInvalidArgument "root_key_malformed", kPermissionDenied "root_key_exposed"
// (group or others may read it).
Result<std::unique_ptr<RootKeyProvider>> OpenKeyFile(const std::string& path);
// Makes such a file with a new random key, mode 0600, fsynced. Errors: kConflict "root_key_exists".
Status CreateKeyFile(const std::string& path);

// A passphrase through Argon2id. Errors: those of Argon2id; kInvalidArgument "passphrase_too_short"
// for fewer than 12 bytes.
Result<std::unique_ptr<RootKeyProvider>> OpenPassphrase(const SecretBytes& passphrase,
                                                        const Argon2idParameters& parameters);

// First line of a file of secrets (without its newline) into locked memory, at most 4 KiB; same
// permission rule and errors as the key file, with "secret_file_…" reasons.
Result<SecretBytes> ReadSecretFile(const std::string& path);

}  // namespace coffer::crypto
