#include "api/cli/client/target.h"

#include <catch2/catch_test_macros.hpp>

namespace coffer::cli {

TEST_CASE("a segment cannot leave its place in the path") {
  CHECK(Target("/v1/clients").Segment("cli_0abc").text() == "/v1/clients/cli_0abc");
  CHECK(Target("/v1/clients").Segment("a/../b").text() == "/v1/clients/a%2F..%2Fb");
  CHECK(Target("/v1/clients").Segment("..").text() == "/v1/clients/%2E%2E");
  CHECK(Target("/v1/clients").Segment("x?data=true#").text() == "/v1/clients/x%3Fdata%3Dtrue%23");
  CHECK(Target("/v1/clients").Segment("a\r\nHost: b").text() == "/v1/clients/a%0D%0AHost%3A%20b");
}

TEST_CASE("a query value cannot add another parameter") {
  CHECK(Target("/v1/log/entries").With("action", "a&limit=1").With("limit", "5").text() ==
        "/v1/log/entries?action=a%26limit%3D1&limit=5");
  CHECK(Target("/x").With("a", "").With("b", "ü").text() == "/x?b=%C3%BC");
}

TEST_CASE("the address of a server is understood") {
  CHECK(*ParseServerUrl("https://vault.example:8443") == ServerAddress{"vault.example", 8443});
  CHECK(*ParseServerUrl("https://vault.example") == ServerAddress{"vault.example", 443});
  CHECK(*ParseServerUrl("https://127.0.0.1:8443/") == ServerAddress{"127.0.0.1", 8443});
  CHECK(*ParseServerUrl("https://[::1]:8443") == ServerAddress{"::1", 8443});
  CHECK(*ParseServerUrl("https://[::1]") == ServerAddress{"::1", 443});
}

TEST_CASE("what is no address of a server is refused as wrong use") {
  for (const char* url :
       {"", "vault.example", "http://vault.example", "https://", "https://:8443", "https://a:0",
        "https://a:65536", "https://a:b", "https://a:1x", "https://a/v1", "https://user@a",
        "https://[::1", "https://[::1]x", "https://a b", "HTTPS://a", "https://a\r\n:1"}) {
    CAPTURE(url);
    const auto address = ParseServerUrl(url);
    REQUIRE_FALSE(address);
    CHECK(address.error().exit == Exit::kUsage);
    CHECK_FALSE(address.error().advice.empty());
  }
}

}  // namespace coffer::cli
