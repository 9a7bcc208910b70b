// The root key for the commands that work on a data directory: from a file, or from a passphrase.
#pragma once

#include <memory>
#include <string>

#include "api/cli/text/failure.h"
#include "crypto/kdf.h"
#include "crypto/root_key_provider.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct RootKeyOptions {
  std::string key_file;
  std::string passphrase_file;  // with neither, the passphrase is asked for
};
void AddRootKeyOptions(CLI::App& command, RootKeyOptions& options,
                       const std::string& key_file_help);

// For a new vault: makes the key file when it does not exist, and fills `parameters` (new salt) for
// a passphrase, which is asked for twice.
struct NewRootKey {
  std::unique_ptr<crypto::RootKeyProvider> provider;
  crypto::Argon2idParameters parameters;
  bool made_key_file = false;
};
Outcome<NewRootKey> MakeRootKey(const RootKeyOptions& options);

// For an existing vault, by what its keyring.json says.
Outcome<std::unique_ptr<crypto::RootKeyProvider>> OpenRootKey(const RootKeyOptions& options,
                                                              const std::string& directory);

std::string KeyringFile(const std::string& directory);

}  // namespace coffer::cli
