#include "crypto/sealed_message.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

std::string BytesIn(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int RunShell(const std::string& command) { return std::system((command + " 2>/dev/null").c_str()); }

}  // namespace

TEST_CASE("a message opens with the recipient's key, and with no other, and not altered") {
  const TemporaryDirectory work;
  const std::string text("some content\0\r\n\xff", 16);
  const std::string at = work / "";
  for (const std::string kind : {"rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"}) {
    REQUIRE(RunShell("openssl req -x509 -newkey " + kind + " -nodes -subj /CN=a -days 2 -keyout " +
                     at + "key.pem -out " + at + "cert.pem") == 0);
    REQUIRE(RunShell("openssl genrsa -out " + at + "other.pem 2048") == 0);
    const auto sealed = SealForRecipient(BytesIn(work / "cert.pem"), AsBytes(text));
    REQUIRE(sealed);
    CHECK(AsText(*sealed).find("some content") == std::string_view::npos);
    const auto open = [&](const Bytes& message, const std::string& key) {
      std::ofstream(work / "message", std::ios::binary) << AsText(message);
      return RunShell("openssl cms -decrypt -binary -inform DER -in " + at + "message -inkey " +
                      at + key + " -out " + at + "opened") == 0;
    };
    REQUIRE(open(*sealed, "key.pem"));
    CHECK(BytesIn(work / "opened") == text);
    CHECK(!open(*sealed, "other.pem"));
    Bytes altered = *sealed;
    altered[altered.size() - 20] ^= 1;
    CHECK(!open(altered, "key.pem"));
  }
}

TEST_CASE("what is no certificate, or one that cannot be encrypted for, is no recipient") {
  const TemporaryDirectory work;
  const std::string at = work / "";
  REQUIRE(RunShell("openssl req -x509 -newkey ed25519 -nodes -subj /CN=a -days 2 -keyout " + at +
                   "key.pem -out " + at + "signs.pem") == 0);
  REQUIRE(RunShell("openssl req -new -newkey rsa:2048 -nodes -subj /CN=a -keyout " + at +
                   "key.pem -out " + at + "request.pem") == 0);
  REQUIRE(RunShell("openssl x509 -req -days -1 -in " + at + "request.pem -signkey " + at +
                   "key.pem -out " + at + "old.pem") == 0);
  for (const std::string& none :
       {std::string(), std::string("no certificate"), BytesIn(work / "key.pem"),
        BytesIn(work / "signs.pem"), BytesIn(work / "old.pem")}) {
    const auto sealed = SealForRecipient(none, AsBytes("x"));
    REQUIRE(!sealed);
    CHECK(sealed.error().reason == "recipient_invalid");
    CHECK(!sealed.error().detail.empty());
  }
}

}  // namespace coffer::crypto
