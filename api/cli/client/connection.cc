#include "api/cli/client/connection.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "api/cli/client/saved_session.h"
#include "api/cli/files/input_file.h"
#include "api/cli/files/secret_text.h"
#include "audit/text/plain_text.h"
#include "crypto/root_key_provider.h"
#include "vault/base/ids.h"
#include "vault/base/names.h"
#include "vault/catalog/purpose.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxReason = 1000;

std::string OrElse(const std::string& given, const Environment& environment, const char* name) {
  return given.empty() ? environment(name).value_or("") : given;
}

// A token has no blanks: those around it are an editor's or a shell's.
crypto::SecretBytes WithoutBlanks(crypto::ByteView token) {
  const auto is_blank = [](std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!token.empty() && is_blank(token.back())) token = token.first(token.size() - 1);
  while (!token.empty() && is_blank(token.front())) token = token.subspan(1);
  return crypto::SecretBytes::CopyOf(token);
}

Outcome<crypto::SecretBytes> ReadTokenFile(const std::string& file) {
  const auto token = crypto::ReadSecretFile(file);
  if (!token) {
    return std::unexpected(FailureOf(token.error(), "cannot read the token file " + file));
  }
  return WithoutBlanks(token->ExposeSecret());
}

crypto::SecretBytes TokenOf(const Environment& environment) {
  std::optional<std::string> token = environment("COFFER_TOKEN");
  if (!token) return {};
  auto secret = WithoutBlanks(crypto::AsBytes(*token));
  Forget(*token);
  return secret;
}

// Empty where only the client certificate says who asks.
Outcome<crypto::SecretBytes> ReadToken(const std::string& file, const Environment& environment,
                                       Connection& connection) {
  if (!file.empty()) return ReadTokenFile(file);
  if (auto token = TokenOf(environment); !token.empty()) return token;
  COFFER_ASSIGN(auto session, ReadSavedSession(environment));
  if (session && session->server == connection.https.server) {
    connection.session_file = session->file;
    return std::move(session->token);
  }
  if (!connection.https.client_certificate.empty()) return crypto::SecretBytes();
  return Failed(Exit::kUsage, "no token was given",
                session ? "You are logged in at another server. Log in at this one with coffer "
                          "login, or name a token's file with --token-file."
                        : "Log in with coffer login. Or put a token into a file that only you can "
                          "read and name it with --token-file, or set COFFER_TOKEN.");
}

