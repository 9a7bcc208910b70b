#include "api/cli/connection.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "crypto/root_key_provider.h"
#include "vault/purpose.h"
#include "vault/strict_json.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxReason = 1000;

std::string OrElse(const std::string& given, const Environment& environment, const char* name) {
  return given.empty() ? environment(name).value_or("") : given;
}

Outcome<crypto::SecretBytes> ReadToken(const std::string& file, const Environment& environment) {
  if (!file.empty()) {
    auto token = crypto::ReadSecretFile(file);
    if (!token) {
      return std::unexpected(FailureOf(token.error(), "cannot read the token file " + file));
    }
    return *std::move(token);
  }
  std::optional<std::string> token = environment("COFFER_TOKEN");
  if (!token || token->empty()) {
    return Failed(Exit::kUsage, "no token was given",
                  "Put it into a file that only you can read and name it with --token-file, or set "
                  "COFFER_TOKEN.");
  }
  auto secret = crypto::SecretBytes::CopyOf(crypto::AsBytes(*token));
  crypto::Wipe({reinterpret_cast<std::uint8_t*>(token->data()), token->size()});
  return secret;
}

// A token goes into a header: only what a header can carry is taken for one.
bool IsTokenText(const crypto::SecretBytes& token) {
  return !token.empty() && std::ranges::all_of(token.ExposeSecret(),
                                               [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

void AddConnectionOptions(CLI::App& command, ConnectionOptions& options, PurposeUse purpose) {
  static const char* const kGroup = "Connection";
  command.add_option("--url", options.url, "The server: https://HOST:PORT (env COFFER_URL)")
      ->type_name("URL")
      ->group(kGroup);
  command
      .add_option("--ca", options.ca_file,
                  "PEM file of the certificate authority that signed the server's certificate (env "
                  "COFFER_CA); without it, those the system trusts")
      ->type_name("FILE")
      ->group(kGroup);
  command
      .add_option("--token-file", options.token_file,
                  "File whose first line is the token, readable by you alone; without it, the "
                  "variable COFFER_TOKEN is used")
      ->type_name("FILE")
      ->group(kGroup);
  if (purpose == PurposeUse::kRequired) {
    command
        .add_option("--purpose", options.purpose,
                    "Code of the purpose the data is needed for; kept in the access log")
        ->type_name("CODE")
        ->required();
  }
  command
      .add_option("--reason", options.reason,
                  "Why this is done, in your own words (at most 1000 bytes); sealed in the log")
      ->type_name("TEXT");
  command.add_flag("--json", options.json, "Print JSON for programs instead of text for people");
}

Environment ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Outcome<Declaration> CheckDeclaration(const ConnectionOptions& options) {
  if (!options.purpose.empty() && !vault::IsPurposeCode(options.purpose)) {
    return Failed(Exit::kUsage, "\"" + options.purpose + "\" is not the code of a purpose",
                  "Codes are small letters, digits and hyphens; coffer purpose list shows them.");
  }
  const std::string& reason = options.reason;
  const bool has_control = std::ranges::any_of(reason, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (reason.size() > kMaxReason || has_control || !vault::IsCleanUtf8(reason)) {
    return Failed(Exit::kUsage, "the reason cannot be sent",
                  "Write one line of UTF-8 text, at most 1000 bytes, without control characters.");
  }
  return Declaration{options.purpose, reason};
}

Outcome<Connection> OpenConnection(const ConnectionOptions& options,
                                   const Environment& environment) {
  Connection connection;
  COFFER_ASSIGN(connection.declaration, CheckDeclaration(options));
  const std::string url = OrElse(options.url, environment, "COFFER_URL");
  if (url.empty()) {
    return Failed(Exit::kUsage, "no server was named",
                  "Give its address with --url https://HOST:PORT, or set COFFER_URL.");
  }
  COFFER_ASSIGN(connection.https.server, ParseServerUrl(url));
  connection.https.ca_file = OrElse(options.ca_file, environment, "COFFER_CA");
  COFFER_ASSIGN(crypto::SecretBytes token, ReadToken(options.token_file, environment));
  if (!IsTokenText(token)) {
    return Failed(Exit::kUsage, "what was given as token is none",
                  "A token is one word that begins with cft_.");
  }
  connection.https.token = std::make_shared<const crypto::SecretBytes>(std::move(token));
  return connection;
}

Outcome<ApiClient> MakeClient(const Connection& connection) {
  COFFER_ASSIGN(Sender send, MakeHttpsSender(connection.https));
  return ApiClient(std::move(send), connection.declaration);
}

Outcome<ApiClient> Connect(const ConnectionOptions& options) {
  COFFER_ASSIGN(const Connection connection, OpenConnection(options));
  return MakeClient(connection);
}

}  // namespace coffer::cli
