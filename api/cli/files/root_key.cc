#include "api/cli/files/root_key.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "api/cli/text/passphrase.h"
#include "crypto/keyring.h"
#include "crypto/passphrase_file.h"
#include "crypto/random.h"

namespace coffer::cli {
namespace {

using Provider = std::unique_ptr<crypto::RootKeyProvider>;

Outcome<Provider> OpenFile(const std::string& path) {
  auto provider = crypto::OpenKeyFile(path);
  if (!provider) {
    return std::unexpected(FailureOf(provider.error(), "cannot open the root key " + path));
  }
  return *std::move(provider);
}

Outcome<Provider> FromPassphrase(const crypto::SecretBytes& passphrase,
                                 const crypto::Argon2idParameters& parameters) {
  auto provider = crypto::OpenPassphrase(passphrase, parameters);
  if (!provider) return std::unexpected(FailureOf(provider.error(), "cannot use the passphrase"));
  return *std::move(provider);
}

Outcome<crypto::SecretBytes> ReadPassphraseFile(const std::string& path) {
  auto passphrase = crypto::ReadSecretFile(path);
  if (!passphrase) {
    return std::unexpected(
        FailureOf(passphrase.error(), "cannot read the passphrase file " + path));
  }
  return *std::move(passphrase);
}

// Twice: a slip of the finger would lock everybody out of the new vault.
Outcome<crypto::SecretBytes> AskNewPassphrase() {
  COFFER_ASSIGN(auto passphrase, AskPassphrase("New passphrase (at least 12 characters): "));
  COFFER_ASSIGN(const auto again, AskPassphrase("The same once more: "));
  if (!(passphrase == again)) {
    return Failed(Exit::kFailed, "the two passphrases differ", "Run the command again.");
  }
  return passphrase;
}

}  // namespace

void AddRootKeyOptions(CLI::App& command, RootKeyOptions& options,
                       const std::string& key_file_help) {
  auto* key_file = command.add_option("--root-key-file", options.key_file, key_file_help);
  key_file->type_name("FILE");
  command
      .add_option("--passphrase-file", options.passphrase_file,
                  "File whose first line is the vault's passphrase, readable by you alone; with "
                  "neither option the passphrase is asked for")
      ->type_name("FILE")
      ->excludes(key_file);
}

std::string KeyringFile(const std::string& directory) {
  return (std::filesystem::path(directory) / "keyring.json").string();
}

Outcome<NewRootKey> MakeRootKey(const RootKeyOptions& options) {
  NewRootKey made;
  if (!options.key_file.empty()) {
    std::error_code ignored;
    if (!std::filesystem::exists(options.key_file, ignored)) {
      if (const Status created = crypto::CreateKeyFile(options.key_file); !created) {
        return std::unexpected(
            FailureOf(created.error(), "cannot make the root key " + options.key_file));
      }
      made.made_key_file = true;
    }
    COFFER_ASSIGN(made.provider, OpenFile(options.key_file));
    return made;
  }
  made.parameters.salt = crypto::RandomBytes(16);
  COFFER_ASSIGN(const auto passphrase, options.passphrase_file.empty()
                                           ? AskNewPassphrase()
                                           : ReadPassphraseFile(options.passphrase_file));
  COFFER_ASSIGN(made.provider, FromPassphrase(passphrase, made.parameters));
  return made;
}

Outcome<Provider> OpenRootKey(const RootKeyOptions& options, const std::string& directory) {
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(directory));
  if (!header) {
    return std::unexpected(FailureOf(header.error(), "cannot read " + KeyringFile(directory)));
  }
  if (!options.key_file.empty()) return OpenFile(options.key_file);
  if (header->root_kind == "key-file") {
    return Failed(Exit::kUsage, "this vault's root key is a file",
                  "Name it with --root-key-file FILE.");
  }
  if (!options.passphrase_file.empty()) {
    auto provider = crypto::OpenPassphraseFile(options.passphrase_file, header->passphrase);
    if (provider) return *std::move(provider);
    return std::unexpected(
        FailureOf(provider.error(), "cannot use the passphrase file " + options.passphrase_file));
  }
  COFFER_ASSIGN(const auto passphrase, AskPassphrase("Passphrase of the vault: "));
  return FromPassphrase(passphrase, header->passphrase);
}

}  // namespace coffer::cli
