// The root key in a PKCS#11 token (a hardware security module, a smart card). The token's module
// runs in a process of its own, coffer-token, which does one thing and ends: modules crash, hang at
// exit, and have no business where TLS is spoken. Once the keyring is open no token is needed.
//
// Errors of both, beside root_key_uri_invalid:
//   token_module_missing, token_module_unusable     what the URI names is not there, or no module
//   token_module_crashed, token_module_hangs        it died, or was ended after the time limit
//   token_missing, token_ambiguous                  no token, or several, are meant by the URI
//   token_pin_missing, token_pin_wrong, token_pin_locked    never tried again: tries are counted
//   token_key_missing, token_key_ambiguous, token_key_unsuitable
//   token_mechanism_missing                         neither AES-GCM nor RSA-OAEP with SHA-256
//   token_removed, token_failed                     while it was asked
//   token_helper_missing                            coffer-token is not beside this program
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "crypto/keyring_header.h"
#include "crypto/root_key_provider.h"
#include "crypto/token_uri.h"

namespace coffer::crypto {

struct TokenAccess {
  TokenUri uri;
  SecretBytes pin;  // empty: none
  std::chrono::milliseconds limit{60'000};
};

// A passphrase with which the vault opens when the token is gone.
struct NewRecovery {
  SecretBytes passphrase;
  Argon2idParameters parameters;
};

// For a new vault, or one whose root key becomes this: a new root secret. The key of the token that
// the URI names is made where there is none: AES-256, or RSA where the token has no AES-GCM or the
// URI has type=private; never to leave the token. What the token then says is compared: that it
// unwraps what it wrapped, and nothing that was altered. `made` tells whether the key is new.
Result<std::unique_ptr<RootKeyProvider>> MakeTokenRoot(const TokenAccess& access,
                                                       const std::optional<NewRecovery>& recovery,
                                                       bool& made);

// For a vault whose header says "pkcs11". Errors also: kUnauthenticated "root_key_wrong" when the
// header names another kind or another key, or the token's key does not open it.
Result<std::unique_ptr<RootKeyProvider>> OpenTokenRoot(const TokenAccess& access,
                                                       const KeyringHeader& header);

// The same vault by its recovery passphrase. Errors: kNotFound "recovery_missing" when it has none;
// kUnauthenticated "root_key_wrong"; those of OpenPassphrase.
Result<std::unique_ptr<RootKeyProvider>> OpenRecovery(const SecretBytes& passphrase,
                                                      const KeyringHeader& header);

}  // namespace coffer::crypto
