// Where the server is and who asks: the options that all online commands share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/cli/api_client.h"
#include "api/cli/failure.h"
#include "crypto/secret_bytes.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct ConnectionOptions {
  std::string url, ca_file, token_file;
  std::string purpose, reason;
  bool json = false;
};

enum class PurposeUse {
  kNone,      // the command touches no client data
  kRequired,  // it does, and the server asks why
};
void AddConnectionOptions(CLI::App& command, ConnectionOptions& options, PurposeUse purpose);

// How variables of the environment are read; tests give their own.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment ProcessEnvironment();

// The declaration, checked here because a header with a line feed in it would be another header.
Outcome<Declaration> CheckDeclaration(const ConnectionOptions& options);

// Options with the environment filled in where they say nothing, and opened: COFFER_URL, COFFER_CA,
// COFFER_TOKEN (a token is never taken from the command line, where every user could read it).
struct Connection {
  HttpsOptions https;
  Declaration declaration;
};
Outcome<Connection> OpenConnection(const ConnectionOptions& options,
                                   const Environment& environment = ProcessEnvironment());

// A client with a connection of its own; several may be made.
Outcome<ApiClient> MakeClient(const Connection& connection);

// Both steps.
Outcome<ApiClient> Connect(const ConnectionOptions& options);

}  // namespace coffer::cli
