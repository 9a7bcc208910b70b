// coffer.toml: one file, strictly parsed; unknown keys are refused. Secrets are never in it, only
// the paths of files that hold them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/http/server.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/vault.h"

namespace coffer::api {

enum class LogLevel { kError, kWarning, kInfo };

struct Config {
  ServerOptions server;
  vault::VaultOptions vault;
  std::string root_key;       // one of the three: a URI of RFC 7512, of a key in a token
  std::string root_key_file;  // "credential:NAME" is systemd's
  std::string passphrase_file;
  std::uint32_t token_timeout_s = 60;
  LogLevel log_level = LogLevel::kInfo;
  bool log_requests = false;
};

// Errors: kInvalidArgument "config_invalid", with file, line and what to change in `detail`.
Result<Config> LoadConfig(const std::string& path);

// "credential:NAME" becomes $CREDENTIALS_DIRECTORY/NAME (systemd.exec, LoadCredential=).
Result<std::string> ResolveSecretPath(const std::string& path);

// The same of the files of destinations' credentials: who opens the vault is given paths.
Status ResolveCredentials(Config& config);

// The root key that the configuration and the keyring's header call for.
Result<std::unique_ptr<crypto::RootKeyProvider>> OpenRootKey(const Config& config);

// Copies, and what shows that a copy is of an earlier time, where one loss takes both: sentences.
std::vector<std::string> LostTogether(const Config& config);

// Whether another try can only do harm: a token counts wrong PINs, and locks.
bool MustNotBeTriedAgain(const Error& error);

}  // namespace coffer::api
