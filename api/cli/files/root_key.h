// The root key for the commands that work on a data directory: from a file, from a passphrase, or
// in a token.
#pragma once

#include <functional>
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
  std::string passphrase_file;  // with none of these, the passphrase is asked for
  std::string token_uri;        // RFC 7512
  std::string recovery_file;    // of a new vault: a passphrase beside the token

  bool Named() const { return !key_file.empty() || !passphrase_file.empty() || !token_uri.empty(); }
};
void AddRootKeyOptions(CLI::App& command, RootKeyOptions& options,
                       const std::string& key_file_help);

// A second root key, for what opens by one of two.
void AddLaterRootKeyOptions(CLI::App& command, RootKeyOptions& options);

// For a new vault: makes the key file when it does not exist, and fills `parameters` (new salt) for
// a passphrase, which is asked for twice. In a token the key that the URI names is made where there
// is none; it stays there also when no vault is made in the end.
struct NewRootKey {
  std::unique_ptr<crypto::RootKeyProvider> provider;
  // Of a passphrase, what it gives with other parameters; else empty.
  std::function<Outcome<std::unique_ptr<crypto::RootKeyProvider>>(
      const crypto::Argon2idParameters&)>
      again;
  crypto::Argon2idParameters parameters;
  bool made_key_file = false;
  bool made_token_key = false;
};
Outcome<NewRootKey> MakeRootKey(const RootKeyOptions& options);

// For an existing vault, by what its keyring.json says.
Outcome<std::unique_ptr<crypto::RootKeyProvider>> OpenRootKey(const RootKeyOptions& options,
                                                              const std::string& directory);

std::string KeyringFile(const std::string& directory);

}  // namespace coffer::cli
