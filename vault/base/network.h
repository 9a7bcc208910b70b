// Networks and addresses as text: where a caller may come from, and where it does come from.
//
// An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) is its IPv4 address, as a
// socket for both families gives it that spelling. So no IPv6 network, ::/0 included, has it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/result.h"

namespace coffer::vault {

class Network {
 public:
  // "10.0.0.0/8", "2001:db8::/32" (RFC 4632, RFC 4291 section 2.3), or an address, which is a
  // network of one. Errors: kUnprocessable "network_invalid" for anything else: octets with leading
  // zeros or fewer than four, zone ids (fe80::1%eth0), white space, a prefix length that is signed,
  // padded or too long, and bits set behind the prefix, where either part may be the mistake.
  static Result<Network> Parse(std::string_view text);

  // Text that is no address is in no network; "0.0.0.0/0" and "::/0" have it neither.
  bool Contains(std::string_view address) const;
  std::string Text() const;  // the canonical spelling (RFC 5952), always with prefix length
  bool operator==(const Network&) const = default;

 private:
  std::array<std::uint8_t, 16> address_{};  // an IPv4 address has the first four
  bool is_ipv6_ = false;
  unsigned prefix_ = 0;  // bits of address_ that count
};

// What one caller can be expected to have, in its canonical spelling: an IPv4 address, or the /64
// of an IPv6 address, in which a single host takes whichever it likes (RFC 8981). nullopt for text
// that is no address.
std::optional<std::string> AddressBlock(std::string_view address);

// The address a request was made from, in its canonical spelling.
//
// `peer` is the other end of the connection: what it says in X-Forwarded-For counts only if it is
// in `trusted_proxies`. Each proxy adds the address that it was called from at the right, so the
// values (`forwarded_for`, one for each header line, in the order they came in) are read from the
// right, and the first address that is no trusted proxy's is the caller's: what stands left of that
// is anybody's invention, and not looked at. Where all are trusted it is the left-most, and without
// any value the peer.
//
// nullopt when that cannot be said: the peer is no address, or an element that is to be read is no
// address (a port, a name, "unknown", nothing). A rule about networks must then take it for a
// breach.
std::optional<std::string> ClientAddress(std::string_view peer,
                                         std::span<const std::string> forwarded_for,
                                         std::span<const Network> trusted_proxies);

}  // namespace coffer::vault