// A token goes into a header: only what a header can carry is taken for one.
bool IsTokenText(const crypto::SecretBytes& token) {
  return !token.empty() && std::ranges::all_of(token.ExposeSecret(),
                                               [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
}

Outcome<void> CheckClientKey(const HttpsOptions& https) {
  if (https.client_certificate.empty() != https.client_key.empty()) {
    return Failed(Exit::kUsage, "a client certificate is of use with its key only",
                  "Give both --client-cert FILE and --client-key FILE.");
  }
  if (https.client_key.empty()) return {};
  if (access(https.client_certificate.c_str(), R_OK) != 0) {
    return Failed(Exit::kUsage, "the file \"" + https.client_certificate + "\" cannot be read",
                  "Give a PEM file of your certificate with --client-cert FILE.");
  }
  const auto key = crypto::ReadSecretFile(https.client_key);
  if (key) return {};
  return std::unexpected(FailureOf(key.error(), "cannot use the client key " + https.client_key));
}

CLI::Option* AddText(CLI::App& command, const char* name, std::string& value, const char* help,
                     const char* type) {
  if (CLI::Option* own = command.get_option_no_throw(name); own != nullptr) return own;
  return command.add_option(name, value, help)->type_name(type);
}

constexpr const char* kGroup = "Connection";

}  // namespace

void AddServerOptions(CLI::App& command, ConnectionOptions& options) {
  AddText(command, "--url", options.url, "The server: https://HOST:PORT (env COFFER_URL)", "URL")
      ->group(kGroup);
  AddText(command, "--ca", options.ca_file,
          "PEM file of the certificate authority that signed the server's certificate (env "
          "COFFER_CA); without it, those the system trusts",
          "FILE")
      ->group(kGroup);
  AddText(command, "--client-cert", options.client_certificate,
          "PEM file of the certificate to show to the server (env COFFER_CLIENT_CERT)", "FILE")
      ->group(kGroup);
  AddText(command, "--client-key", options.client_key,
          "PEM file of its private key, readable by you alone (env COFFER_CLIENT_KEY)", "FILE")
      ->group(kGroup);
  command.add_flag("--json", options.json, "Print JSON for programs instead of text for people");
}

void AddConnectionOptions(CLI::App& command, ConnectionOptions& options, PurposeUse purpose) {
  AddServerOptions(command, options);
  AddText(command, "--token-file", options.token_file,
          "File whose first line is the token, readable by you alone; without it, the variable "
          "COFFER_TOKEN is used, or the session that coffer login saved",
          "FILE")
      ->group(kGroup);
  if (purpose == PurposeUse::kRequired) {
    AddText(command, "--purpose", options.purpose,
            "Code of the purpose the data is needed for; kept in the access log", "CODE")
        ->required();
  } else if (purpose == PurposeUse::kForNames) {
    AddText(command, "--purpose", options.purpose,
            "Code of the purpose clients are shown by their references for; each is an entry of "
            "the access log",
            "CODE");
  }
  AddText(command, "--reason", options.reason,
          "Why this is done, in your own words (at most 1000 bytes); sealed in the log", "TEXT");
  AddText(command, "--ticket", options.ticket, "The case this is done for; kept in the log",
          "TICKET");
  AddText(command, "--approval", options.approval,
          "Id of the approval that another person gave for exactly this (apr_...)", "ID");
  if (command.get_option_no_throw("--ids") == nullptr) {
    command.add_flag("--ids", options.ids,
                     "Show ids in full, with the names behind them, as where no terminal reads");
  }
}

Outcome<Declaration> CheckDeclaration(const ConnectionOptions& options) {
  if (!options.purpose.empty() && !vault::IsPurposeCode(options.purpose)) {
    return Failed(Exit::kUsage, "\"" + options.purpose + "\" is not the code of a purpose",
                  "Codes are small letters, digits and hyphens; coffer purpose list shows them.");
  }
  const std::string& reason = options.reason;
  if (reason.size() > kMaxReason || !audit::IsPlainText(reason, audit::TextForm::kOneLine)) {
    return Failed(Exit::kUsage, "the reason cannot be sent",
                  "Write one line of UTF-8 text, at most 1000 bytes, without control characters.");
  }
  if (!options.ticket.empty() && !vault::IsTicket(options.ticket)) {
    return Failed(Exit::kUsage, "\"" + options.ticket + "\" is not the name of a case",
                  "1 to 64 letters, digits and any of -_.:/# make one.");
  }
  if (!options.approval.empty() && !vault::ApprovalId::Parse(options.approval)) {
    return Failed(Exit::kUsage, "\"" + options.approval + "\" is not the id of an approval",
                  "coffer approval list shows them: apr_...");
  }
  return Declaration{options.purpose, reason, options.ticket, options.approval};
}

namespace {

Outcome<void> ReadTlsFiles(const ConnectionOptions& options, const Environment& environment,
                           HttpsOptions& https) {
  https.ca_file = OrElse(options.ca_file, environment, "COFFER_CA");
  https.client_certificate = OrElse(options.client_certificate, environment, "COFFER_CLIENT_CERT");
  https.client_key = OrElse(options.client_key, environment, "COFFER_CLIENT_KEY");
  for (std::string* file : {&https.ca_file, &https.client_certificate, &https.client_key}) {
    COFFER_ASSIGN(*file, NameToReadAgain(*file));
  }
  return CheckClientKey(https);
}

// Empty where none was given for this server.
Outcome<crypto::SecretBytes> ReadTokenFor(const ServerAddress& server, const std::string& file,
                                          const Environment& environment) {
  if (!file.empty()) return ReadTokenFile(file);
  const auto own = ParseServerUrl(environment("COFFER_URL").value_or(""));
  if (own && *own == server) {
    if (auto token = TokenOf(environment); !token.empty()) return token;
  }
  COFFER_ASSIGN(auto session, ReadSavedSession(environment));
  if (session && session->server == server) return std::move(session->token);
  return crypto::SecretBytes();
}

Outcome<void> SendToken(crypto::SecretBytes token, HttpsOptions& https) {
  if (!IsTokenText(token)) {
    return Failed(Exit::kUsage, "what was given as token is none",
                  "A token is one word that begins with cft_, or cfs_ for a session.");
  }
  https.token = std::make_shared<const crypto::SecretBytes>(std::move(token));
  return {};
}

}  // namespace

Outcome<Connection> OpenServer(const ConnectionOptions& options, const Environment& environment) {
  Connection connection;
  COFFER_ASSIGN(connection.declaration, CheckDeclaration(options));
  const std::string url = OrElse(options.url, environment, "COFFER_URL");
  if (url.empty()) {
    return Failed(Exit::kUsage, "no server was named",
                  "Give its address with --url https://HOST:PORT, or set COFFER_URL.");
  }
  HttpsOptions& https = connection.https;
  COFFER_ASSIGN(https.server, ParseServerUrl(url));
  COFFER_TRY(ReadTlsFiles(options, environment, https));
  return connection;
}

Outcome<Connection> OpenConnection(const ConnectionOptions& options,
                                   const Environment& environment) {
  COFFER_ASSIGN(Connection connection, OpenServer(options, environment));
  COFFER_ASSIGN(crypto::SecretBytes token, ReadToken(options.token_file, environment, connection));
  if (token.empty() && !connection.https.client_certificate.empty()) return connection;
  COFFER_TRY(SendToken(std::move(token), connection.https));
  return connection;
}

Outcome<Connection> OpenMirror(const ServerAddress& server, const ConnectionOptions& options,
                               const Environment& environment) {
  Connection connection;
  connection.https.server = server;
  COFFER_TRY(ReadTlsFiles(options, environment, connection.https));
  COFFER_ASSIGN(crypto::SecretBytes token, ReadTokenFor(server, options.token_file, environment));
  if (token.empty() && options.token_file.empty()) return connection;
  COFFER_TRY(SendToken(std::move(token), connection.https));
  return connection;
}

Outcome<ApiClient> MakeClient(const Connection& connection) {
  COFFER_ASSIGN(Sender send, connection.reach ? connection.reach(connection.https)
                                              : MakeHttpsSender(connection.https));
  return ApiClient(std::move(send), connection.declaration);
}

Outcome<ApiClient> Connect(const ConnectionOptions& options, const Console& console) {
  COFFER_ASSIGN(Connection connection, OpenConnection(options));
  connection.reach = console.reach;
  console.names->full_ids = options.ids;
  COFFER_ASSIGN(ApiClient client, MakeClient(connection));
  client.KeepNames(console.names);
  return client;
}

Outcome<ApiClient> ConnectUnknown(const ConnectionOptions& options, const Console& console) {
  COFFER_ASSIGN(Connection connection, OpenServer(options));
  connection.reach = console.reach;
  return MakeClient(connection);
}

}  // namespace coffer::cli
