// Request targets (RFC 3986): path segments and query values are encoded, so that nothing a person
// types can change which route is asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/cli/text/failure.h"

namespace coffer::cli {

std::string PercentEncode(std::string_view text);  // all but unreserved characters

class Target {
 public:
  explicit Target(std::string path) : text_(std::move(path)) {}
  Target& Segment(std::string_view segment);                    // "/segment"
  Target& With(std::string_view name, std::string_view value);  // left out when empty
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool has_query_ = false;
};

struct ServerAddress {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 443;
  bool operator==(const ServerAddress&) const = default;
};
// "https://host[:port]" with an optional final slash. Anything else is Exit::kUsage: plain HTTP
// would show token and records to the network.
Outcome<ServerAddress> ParseServerUrl(std::string_view url);

}  // namespace coffer::cli
