#include "vault/backup/store_place.h"

#include <algorithm>
#include <string_view>

namespace coffer::vault {
namespace {

constexpr std::size_t kMostPrefixBytes = 512;
constexpr std::size_t kMostHostBytes = 253;
constexpr std::size_t kFewestBucketBytes = 3, kMostBucketBytes = 63;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// What neither a URL nor a signature spells in two ways.
bool IsPlain(char c) {
  return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= kMostHostBytes && host.front() != '.' &&
         host.front() != '-' && std::ranges::all_of(host, [](char c) {
           return IsLowerOrDigit(c) || c == '-' || c == '.';
         });
}

bool IsPort(std::string_view port) {
  return !port.empty() && port.size() <= 5 &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::ranges::all_of(segment, IsPlain);
}

// Up to the next slash, which goes with it.
std::string_view TakeSegment(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return segment;
}

}  // namespace

S3Options S3Options::Briefly() const {
  S3Options brief = *this;
  brief.tries = 1;
  brief.connect_limit = std::min(connect_limit, std::chrono::milliseconds(5000));
  brief.total_limit = std::min(total_limit, std::chrono::milliseconds(10'000));
  return brief;
}

Result<S3Address> ParseS3Address(const std::string& url) {
  const auto malformed = [&](const std::string& why) {
    return Fail(Code::kInvalidArgument, "destination_malformed",
                why +
                    ": write it as https://HOST/BUCKET/PREFIX, of letters, digits, '-', '_' and "
                    "'.', the host in small letters");
  };
  std::string_view rest(url);
  const bool secure = rest.starts_with("https://");
  if (!secure && !rest.starts_with("http://")) return malformed("it is no https:// address");
  rest.remove_prefix(rest.find("//") + 2);
  const std::string_view authority = TakeSegment(rest);
  const bool literal = authority.starts_with("[::1]");
  const std::size_t host_end = literal ? 5 : std::min(authority.find(':'), authority.size());
  const std::string_view host = authority.substr(0, host_end);
  const std::string_view port = authority.substr(host_end);
  if (!literal && !IsHost(host)) return malformed("its host cannot be read");
  if (!port.empty() && (port.front() != ':' || !IsPort(port.substr(1)))) {
    return malformed("its port cannot be read");
  }
  if (!secure && host != "127.0.0.1" && host != "[::1]") {
    return malformed("without TLS only this machine itself is spoken to");
  }
  S3Address address;
  address.endpoint = (secure ? "https://" : "http://") + std::string(authority);
  address.bucket = TakeSegment(rest);
  if (!IsSegment(address.bucket) || address.bucket.size() < kFewestBucketBytes ||
      address.bucket.size() > kMostBucketBytes) {
    return malformed("its bucket cannot be read");
  }
  while (!rest.empty()) {
    const std::string_view segment = TakeSegment(rest);
    if (!IsSegment(segment)) return malformed("its prefix cannot be read");
    address.prefix.append(segment).append("/");
  }
  if (address.prefix.size() > kMostPrefixBytes) return malformed("its prefix is too long");
  address.url = address.endpoint + "/" + address.bucket;
  if (!address.prefix.empty()) {
    address.url += "/" + address.prefix.substr(0, address.prefix.size() - 1);
  }
  return address;
}

Status CheckS3Options(const S3Options& options) {
  const bool region = !options.region.empty() && std::ranges::all_of(options.region, [](char c) {
    return IsLowerOrDigit(c) || c == '-';
  });
  if (!region) {
    return Fail(Code::kInvalidArgument, "destination_malformed",
                "its region cannot be read: small letters, digits and '-'");
  }
  if (options.credentials_file.empty()) {
    return Fail(Code::kInvalidArgument, "destination_malformed",
                "an S3-compatible store needs a file with credentials");
  }
  return {};
}

}  // namespace coffer::vault
