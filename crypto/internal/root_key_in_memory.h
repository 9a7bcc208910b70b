// Root keys that are bytes in this process, for those who have them from elsewhere than
// root_key_provider.cc, where they are made.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "crypto/kdf.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "crypto/token_root.h"

namespace coffer::crypto {
class RootKeyProvider;
}

namespace coffer::crypto::internal {

// `kind` must be a literal.
Result<std::unique_ptr<RootKeyProvider>> RootKeyInMemory(std::string_view kind,
                                                         const SecretBytes& root,
                                                         std::optional<TokenRoot> token);

// The passphrase through Argon2id, where it is long enough. Errors: those of OpenPassphrase.
Result<SecretBytes> RootFromPassphrase(const SecretBytes& passphrase,
                                       const Argon2idParameters& parameters);

}  // namespace coffer::crypto::internal
