#include "api/cli/client/target.h"

#include <algorithm>
#include <charconv>

namespace coffer::cli {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool IsHost(std::string_view host, bool bracketed) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || (bracketed && c == ':');
  });
}

std::unexpected<Failure> BadUrl(std::string_view url, std::string_view why) {
  return Failed(Exit::kUsage,
                "\"" + std::string(url) + "\" is not the address of a server: " + std::string(why),
                "Write it as https://HOST:PORT, for example https://vault.example:8443.");
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Target& Target::Segment(std::string_view segment) {
  // "." and ".." are unreserved, yet the other side might resolve them.
  const bool dots = segment == "." || segment == "..";
  text_ += '/';
  if (dots) {
    for (std::size_t i = 0; i < segment.size(); ++i) text_ += "%2E";
  } else {
    text_ += PercentEncode(segment);
  }
  return *this;
}

Target& Target::With(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += has_query_ ? '&' : '?';
  has_query_ = true;
  text_ += PercentEncode(name) + "=" + PercentEncode(value);
  return *this;
}

Outcome<ServerAddress> ParseServerUrl(std::string_view url) {
  static constexpr std::string_view kScheme = "https://";
  if (url.starts_with("http://")) return BadUrl(url, "only https is spoken");
  if (!url.starts_with(kScheme)) return BadUrl(url, "it does not begin with https://");
  std::string_view rest = url.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);

  ServerAddress address;
  const bool bracketed = rest.starts_with('[');
  const auto host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == rest.npos) return BadUrl(url, "a bracket is not closed");
  address.host = rest.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  if (!IsHost(address.host, bracketed)) return BadUrl(url, "the host is not a name or an address");
  rest.remove_prefix(std::min(host_end + (bracketed ? 1 : 0), rest.size()));
  if (rest.empty()) return address;

  if (rest[0] != ':') return BadUrl(url, "nothing may follow the port");
  rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), address.port);
  if (error != std::errc() || end != rest.data() + rest.size() || address.port == 0) {
    return BadUrl(url, "the port is not a number from 1 to 65535");
  }
  return address;
}

}  // namespace coffer::cli
