// keyring.json: the vault's identity and its wrapped keys.
//
//   root key ─ wraps ─ vault-db v1..n · keys-db v1..n · client-kek v1..n · blind-index ·
//                      token-hash · note · log-signing v1..n; of those with versions one is there,
//                      or two while one is exchanged
//   client-kek ─ wraps ─ one data key per client
//
// Every wrapped key is bound to the context "coffer-keyring-v1 ‖ vault id ‖ name ‖ version".
// The file holds nothing in clear but ids, versions, KDF parameters, the log's origin and its
// public keys; a digest of all of it, wrapped by the root key, seals it. It is rewritten atomically
// (temporary file, fsync, rename, fsync of the directory). Grammar: internal/keyring_format.h.
//
// The log's signing key is replaced in three steps, each a rewrite: AddLogKey puts a new key beside
// the old one, so that both can sign; RetireLogKey says that the old one signs no more;
// DropRetiredLogKey destroys its private key. Destroyed means: the wrapped key is in keyring.json
// no longer, nor in a temporary file of it that a crash left behind, and the blocks of both were
// overwritten (atomic_file.h). What it does not mean:
//   - File systems that write elsewhere, unused blocks of an SSD, snapshots and backups of
//   keyring.json may keep the wrapped key, and
//     whoever has one of them and the root key has the signing key, as long as the root key lives.
//     What its thief can do: docs/threat-model.md, "thief of the log-signing key".
//   - A process that opened the keyring before has the key in memory until it ends or opens anew.
//   - The seal tells an altered file, not an old one: who can write the file can put an earlier
//     keyring.json back, retired key and all. Only the log's own entries tell.
// The same is true of what DropOlder destroys, and of what an exchanged root key had wrapped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/client_keks.h"
#include "crypto/encoding.h"
#include "crypto/keyring_header.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"
#include "crypto/signing_keys.h"
#include "crypto/versioned_keys.h"

namespace coffer::crypto {

namespace internal {
struct KeyringDocument;
}  // namespace internal

// What is exchanged at once, while a vault uses it.
enum class KeysInUse : std::uint8_t {
  kClients,    // client-kek
  kDatabases,  // vault-db and keys-db, whose versions are the same
};

class Keyring {
 public:
  using LogKey = SigningKeys::Held;
  static Result<KeyringHeader> ReadHeader(const std::string& path);

  // New random keys, written to `path`. Errors: kConflict "keyring_exists", kInvalidArgument for an
  // origin that is empty, longer than 200 bytes or has white space, '+' or control characters.
  // `passphrase` is recorded for the kind "passphrase".
  static Result<Keyring> Create(const std::string& path, RootKeyProvider& root,
                                const Argon2idParameters& passphrase, std::string_view log_origin);

  // Errors: kNotFound "keyring_missing", kCorrupted "keyring_malformed", kUnauthenticated
  // "root_key_wrong" when the provider is of another kind or cannot unwrap.
  static Result<Keyring> Open(const std::string& path, RootKeyProvider& root);

  // These keep every other key as it is, bytes and all, and change no Keyring that is open:
  // open it again. Not for two callers at a time, of whom one would undo what the other did: hold
  // the lock of the directory's keyring. Errors: those of Open, which leave the file as it was;
  // kUnavailable "file_not_written", after which it is the old or the new one: ReadHeader tells.
  //
  // A new random key, one version up. Errors: kConflict "rotation_in_progress" when there are two.
  static Status AddLogKey(const std::string& path, RootKeyProvider& root);
  // Marks the oldest as retiring; fine if it is. Errors: kConflict "nothing_to_retire" when there
  // is only one.
  static Status RetireLogKey(const std::string& path, RootKeyProvider& root);
  // Destroys (above) the key marked as retiring; fine without one.
  static Status DropRetiredLogKey(const std::string& path, RootKeyProvider& root);
  // Another name of the log, which is signed by the same keys. Errors: kInvalidArgument
  // "log_origin_invalid", as of Create.
  static Status RenameLog(const std::string& path, RootKeyProvider& root,
                          std::string_view log_origin);
  // New random keys, one version up each; the client-KEK's, or that of both databases, is returned.
  // Errors: kConflict "rotation_in_progress" when there are two.
  static Result<std::uint32_t> AddNext(const std::string& path, RootKeyProvider& root,
                                       KeysInUse which);
  // Destroys (above) all but the newest; fine when there is one. Precondition: nothing that matters
  // is encrypted under them.
  static Status DropOlder(const std::string& path, RootKeyProvider& root, KeysInUse which);

