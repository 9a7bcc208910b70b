// What keyring.json says without any key: enough to choose and open the root key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/result.h"
#include "crypto/sign.h"
#include "crypto/token_root.h"

namespace coffer::crypto {

struct KeyringHeader {
  Id128 vault_id{};
  std::string root_kind;           // "key-file" | "passphrase" | "pkcs11"
  Argon2idParameters passphrase;   // meaningful for "passphrase"
  std::optional<TokenRoot> token;  // there for "pkcs11"
  std::string log_origin;
  PublicKey log_public_key{};              // of Keyring::log_signing_key
  std::vector<PublicKey> log_public_keys;  // as Keyring::log_keys
  bool oldest_log_key_retiring = false;    // never so of the only one
  // Only of one that was read from a file:
  std::map<std::string, std::vector<std::uint32_t>> versions;  // of each key, oldest first
  // Of what the root key made of each version of vault-db, oldest first: others after each exchange
  // of the root key, and the same after all else.
  std::vector<Hash> root_wraps;

  // Of the key of that name; empty where there is none.
  const std::vector<std::uint32_t>& VersionsOf(std::string_view name) const;
  bool HasVersion(std::string_view name, std::uint32_t version) const;
};

// A name for the log's checkpoints (C2SP signed-note key name): 1 to 200 bytes of UTF-8 without
// white space, control characters or '+'. Errors: kInvalidArgument "log_origin_invalid".
Status CheckLogOrigin(std::string_view text);

}  // namespace coffer::crypto
