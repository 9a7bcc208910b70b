// Where the server is and who asks: the options that all online commands share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/cli/client/api_client.h"
#include "api/cli/files/environment.h"
#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct ConnectionOptions {
  std::string url, ca_file, token_file, client_certificate, client_key;
  std::string purpose, reason, ticket, approval;
  bool json = false;
  bool ids = false;
};

enum class PurposeUse {
  kNone,      // the command touches no client data
  kRequired,  // it does, and the server asks why
  kForNames,  // it shows clients, by their references to whoever says why
};
// A command that declared an option of one of these names before keeps its own.
void AddConnectionOptions(CLI::App& command, ConnectionOptions& options, PurposeUse purpose);
// For those who are about to show who they are: no token is sent.
void AddServerOptions(CLI::App& command, ConnectionOptions& options);

// The declaration, checked here because a header with a line feed in it would be another header.
Outcome<Declaration> CheckDeclaration(const ConnectionOptions& options);

// Options with the environment filled in where they say nothing, and opened: COFFER_URL, COFFER_CA,
// COFFER_CLIENT_CERT, COFFER_CLIENT_KEY, COFFER_TOKEN (a token is never taken from the command
// line, where every user could read it). Where no token is given, the session that `coffer login`
// saved for this server is used; with a client certificate, none is needed.
struct Connection {
  HttpsOptions https;
  Declaration declaration;
  std::string session_file;  // where the token is from, when it is a saved session's
  std::function<Outcome<Sender>(const HttpsOptions&)> reach;  // empty: MakeHttpsSender()
};
Outcome<Connection> OpenConnection(const ConnectionOptions& options,
                                   const Environment& environment = ProcessEnvironment());
// For a server that need not be the vault's own: a mirror of its log. A token is sent to it when it
// was named for this command (--token-file), or when it is the server that COFFER_URL names or the
// session was saved for: a mirror must not learn a token that is good elsewhere. None is needed.
Outcome<Connection> OpenMirror(const ServerAddress& server, const ConnectionOptions& options,
                               const Environment& environment = ProcessEnvironment());
// The same as OpenConnection() without a token.
Outcome<Connection> OpenServer(const ConnectionOptions& options,
                               const Environment& environment = ProcessEnvironment());

// A client with a connection of its own; several may be made.
Outcome<ApiClient> MakeClient(const Connection& connection);

// Both steps, the way the console says.
Outcome<ApiClient> Connect(const ConnectionOptions& options, const Console& console);
Outcome<ApiClient> ConnectUnknown(const ConnectionOptions& options, const Console& console);

}  // namespace coffer::cli
