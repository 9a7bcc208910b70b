#include "api/cli/verify/log_files.h"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <thread>

#include "api/cli/client/problem.h"
#include "crypto/atomic_file.h"

namespace coffer::cli {
namespace {

using MaybeFile = std::optional<std::string>;

constexpr int kFetchAttempts = 6;

// "https://host:port/prefix": the server, and "/prefix" without a final slash.
struct LogAddress {
  ServerAddress server;
  std::string prefix;
};

// Segments that neither need encoding nor are empty or lead elsewhere.
bool IsPrefix(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty() || segment == "." || segment == ".." || PercentEncode(segment) != segment) {
      return false;
    }
    path.remove_prefix(segment.size());
  }
  return true;
}

Outcome<LogAddress> ParseLogAddress(const std::string& location) {
  const auto host = location.find("://") + 3;
  const auto path = std::min(location.find('/', host), location.size());
  LogAddress address;
  COFFER_ASSIGN(address.server, ParseServerUrl(location.substr(0, path)));
  address.prefix = location.substr(path);
  if (address.prefix.ends_with('/')) address.prefix.pop_back();
  if (!IsPrefix(address.prefix)) {
    return Failed(Exit::kUsage, "\"" + location + "\" is not the address of a log",
                  "It looks like https://HOST[:PORT]/PREFIX; a Coffer server's prefix is log.");
  }
  return address;
}

Failure About(const std::string& path, Failure failure) {
  failure.message = path + ": " + failure.message;
  return failure;
}

// Whatever follows the type itself, like a character set, says nothing about a file's bytes.
bool IsMediaTypeOfFiles(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type.empty() || type == "text/plain" || type == "application/octet-stream" ||
         type == "binary/octet-stream";
}

// An answer of status 200.
Outcome<MaybeFile> FileOf(HttpReply& reply) {
  const std::string type(reply.Header("content-type"));
  if (!IsMediaTypeOfFiles(type)) {
    return Failed(Exit::kFailed, "the server answered with \"" + type + "\", which is no log's",
                  "Check the address: it is the prefix of the log, without checkpoint or tile.");
  }
  const std::string_view encoding = reply.Header("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return Failed(Exit::kFailed, "the server's answer is encoded, which was not asked for");
  }
  return std::move(reply.body);
}

Failure RefusalOf(const HttpReply& reply) {
  if (reply.status >= 200 && reply.status <= 299) {
    return {Exit::kFailed,
            "the server answered " + std::to_string(reply.status) + " without a file",
            {}};
  }
  if (reply.status >= 300 && reply.status <= 399) {
    return {Exit::kFailed,
            "the server answered with a redirect (" + std::to_string(reply.status) + ")",
            "Redirects are not followed: give the address that has the log itself."};
  }
  return FailureOf(reply);
}

Outcome<MaybeFile> FetchOverHttps(const Sender& send, const std::string& target,
                                  std::size_t largest) {
  for (int attempt = 1;; ++attempt) {
    HttpRequest request;
    request.target = target;
    request.patience = std::chrono::seconds(60);
    request.largest_reply = largest;
    request.deadline = std::chrono::seconds(120);
    COFFER_ASSIGN(HttpReply reply, send(request));
    if (reply.status == 404 || reply.status == 410) return std::nullopt;
    if (reply.status == 200) return FileOf(reply);
    Failure refusal = RefusalOf(reply);
    // A long reading is not lost to one busy moment of the server.
    if (!refusal.may_pass || attempt == kFetchAttempts) return std::unexpected(std::move(refusal));
    std::this_thread::sleep_for(std::chrono::seconds(attempt));
  }
}

Outcome<FetchFile> OpenServerFiles(const std::string& location, const ConnectionOptions& options,
                                   const Console& console) {
  COFFER_ASSIGN(LogAddress address, ParseLogAddress(location));
  COFFER_ASSIGN(const Connection connection, OpenMirror(address.server, options));
  COFFER_ASSIGN(Sender send, console.reach ? console.reach(connection.https)
                                           : MakeHttpsSender(connection.https));
  return FetchFile([send = std::move(send), prefix = std::move(address.prefix)](
                       const std::string& path, std::size_t largest) -> Outcome<MaybeFile> {
    auto file = FetchOverHttps(send, prefix + "/" + path, largest);
    if (!file) return std::unexpected(About(path, std::move(file).error()));
    return file;
  });
}

Outcome<MaybeFile> ReadFromDirectory(const std::string& directory, const std::string& path,
                                     std::size_t largest) {
  const std::string whole = directory + "/" + path;
  std::error_code error;
  const auto kind = std::filesystem::status(whole, error).type();
  if (kind == std::filesystem::file_type::not_found) return std::nullopt;
  if (kind != std::filesystem::file_type::regular) {  // a pipe would be waited for
    return Failed(Exit::kFailed, path + ": this is no file that can be read");
  }
  const auto bytes = crypto::ReadFile(whole, largest);
  if (bytes) return std::string(crypto::AsText(*bytes));
  Failure failure = FailureOf(bytes.error(), path);
  if (bytes.error().code == Code::kTooLarge) failure.exit = Exit::kDamaged;
  return std::unexpected(std::move(failure));
}

}  // namespace

Outcome<FetchFile> OpenLogFiles(const std::string& location, const ConnectionOptions& options,
                                const Console& console) {
  if (location.find("://") != location.npos) return OpenServerFiles(location, options, console);
  std::error_code error;
  if (!std::filesystem::is_directory(location, error)) {
    return Failed(Exit::kUsage, "\"" + location + "\" is no directory",
                  "Name the directory that has checkpoint and tile, or https://HOST/PREFIX.");
  }
  return FetchFile([location](const std::string& path, std::size_t largest) {
    return ReadFromDirectory(location, path, largest);
  });
}

}  // namespace coffer::cli
