// The session that `coffer login` keeps for the commands after it: a private file of two lines, the
// token and the server it is for. A token is sent to no other server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/cli/client/target.h"
#include "api/cli/files/environment.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// $XDG_RUNTIME_DIR/coffer/session, or ~/.config/coffer/session. Empty where there is no home.
std::string SessionFile(const Environment& environment);

// The same, with the directories above it made. Exit::kUsage where there is no such place.
Outcome<std::string> PrepareSessionFile(const Environment& environment);

// The file for a session, with its space on the disk: before the server is asked. A session that is
// there is replaced in one step once the new one is whole; `anything_there` is what the tool wrote.
Outcome<std::unique_ptr<NewFile>> PlaceSession(const std::string& file, bool anything_there);

Outcome<void> SaveSession(NewFile& file, std::string_view token, const ServerAddress& server);

// Removes the file when it holds a session: it is dead then. Any other file is left as it is.
void RemoveSession(const std::string& file);

struct SavedSession {
  std::string file;
  crypto::SecretBytes token;
  ServerAddress server;
};
// What is at the usual place, or nothing. Failure for a file that others may read, or that
// `coffer login` did not write.
Outcome<std::optional<SavedSession>> ReadSavedSession(const Environment& environment);

// The same of the file named, without a word when it holds no session that can be used.
std::optional<SavedSession> SessionIn(const std::string& file);

// For people: https://HOST:PORT.
std::string UrlOf(const ServerAddress& server);

}  // namespace coffer::cli
