// keyring.json: the vault's identity and its wrapped keys.
//
//   root key ─ wraps ─ vault-db · keys-db · client-kek v1..n · blind-index · token-hash · note ·
//                      log-signing
//   client-kek ─ wraps ─ one data key per client
//
// Every wrapped key is bound to the context "coffer-keyring-v1 ‖ vault id ‖ name ‖ version".
// The file holds nothing in clear but ids, versions, KDF parameters, the log's origin and its
// public key; a digest of all of it, wrapped by the root key, seals it. It is rewritten atomically
// (temporary file, fsync, rename, fsync of the directory). Grammar: internal/keyring_format.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"

namespace coffer::crypto {

class Keyring {
 public:
  // What the file says without any key: enough to choose and open the root key.
  struct Header {
    Id128 vault_id{};
    std::string root_kind;          // "key-file" | "passphrase"
    Argon2idParameters passphrase;  // meaningful for "passphrase"
    std::string log_origin;
    PublicKey log_public_key{};
  };
  static Result<Header> ReadHeader(const std::string& path);

  // New random keys, written to `path`. Errors: kConflict "keyring_exists", kInvalidArgument for an
  // origin that is empty, longer than 200 bytes or has white space, '+' or control characters.
  // `passphrase` is recorded for the kind "passphrase".
  static Result<Keyring> Create(const std::string& path, RootKeyProvider& root,
                                const Argon2idParameters& passphrase, std::string_view log_origin);

  // Errors: kNotFound "keyring_missing", kCorrupted "keyring_malformed", kUnauthenticated
  // "root_key_wrong" when the provider is of another kind or cannot unwrap.
  static Result<Keyring> Open(const std::string& path, RootKeyProvider& root);

  const Id128& vault_id() const { return header_.vault_id; }
  const std::string& log_origin() const { return header_.log_origin; }

  const SecretBytes& vault_db_key() const { return vault_db_; }
  const SecretBytes& keys_db_key() const { return keys_db_; }
  const SecretBytes& blind_index_key() const { return blind_index_; }
  const SecretBytes& token_hash_key() const { return token_hash_; }
  const SecretBytes& note_key() const { return note_; }  // reasons that concern no single client
  const SigningKey& log_signing_key() const { return *log_signing_; }

  // The client-KEK hierarchy: a new data key, and the wrapping under the newest client-KEK. `owner`
  // is the client's id; the wrapping is bound to it and to the vault id.
  Bytes WrapDataKey(ByteView data_key, const Id128& owner) const;
  // `out` has kAeadKeyBytes. Errors: kCorrupted; kNotFound "client_kek_unknown".
  Status UnwrapDataKey(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const;

 private:
  Keyring() = default;
  Header header_;
  SecretBytes vault_db_, keys_db_, blind_index_, token_hash_, note_;
  std::map<std::uint32_t, SecretBytes> client_keks_;  // by version; the greatest wraps
  std::unique_ptr<SigningKey> log_signing_;
};

}  // namespace coffer::crypto