  // What an exchange would have put beside its own, from another keyring.json of the same vault
  // that the same root key sealed: each client-KEK. Of the databases' keys the two versions stay,
  // which may be one. Errors: those of Open; kConflict "keyrings_do_not_join" where it is another
  // vault's, or lacks the version.
  struct JoinedVersions {
    std::uint32_t own = 0, others = 0;
  };
  static Status Join(const std::string& path, RootKeyProvider& root, ByteView other,
                     const JoinedVersions& databases);

  // All of it wrapped and sealed by `next` instead of `root`; `passphrase` as of Create. Nothing is
  // written unless `next` opens all that it wrapped and `root` opens none of it. Errors: as those
  // above; kInvalidArgument "root_key_unchanged"; kInternal "root_key_unusable": `next` does not
  // give back what it was given.
  static Status ExchangeRootKey(const std::string& path, RootKeyProvider& root,
                                RootKeyProvider& next, const Argon2idParameters& passphrase);

  const KeyringHeader& header() const { return header_; }  // as the file said
  const Id128& vault_id() const { return header_.vault_id; }
  const std::string& log_origin() const { return header_.log_origin; }

  SecretBytes vault_db_key() const { return vault_db_->Newest(); }
  SecretBytes keys_db_key() const { return keys_db_->Newest(); }
  const VersionedKeys& vault_db_keys() const { return *vault_db_; }
  VersionedKeys& vault_db_keys() { return *vault_db_; }
  const VersionedKeys& keys_db_keys() const { return *keys_db_; }
  VersionedKeys& keys_db_keys() { return *keys_db_; }
  const SecretBytes& blind_index_key() const { return blind_index_; }
  const SecretBytes& token_hash_key() const { return token_hash_; }
  const SecretBytes& note_key() const { return note_; }  // reasons that concern no single client
  std::vector<LogKey> log_keys() const { return log_keys_->held(); }  // one or two, oldest first
  // The newest that is not retiring, which is the newest: only the oldest retires.
  std::shared_ptr<const SigningKey> log_signing_key() const { return log_keys_->Newest(); }
  const SigningKeys& signing_keys() const { return *log_keys_; }
  SigningKeys& signing_keys() { return *log_keys_; }

  // The client-KEK hierarchy: a new data key, and the wrapping under the newest client-KEK. `owner`
  // is the client's id; the wrapping is bound to it and to the vault id.
  Bytes WrapDataKey(ByteView data_key, const Id128& owner) const {
    return client_keks_->Wrap(data_key, owner);
  }
  // `out` has kAeadKeyBytes. Errors: kCorrupted, of a version that is not there
  // "client_kek_unknown".
  Status UnwrapDataKey(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const {
    return client_keks_->Unwrap(wrapped, owner, out);
  }
  const ClientKeks& client_keks() const { return *client_keks_; }
  ClientKeks& client_keks() { return *client_keks_; }

 private:
  Keyring() = default;
  static Result<Keyring> OpenDocument(const std::string& path,
                                      const internal::KeyringDocument& document,
                                      RootKeyProvider& root);
  static Status Rewrite(const std::string& path, internal::KeyringDocument document,
                        RootKeyProvider& root);
  // Precondition: header_ has the vault's id.
  void Hold(VersionedKeys::Map vault_db, VersionedKeys::Map keys_db, VersionedKeys::Map client_keks,
            std::vector<LogKey> log_keys);

  KeyringHeader header_;
  std::unique_ptr<VersionedKeys> vault_db_, keys_db_;
  SecretBytes blind_index_, token_hash_, note_;
  std::unique_ptr<ClientKeks> client_keks_;
  std::unique_ptr<SigningKeys> log_keys_;
};

}  // namespace coffer::crypto
