// A vault's passphrase from a file.
#pragma once

#include <memory>
#include <string>

#include "crypto/kdf.h"
#include "crypto/keyring_header.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"

namespace coffer::crypto {

// By the first line of the file, as ReadSecretFile gives it. A vault may have been made when a byte
// order mark and a carriage return counted: where the line has one, the passphrase with it opens
// that vault as before. Errors: those of ReadSecretFile and OpenPassphrase.
Result<std::unique_ptr<RootKeyProvider>> OpenPassphraseFile(const std::string& path,
                                                            const Argon2idParameters& parameters);

// What a passphrase is to the vault: its root key, or the recovery beside a token. Errors: those of
// the above, or of ReadSecretFile and OpenRecovery.
Result<std::unique_ptr<RootKeyProvider>> OpenPassphraseFile(const std::string& path,
                                                            const KeyringHeader& header);

}  // namespace coffer::crypto
