// What keyring.json says without any key: enough to choose and open the root key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/kdf.h"
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
};

}  // namespace coffer::crypto
