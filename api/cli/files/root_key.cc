#include "api/cli/files/root_key.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "api/cli/text/passphrase.h"
#include "crypto/keyring.h"
#include "crypto/passphrase_file.h"
#include "crypto/random.h"
#include "crypto/token_root_key.h"

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

// A key pair takes a smart card a minute and more to make.
constexpr std::chrono::minutes kWhileMaking{5};

Outcome<crypto::TokenAccess> TokenAccessOf(const std::string& text) {
  auto uri = crypto::ParseTokenUri(text);
  if (!uri) return std::unexpected(FailureOf(uri.error(), "cannot use --root-key"));
  crypto::TokenAccess access{.uri = *std::move(uri), .pin = {}};
  const std::string& source = access.uri.pin_source;
  if (source.starts_with("credential:")) {
    return Failed(
        Exit::kUsage, "a credential is there for the service alone",
        "Name the file of the PIN with pin-source=file:/PATH, or leave it out to be asked.");
  }
  COFFER_ASSIGN(
      access.pin,
      ReadOrAsk(source, {"PIN of the token (none where it has a keypad): ", "the token's PIN",
                         "Name its file with pin-source=file:/PATH."}));
  return access;
}

Outcome<Provider> OpenToken(const std::string& text, const crypto::KeyringHeader& header) {
  COFFER_ASSIGN(const auto access, TokenAccessOf(text));
  auto provider = crypto::OpenTokenRoot(access, header);
  if (provider) return *std::move(provider);
  return std::unexpected(FailureOf(provider.error(), "cannot open the root key in the token"));
}

Outcome<NewRootKey> MakeInToken(const RootKeyOptions& options) {
  std::optional<crypto::NewRecovery> recovery;
  if (!options.recovery_file.empty()) {
    COFFER_ASSIGN(auto passphrase, ReadPassphraseFile(options.recovery_file));
    recovery.emplace(std::move(passphrase), crypto::Argon2idParameters());
    recovery->parameters.salt = crypto::RandomBytes(16);
  }
  COFFER_ASSIGN(auto access, TokenAccessOf(options.token_uri));
  access.limit = kWhileMaking;
  NewRootKey made;
  auto provider = crypto::MakeTokenRoot(access, recovery, made.made_token_key);
  if (!provider) {
    return std::unexpected(FailureOf(provider.error(), "cannot make the root key in the token"));
  }
  made.provider = *std::move(provider);
  return made;
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
  auto* passphrase_file = command.add_option(
      "--passphrase-file", options.passphrase_file,
      "File whose first line is the vault's passphrase, readable by you alone; with "
      "none of these options the passphrase is asked for");
  passphrase_file->type_name("FILE")->excludes(key_file);
  command
      .add_option("--root-key", options.token_uri,
                  "Root key in a PKCS#11 token: pkcs11:token=NAME;object=LABEL?module-path=FILE"
                  "&pin-source=file:FILE")
      ->type_name("URI")
      ->excludes(key_file)
      ->excludes(passphrase_file);
}

void AddLaterRootKeyOptions(CLI::App& command, RootKeyOptions& options) {
  auto* key_file =
      command.add_option("--later-root-key-file", options.key_file,
                         "The root key that the other one was exchanged for since, where keys of "
                         "the log were exchanged after it: beside the one of then");
  key_file->type_name("FILE");
  auto* passphrase_file =
      command.add_option("--later-passphrase-file", options.passphrase_file,
                         "The same, by a file whose first line is its passphrase");
  passphrase_file->type_name("FILE")->excludes(key_file);
  command.add_option("--later-root-key", options.token_uri, "The same, in a PKCS#11 token")
      ->type_name("URI")
      ->excludes(key_file)
      ->excludes(passphrase_file);
}

std::string KeyringFile(const std::string& directory) {
  return (std::filesystem::path(directory) / "keyring.json").string();
}

Outcome<NewRootKey> MakeRootKey(const RootKeyOptions& options) {
  NewRootKey made;
  if (!options.token_uri.empty()) return MakeInToken(options);
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
  COFFER_ASSIGN(auto passphrase, options.passphrase_file.empty()
                                     ? AskNewPassphrase()
                                     : ReadPassphraseFile(options.passphrase_file));
  COFFER_ASSIGN(made.provider, FromPassphrase(passphrase, made.parameters));
  made.again = [kept = std::make_shared<const crypto::SecretBytes>(std::move(passphrase))](
                   const crypto::Argon2idParameters& parameters) {
    return FromPassphrase(*kept, parameters);
  };
  return made;
}

Outcome<Provider> OpenRootKey(const RootKeyOptions& options, const std::string& directory) {
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(directory));
  if (!header) {
    return std::unexpected(FailureOf(header.error(), "cannot read " + KeyringFile(directory)));
  }
  if (!options.key_file.empty()) return OpenFile(options.key_file);
  if (!options.token_uri.empty()) return OpenToken(options.token_uri, *header);
  if (header->root_kind == "key-file") {
    return Failed(Exit::kUsage, "this vault's root key is a file",
                  "Name it with --root-key-file FILE.");
  }
  if (!options.passphrase_file.empty()) {
    auto provider = crypto::OpenPassphraseFile(options.passphrase_file, *header);
    if (provider) return *std::move(provider);
    return std::unexpected(
        FailureOf(provider.error(), "cannot use the passphrase file " + options.passphrase_file));
  }
  if (header->token) {
    const bool recoverable = header->token->recovery.has_value();
    return Failed(
        Exit::kUsage, "this vault's root key is in a token",
        std::string("Name it with --root-key URI") +
            (recoverable ? ", or the recovery passphrase with --passphrase-file FILE." : "."));
  }
  COFFER_ASSIGN(const auto passphrase, AskPassphrase("Passphrase of the vault: "));
  return FromPassphrase(passphrase, header->passphrase);
}

}  // namespace coffer::cli
