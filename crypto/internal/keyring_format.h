// The text of keyring.json and nothing else: no key is opened here.
//
//   { "format": "coffer-keyring-v1" | "coffer-keyring-v2" | "coffer-keyring-v3",
//     "keys": { name: { version: base64 of the wrapped key, … }, … },
//     "log": { "origin": text, "public_key": base64 of 32 bytes }
//          | { "origin": text, "public_keys": { version: { "key": base64 of 32 bytes,
//                                                          "retiring": true | false }, … } },
//     "root": { "kind": "key-file" }
//           | { "kind": "passphrase", "memory_kib": u32, "passes": u32, "salt": base64 of 16 bytes
//             }
//           | { "kind": "pkcs11", "mechanism": "aes-256-gcm" | "rsa-oaep-sha256",
//               "key": { "id": hex, "label": text }, "token": { "label": text, "serial": text },
//               "wrapped": base64,
//               "recovery": { "memory_kib", "passes", "salt", "wrapped" }, which may be absent },
//     "seal": base64,
//     "vault_id": Crockford base32 of 16 bytes }
//
// Names are the seven of keyring.h, each there; versions are decimal from 1, one each, but for
// client-kek, which may have several, vault-db and keys-db, which may have two that are the same in
// both, and log-signing, which may have two. Anything more, less or of another type is refused.
//
// With one log-signing key the format is v1 and "public_key" is its public key. With two, while one
// replaces the other, it is v2, which programs from before there could be two refuse by its name,
// and "public_keys" has both versions, different keys; the older one may be retiring, the newer
// not. With a root key of the kind "pkcs11" it is v3, whatever the number of log-signing keys.
// There is one spelling for each, so that nothing is left to choose for who writes it.
//
// "seal" is the SHA-256 of the document without it, members sorted and without white space, wrapped
// by the root key: nobody else can change the log's origin or drop a client-KEK unseen.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/keyring_header.h"
#include "crypto/result.h"

namespace coffer::crypto::internal {

inline constexpr std::string_view kClientKek = "client-kek";
inline constexpr std::string_view kLogSigning = "log-signing";
inline constexpr std::string_view kVaultDb = "vault-db";
inline constexpr std::string_view kKeysDb = "keys-db";
inline constexpr std::array<std::string_view, 3> kSingleKeys{"blind-index", "note", "token-hash"};

struct KeyringDocument {
  KeyringHeader header;  // log_public_keys in the order of the versions of kLogSigning
  std::map<std::string, std::map<std::uint32_t, Bytes>, std::less<>> keys;
  Bytes seal;
};

// Errors: kCorrupted "keyring_malformed".
Result<KeyringDocument> ParseKeyring(std::string_view text);
std::string RenderKeyring(const KeyringDocument& document);
// What the seal covers.
Hash DigestOf(const KeyringDocument& document);

// A name for the log's checkpoints (C2SP signed-note key name): 1 to 200 bytes of UTF-8 without
// white space, control characters or '+'.
bool IsLogOrigin(std::string_view text);

}  // namespace coffer::crypto::internal
