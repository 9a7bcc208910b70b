#include "vault/base/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace coffer::vault {
namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // an IPv4 address has the first four
  bool is_ipv6 = false;
};

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

unsigned BitsOf(bool is_ipv6) { return is_ipv6 ? 128 : 32; }

bool IsMapped(const Address& address) {
  return address.is_ipv6 && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

Address Unmapped(const Address& address) {
  Address ipv4;
  std::copy_n(address.bytes.begin() + kMapped.size(), 4, ipv4.bytes.begin());
  return ipv4;
}

// As written: a mapped address stays IPv6.
std::optional<Address> ReadAddress(std::string_view text) {
  // inet_pton ends at a NUL, and would take what stands in front of it for the whole.
  if (text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  const std::string terminated(text);
  Address address;
  address.is_ipv6 = text.contains(':');
  const int family = address.is_ipv6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::optional<Address> ParseAddress(std::string_view text) {
  const auto address = ReadAddress(text);
  return address && IsMapped(*address) ? Unmapped(*address) : address;
}

std::string FormatAddress(const std::array<std::uint8_t, 16>& bytes, bool is_ipv6) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  // Fails for an unknown family or a short buffer only.
  inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  return text.data();
}

// 0 to `most`, in the one spelling that each number has.
std::optional<unsigned> ParsePrefix(std::string_view text, unsigned most) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned prefix = 0;
  const char* const end = text.data() + text.size();
  const auto [last, fault] = std::from_chars(text.data(), end, prefix);
  if (fault != std::errc() || last != end || prefix > most) return std::nullopt;
  return prefix;
}

// Whether both have the same first `prefix` bits.
bool SharePrefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                 unsigned prefix) {
  for (unsigned bit = 0; bit < prefix; bit += 8) {
    const unsigned difference = a[bit / 8] ^ b[bit / 8];
    const unsigned counted = std::min(prefix - bit, 8U);
    if (difference >> (8 - counted) != 0) return false;
  }
  return true;
}

bool HasBitsBehind(const std::array<std::uint8_t, 16>& address, unsigned prefix) {
  for (unsigned bit = prefix; bit < 128; ++bit) {
    if ((address[bit / 8] >> (7 - bit % 8) & 1) != 0) return true;
  }
  return false;
}

std::unexpected<Error> Refuse(std::string detail) {
  return Fail(Code::kUnprocessable, "network_invalid", std::move(detail));
}

// Removes and returns what stands behind the last comma, without the blanks around it (optional
// white space of RFC 9110 section 5.6.3).
std::string_view TakeLastElement(std::string_view& list) {
  const auto comma = list.rfind(',');
  std::string_view element = comma == list.npos ? list : list.substr(comma + 1);
  list = comma == list.npos ? std::string_view() : list.substr(0, comma);
  const auto first = element.find_first_not_of(" \t");
  if (first == element.npos) return {};
  return element.substr(first, element.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<Network> Network::Parse(std::string_view text) {
  const auto slash = text.find('/');
  auto address = ReadAddress(text.substr(0, slash));
  if (!address) return Refuse("a network begins with an IPv4 or IPv6 address");
  unsigned prefix = BitsOf(address->is_ipv6);
  if (slash != text.npos) {
    const auto given = ParsePrefix(text.substr(slash + 1), prefix);
    if (!given) return Refuse("a prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6");
    prefix = *given;
  }
  if (IsMapped(*address) && prefix >= kMappedBits) {
    address = Unmapped(*address);
    prefix -= kMappedBits;
  }
  if (HasBitsBehind(address->bytes, prefix)) {
    return Refuse("an address with bits set behind the prefix length");
  }
  Network network;
  network.address_ = address->bytes;
  network.is_ipv6_ = address->is_ipv6;
  network.prefix_ = prefix;
  return network;
}

bool Network::Contains(std::string_view address) const {
  const auto parsed = ParseAddress(address);
  return parsed && parsed->is_ipv6 == is_ipv6_ && SharePrefix(parsed->bytes, address_, prefix_);
}

std::string Network::Text() const {
  return FormatAddress(address_, is_ipv6_) + "/" + std::to_string(prefix_);
}

std::optional<std::string> AddressBlock(std::string_view address) {
  auto parsed = ParseAddress(address);
  if (!parsed) return std::nullopt;
  if (!parsed->is_ipv6) return FormatAddress(parsed->bytes, false);
  std::fill(parsed->bytes.begin() + 8, parsed->bytes.end(), std::uint8_t{0});
  return FormatAddress(parsed->bytes, true) + "/64";
}

std::optional<std::string> ClientAddress(std::string_view peer,
                                         std::span<const std::string> forwarded_for,
                                         std::span<const Network> trusted_proxies) {
  auto is_trusted = [trusted_proxies](std::string_view address) {
    return std::ranges::any_of(
        trusted_proxies, [address](const Network& network) { return network.Contains(address); });
  };
  auto canonical = [](std::string_view text) -> std::optional<std::string> {
    const auto address = ParseAddress(text);
    if (!address) return std::nullopt;
    return FormatAddress(address->bytes, address->is_ipv6);
  };
  auto client = canonical(peer);
  for (auto value = forwarded_for.rbegin(); value != forwarded_for.rend(); ++value) {
    std::string_view list = *value;
    for (bool more = true; more;) {
      if (!client || !is_trusted(*client)) return client;
      more = list.contains(',');
      client = canonical(TakeLastElement(list));
    }
  }
  return client;
}

}  // namespace coffer::vault
