#include "api/cli/client/saved_session.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "crypto/atomic_file.h"
#include "crypto/root_key_provider.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 8192;

// A token of a session, and the server.
bool IsSession(std::string_view beginning) {
  const std::size_t line = beginning.find('\n');
  return beginning.starts_with("cfs_") && line != beginning.npos &&
         beginning.substr(line + 1).starts_with("https://");
}

// The second line.
Outcome<ServerAddress> ReadServer(const std::string& file) {
  auto bytes = crypto::ReadFile(file, kMaxFile);
  if (!bytes) return std::unexpected(FailureOf(bytes.error(), "cannot read the session " + file));
  const std::string_view text = crypto::AsText(*bytes);
  const auto first = text.find('\n');
  std::string url(first == text.npos ? "" : text.substr(first + 1));
  crypto::Wipe(*bytes);
  url.erase(std::min(url.find('\n'), url.size()));
  auto server = ParseServerUrl(url);
  if (server) return server;
  return Failed(Exit::kFailed, "the file \"" + file + "\" holds no session",
                "Remove it, and log in again with coffer login.");
}

Outcome<SavedSession> ReadSession(const std::string& file) {
  auto token = crypto::ReadSecretFile(file);
  if (!token) return std::unexpected(FailureOf(token.error(), "cannot read the session " + file));
  SavedSession session;
  session.file = file;
  session.token = *std::move(token);
  COFFER_ASSIGN(session.server, ReadServer(file));
  return session;
}

}  // namespace

std::string UrlOf(const ServerAddress& server) {
  const bool bracketed = server.host.find(':') != server.host.npos;
  return "https://" + (bracketed ? "[" + server.host + "]" : server.host) + ":" +
         std::to_string(server.port);
}

std::string SessionFile(const Environment& environment) {
  const std::string runtime = environment("XDG_RUNTIME_DIR").value_or("");
  if (runtime.starts_with('/')) return runtime + "/coffer/session";
  const std::string home = environment("HOME").value_or("");
  return home.starts_with('/') ? home + "/.config/coffer/session" : std::string();
}

Outcome<std::string> PrepareSessionFile(const Environment& environment) {
  const std::string file = SessionFile(environment);
  if (file.empty()) {
    return Failed(Exit::kUsage, "there is no place for the session", "Name one with --out FILE.");
  }
  std::error_code error;
  const fs::path directory = fs::path(file).parent_path();
  if (fs::create_directories(directory, error); !error && fs::is_directory(directory, error)) {
    fs::permissions(directory, fs::perms::owner_all, error);
  }
  if (!error) return file;
  return Failed(Exit::kFailed,
                "cannot make the directory \"" + directory.string() + "\": " + error.message(),
                "Name another place with --out FILE.");
}

Outcome<std::unique_ptr<NewFile>> PlaceSession(const std::string& file, bool anything_there) {
  auto placed = NewFile::CreateOrReplace(
      file, anything_there ? [](std::string_view) { return true; } : IsSession);
  if (!placed) return placed;
  COFFER_TRY((*placed)->Reserve(kMaxFile));
  return placed;
}

Outcome<void> SaveSession(NewFile& file, std::string_view token, const ServerAddress& server) {
  COFFER_TRY(file.Write(token));
  COFFER_TRY(file.Write("\n" + UrlOf(server) + "\n"));
  return file.Finish();
}

void RemoveSession(const std::string& file) {
  if (file.empty()) return;
  auto bytes = crypto::ReadFile(file, kMaxFile);
  if (!bytes) return;
  if (IsSession(crypto::AsText(*bytes))) unlink(file.c_str());
  crypto::Wipe(*bytes);
}

Outcome<std::optional<SavedSession>> ReadSavedSession(const Environment& environment) {
  const std::string file = SessionFile(environment);
  std::error_code ignored;
  if (file.empty() || !fs::exists(file, ignored)) return std::nullopt;
  COFFER_ASSIGN(auto session, ReadSession(file));
  return session;
}

std::optional<SavedSession> SessionIn(const std::string& file) {
  auto bytes = crypto::ReadFile(file, kMaxFile);
  if (!bytes) return std::nullopt;
  const bool is_session = IsSession(crypto::AsText(*bytes));
  crypto::Wipe(*bytes);
  if (!is_session) return std::nullopt;
  auto session = ReadSession(file);
  if (!session) return std::nullopt;
  return *std::move(session);
}

}  // namespace coffer::cli
