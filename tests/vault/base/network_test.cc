#include "vault/base/network.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace coffer::vault {
namespace {

using Addresses = std::vector<std::string>;

Network Net(std::string_view text) {
  const auto network = Network::Parse(text);
  INFO(text);
  REQUIRE(network);
  return *network;
}

std::vector<Network> Nets(const Addresses& texts) {
  std::vector<Network> networks;
  for (const auto& text : texts) networks.push_back(Net(text));
  return networks;
}

bool IsIn(std::string_view address, std::string_view network) {
  return Net(network).Contains(address);
}

// "-" stands for an address that cannot be said.
std::string Client(std::string_view peer, const Addresses& forwarded, const Addresses& trusted) {
  return ClientAddress(peer, forwarded, Nets(trusted)).value_or("-");
}

TEST_CASE("a network has the addresses of its prefix, to the bit") {
  CHECK(IsIn("10.0.0.0", "10.0.0.0/8"));
  CHECK(IsIn("10.255.255.255", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("9.255.255.255", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("11.0.0.0", "10.0.0.0/8"));
  CHECK(IsIn("172.31.255.255", "172.16.0.0/12"));
  CHECK_FALSE(IsIn("172.32.0.0", "172.16.0.0/12"));
  CHECK(IsIn("192.0.2.131", "192.0.2.128/30"));
  CHECK_FALSE(IsIn("192.0.2.132", "192.0.2.128/30"));
  CHECK(IsIn("192.0.2.1", "192.0.2.0/31"));
  CHECK_FALSE(IsIn("192.0.2.2", "192.0.2.0/31"));
  CHECK(IsIn("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32"));
  CHECK_FALSE(IsIn("2001:db9::", "2001:db8::/32"));
  CHECK(IsIn("2001:DB8::1", "2001:db8::/127"));
  CHECK_FALSE(IsIn("2001:db8::2", "2001:db8::/127"));
  CHECK(IsIn("fe80::1", "fe80::/10"));
  CHECK_FALSE(IsIn("fec0::1", "fe80::/10"));
}

TEST_CASE("every prefix length divides where it says") {
  for (int prefix = 1; prefix <= 32; ++prefix) {
    const auto network = "128.0.0.0/" + std::to_string(prefix);
    CHECK(IsIn("128.0.0.0", network));
    CHECK_FALSE(IsIn("0.0.0.0", network));
    CHECK(IsIn("128.0.0.1", network) == (prefix < 32));
    CHECK(IsIn("192.0.0.0", network) == (prefix < 2));
  }
  for (int prefix = 1; prefix <= 128; ++prefix) {
    const auto network = "8000::/" + std::to_string(prefix);
    CHECK(IsIn("8000::", network));
    CHECK_FALSE(IsIn("::", network));
    CHECK(IsIn("8000::1", network) == (prefix < 128));
    CHECK(IsIn("8000:0:0:1::", network) == (prefix < 64));
  }
}

TEST_CASE("an address is a network of one") {
  CHECK(IsIn("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(IsIn("192.0.2.6", "192.0.2.7"));
  CHECK(IsIn("2001:db8:0:0::7", "2001:db8::7"));
  CHECK(Net("192.0.2.7") == Net("192.0.2.7/32"));
  CHECK(Net("::1") == Net("::1/128"));
}

TEST_CASE("a prefix of no bits has every address of its family, and none of the other") {
  CHECK(IsIn("255.255.255.255", "0.0.0.0/0"));
  CHECK(IsIn("0.0.0.0", "0.0.0.0/0"));
  CHECK_FALSE(IsIn("2001:db8::1", "0.0.0.0/0"));
  CHECK(IsIn("2001:db8::1", "::/0"));
  CHECK_FALSE(IsIn("192.0.2.1", "::/0"));
  CHECK_FALSE(IsIn("10.0.0.0", "a00::/8"));  // the same first byte
}

TEST_CASE("an IPv4-mapped address is its IPv4 address, on both sides") {
  CHECK(IsIn("::ffff:10.1.2.3", "10.0.0.0/8"));
  CHECK(IsIn("::FFFF:0a01:0203", "10.0.0.0/8"));
  CHECK(IsIn("0:0:0:0:0:ffff:10.1.2.3", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("::ffff:11.1.2.3", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("::ffff:10.1.2.3", "::/0"));
  CHECK_FALSE(IsIn("::ffff:10.1.2.3", "::/64"));
  CHECK(Net("::ffff:10.0.0.0/104") == Net("10.0.0.0/8"));
  CHECK(Net("::ffff:10.1.2.3") == Net("10.1.2.3"));
  CHECK(Net("::ffff:0:0/96") == Net("0.0.0.0/0"));
  CHECK_FALSE(IsIn("10.1.2.3", "::/80"));
  // What only looks like one: IPv4-compatible, NAT64, 6to4.
  CHECK_FALSE(IsIn("::10.1.2.3", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("64:ff9b::10.1.2.3", "10.0.0.0/8"));
  CHECK_FALSE(IsIn("2002:a01:203::", "10.0.0.0/8"));
}

TEST_CASE("what is no address is in no network") {
  const std::string texts[] = {"",
                               " ",
                               "x",
                               "localhost",
                               "10",
                               "10.1",
                               "10.1.2",
                               "10.1.2.3.4",
                               "10.1.2.3.",
                               ".10.1.2.3",
                               "010.1.2.3",
                               "10.1.2.03",
                               "0x0a.1.2.3",
                               "10.1.2.256",
                               "10.1.2.-1",
                               "+10.1.2.3",
                               " 10.1.2.3",
                               "10.1.2.3 ",
                               "10.1.2.3\n",
                               "10.1.2.3:80",
                               "10.1.2.3/32",
                               "167838211",
                               "10..2.3",
                               std::string("10.1.2.3\0", 9),
                               std::string("10.1.2.3\0x", 10),
                               "\xef\xbc\x91\x30.1.2.3",
                               "fe80::1%eth0",
                               "fe80::1%1",
                               "[::1]",
                               "[::1]:80",
                               "::1/128",
                               ":::1",
                               "1::2::3",
                               "::g",
                               "1:2:3:4:5:6:7",
                               "1:2:3:4:5:6:7:8:9",
                               "12345::",
                               "::ffff:10.1.2.256",
                               "::ffff:010.1.2.3",
                               "::ffff:10.1.2.3%eth0",
                               std::string(10'000, ':'),
                               std::string(10'000, '1')};
  for (const auto& text : texts) {
    INFO(text);
    CHECK_FALSE(IsIn(text, "0.0.0.0/0"));
    CHECK_FALSE(IsIn(text, "::/0"));
    CHECK_FALSE(IsIn(text, "10.0.0.0/8"));
    CHECK(Client(text, {}, {}) == "-");
  }
}

TEST_CASE("a network that is not written strictly is refused") {
  const std::string texts[] = {"",
                               "/",
                               "/8",
                               "10.0.0.0/",
                               "10.0.0.0/33",
                               "10.0.0.0/08",
                               "10.0.0.0/00",
                               "10.0.0.0/+8",
                               "10.0.0.0/-1",
                               "10.0.0.0/8 ",
                               "10.0.0.0/ 8",
                               "10.0.0.0 /8",
                               " 10.0.0.0/8",
                               "10.0.0.0/8/8",
                               "10.0.0.0/8x",
                               "10.0.0.0/255.0.0.0",
                               "10.0.0.0//8",
                               "10/8",
                               "10.0.0/8",
                               "010.0.0.0/8",
                               "10.0.0.0/4294967304",
                               "10.0.0.0\\8",
                               std::string("10.0.0.0/8\0", 11),
                               std::string("10.0.0.0\0/8", 11),
                               "2001:db8::/129",
                               "2001:db8::/",
                               "2001:db8::/032",
                               "fe80::%eth0/64",
                               "fe80::1%eth0",
                               "[2001:db8::]/32",
                               "2001:db8/32",
                               "*",
                               "10.0.0.*",
                               "any",
                               "10.0.0.0-10.0.0.255",
                               "::ffff:10.0.0.0/129",
                               std::string(10'000, '1') + "/8"};
  for (const auto& text : texts) {
    INFO(text);
    const auto network = Network::Parse(text);
    REQUIRE(!network);
    CHECK(network.error().code == Code::kUnprocessable);
    CHECK(network.error().reason == "network_invalid");
    CHECK(!network.error().detail.empty());
  }
}

TEST_CASE("bits behind the prefix are an error, as either part may be the mistake") {
  for (const char* text : {"10.0.0.1/8", "10.1.0.0/8", "192.0.2.129/25", "0.0.0.1/0", "128.0.0.0/0",
                           "10.0.0.1/31", "2001:db8::1/32", "2001:db8:8000::/32", "::1/0",
                           "::1/127", "::ffff:10.0.0.1/104", "::ffff:10.0.0.0/80"}) {
    INFO(text);
    CHECK(!Network::Parse(text));
  }
}

TEST_CASE("a network is written in one spelling, and read from it again") {
  CHECK(Net("10.0.0.0/8").Text() == "10.0.0.0/8");
  CHECK(Net("192.0.2.7").Text() == "192.0.2.7/32");
  CHECK(Net("2001:0DB8:0:0::/32").Text() == "2001:db8::/32");
  CHECK(Net("::ffff:10.0.0.0/104").Text() == "10.0.0.0/8");
  CHECK(Net("0::0/0").Text() == "::/0");
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1"}) {
    CHECK(Net(Net(text).Text()) == Net(text));
  }
}

TEST_CASE("the block of an address is the address itself, or the /64 of IPv6") {
  auto block = [](std::string_view address) { return AddressBlock(address).value_or("-"); };
  CHECK(block("192.0.2.7") == "192.0.2.7");
  CHECK(block("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(block("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(block("2001:DB8:1:2:ffff:ffff:ffff:ffff") == block("2001:db8:1:2::"));
  CHECK(block("2001:db8:1:3::6") != block("2001:db8:1:2::6"));
  CHECK(block("::1") == "::/64");
  for (const char* text : {"", "x", "192.0.2.0/24", "192.0.2.7:80", "[::1]", "fe80::1%eth0"}) {
    CHECK(block(text) == "-");
  }
}

TEST_CASE("a peer that is no proxy of ours is the caller, whatever it says") {
  CHECK(Client("192.0.2.7", {}, {}) == "192.0.2.7");
  CHECK(Client("192.0.2.7", {"10.0.0.1"}, {}) == "192.0.2.7");
  CHECK(Client("192.0.2.7", {"10.0.0.1"}, {"10.0.0.0/8"}) == "192.0.2.7");
  CHECK(Client("192.0.2.7", {"not an address"}, {"10.0.0.0/8"}) == "192.0.2.7");
  CHECK(Client("::ffff:192.0.2.7", {}, {}) == "192.0.2.7");
  CHECK(Client("2001:DB8:0::7", {"10.0.0.1"}, {"0.0.0.0/0"}) == "2001:db8::7");
}

TEST_CASE("behind a proxy the caller is the right-most address that is no proxy's") {
  const Addresses proxies = {"10.0.0.0/8", "2001:db8:1::/48"};
  CHECK(Client("10.0.0.1", {"192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("::ffff:10.0.0.1", {"192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("2001:db8:1::1", {"::FFFF:192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"198.51.100.1, 192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"198.51.100.1,192.0.2.7 ,\t10.0.0.3"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"2001:db8::9, 10.0.0.2, 10.0.0.3"}, proxies) == "2001:db8::9");
}

TEST_CASE("several header lines are one list, in their order") {
  const Addresses proxies = {"10.0.0.0/8"};
  CHECK(Client("10.0.0.1", {"198.51.100.1", "192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"192.0.2.7", "10.0.0.2"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"198.51.100.1, 192.0.2.7", "10.0.0.2, 10.0.0.3"}, proxies) ==
        "192.0.2.7");
}

TEST_CASE("an address a caller invents at the left is not taken for its own") {
  const Addresses proxies = {"10.0.0.0/8"};
  // The proxy added 192.0.2.7; all else came with the request.
  CHECK(Client("10.0.0.1", {"10.9.9.9, 192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"10.9.9.9", "10.9.9.9, 192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {"garbage, 192.0.2.7"}, proxies) == "192.0.2.7");
  CHECK(Client("10.0.0.1", {",,,", "192.0.2.7"}, proxies) == "192.0.2.7");
}

TEST_CASE("where all are proxies the caller is the left-most, and without a header the peer") {
  const Addresses proxies = {"10.0.0.0/8"};
  CHECK(Client("10.0.0.1", {"10.0.0.3, 10.0.0.2"}, proxies) == "10.0.0.3");
  CHECK(Client("10.0.0.1", {"10.0.0.4", "10.0.0.3, 10.0.0.2"}, proxies) == "10.0.0.4");
  CHECK(Client("10.0.0.1", {}, proxies) == "10.0.0.1");
}

TEST_CASE("what a proxy says that is no address leaves the caller unknown") {
  const Addresses proxies = {"10.0.0.0/8"};
  const std::string values[] = {"",
                                " ",
                                ",",
                                "192.0.2.7,",
                                "192.0.2.7, ",
                                "unknown",
                                "_hidden",
                                "192.0.2.7:1234",
                                "[2001:db8::7]:1234",
                                "\"192.0.2.7\"",
                                "for=192.0.2.7",
                                "fe80::1%eth0",
                                "192.0.2.7 10.0.0.2",
                                "192.0.2.7;10.0.0.2",
                                "192.0.2.7\r\n",
                                std::string("192.0.2.7\0", 10),
                                "client.example",
                                "192.0.2.7, unknown, 10.0.0.2",
                                "unknown, 10.0.0.2"};
  for (const auto& value : values) {
    INFO(value);
    CHECK(Client("10.0.0.1", {value}, proxies) == "-");
    CHECK(Client("10.0.0.1", {"192.0.2.7", value}, proxies) == "-");
  }
  CHECK(Client("@", {"192.0.2.7"}, proxies) == "-");
  CHECK(Client("10.0.0.1", {std::string(100'000, ',') + "10.0.0.2"}, proxies) == "-");
}

TEST_CASE("a long list is read in time that grows with its length") {
  std::string list = "192.0.2.7";
  for (int i = 0; i < 20'000; ++i) list += ", 10.0.0.2";
  CHECK(Client("10.0.0.1", {list}, {"10.0.0.0/8"}) == "192.0.2.7");
}

}  // namespace
}  // namespace coffer::vault
