// A reverse proxy in front: whose word about the caller's address counts, and which.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;

namespace {

// The address in the entry of one request with these header lines.
std::string LoggedAddress(RunningVault& vault, const std::string& lines) {
  RawConnection connection(vault.port());
  REQUIRE(connection.connected());
  const std::string token = vault.Token("crm-service");
  REQUIRE(connection.Send(RequestHead("GET", "/v1/me", token) + lines + "\r\n"));
  const auto reply = connection.Read(std::chrono::seconds(30));
  REQUIRE(reply.status == 200);
  const auto entries = vault.Entries("action=self.read");
  REQUIRE(!entries.empty());
  return entries.back().at("address");
}

VaultSettings BehindProxy() {
  VaultSettings settings;
  settings.server_settings = "trusted_proxies = [\"127.0.0.0/8\"]";
  return settings;
}

}  // namespace

TEST_CASE("a listed proxy says where a request comes from, in one line") {
  RunningVault vault(BehindProxy());
  CHECK(LoggedAddress(vault, "") == "127.0.0.1");
  CHECK(LoggedAddress(vault, "X-Forwarded-For: 192.0.2.7\r\n") == "192.0.2.7");
  CHECK(LoggedAddress(vault, "X-Forwarded-For: 203.0.113.9, 192.0.2.7, 127.0.0.2\r\n") ==
        "192.0.2.7");
  // What the caller wrote ahead of it in a line of its own may come first or last: neither counts.
  CHECK(LoggedAddress(vault, "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 192.0.2.7\r\n") ==
        "127.0.0.1");
  CHECK(LoggedAddress(vault, "X-Forwarded-For: nonsense\r\n") == "127.0.0.1");
}

TEST_CASE("nobody else says where a request comes from") {
  RunningVault vault;
  CHECK(LoggedAddress(vault, "X-Forwarded-For: 192.0.2.7\r\n") == "127.0.0.1");
}

TEST_CASE("a role that is bound to a network is not to be had with two lines") {
  RunningVault vault(BehindProxy());
  auto admin = vault.As("administrator", "");
  REQUIRE(
      admin
          .Put("/v1/roles/office",
               {{"grants",
                 {{{"actions", {"self.read"}}, {"conditions", {{"networks", {"192.0.2.0/24"}}}}}}}})
          .status == 200);
  const auto made = admin.Post("/v1/tokens", {{"name", "office"}, {"role", "office"}});
  REQUIRE(made.status == 201);
  const auto status = [&](const std::string& lines) {
    RawConnection connection(vault.port());
    REQUIRE(connection.connected());
    REQUIRE(
        connection.Send(RequestHead("GET", "/v1/me", made.Json().at("token")) + lines + "\r\n"));
    return connection.Read(std::chrono::seconds(30)).status;
  };
  CHECK(status("X-Forwarded-For: 192.0.2.7\r\n") == 200);
  CHECK(status("X-Forwarded-For: 198.51.100.7\r\n") == 403);
  CHECK(status("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 192.0.2.7\r\n") == 403);
  CHECK(status("") == 403);
}
