#include "crypto/token_uri.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/crypto/fails_with.h"

namespace coffer::crypto {
namespace {

bool RefusesUri(const std::string& text) {
  return FailsWith(ParseTokenUri(text), Code::kInvalidArgument, "root_key_uri_invalid");
}

}  // namespace

TEST_CASE("a token's URI says where module, key and PIN are") {
  const auto uri = ParseTokenUri(
      "pkcs11:token=my%20vault;object=coffer-root;id=%01%ff;type=private"
      "?module-path=/usr/lib/module.so&pin-source=file:/etc/pin");
  REQUIRE(uri);
  CHECK(uri->module_path == "/usr/lib/module.so");
  CHECK(uri->object == "coffer-root");
  CHECK(uri->id == Bytes{0x01, 0xff});
  CHECK(uri->key_class == TokenKeyClass::kPrivate);
  CHECK(uri->pin_source == "/etc/pin");

  const std::string short_one = "pkcs11:object=k?module-path=/m.so";
  REQUIRE(ParseTokenUri(short_one));
  CHECK(ParseTokenUri(short_one)->pin_source.empty());
  CHECK(ParseTokenUri(short_one)->key_class == TokenKeyClass::kAny);
  for (const char* const source :
       {"/etc/pin", "file:/etc/pin", "file:///etc/pin", "%2Fetc%2Fpin"}) {
    INFO(source);
    const auto named = ParseTokenUri(short_one + "&pin-source=" + source);
    REQUIRE(named);
    CHECK(named->pin_source == "/etc/pin");
  }
  const auto credential = ParseTokenUri(short_one + "&pin-source=credential:token-pin");
  REQUIRE(credential);
  CHECK(credential->pin_source == "credential:token-pin");
}

TEST_CASE("a token's URI that would be read over in part is refused") {
  const std::string good = "pkcs11:token=t;object=k?module-path=/m.so";
  REQUIRE(ParseTokenUri(good));
  for (const std::string& text :
       {std::string(),
        std::string("pkcs11:"),
        std::string("file:/m.so"),
        "PKCS11" + good.substr(6),
        std::string("pkcs11:token=t?module-path=/m.so"),  // no key
        std::string("pkcs11:object=?module-path=/m.so"),  // a key of no name
        std::string("pkcs11:object=k"),                   // no module
        std::string("pkcs11:object=k?module-path=m.so"),  // by a relative path
        std::string("pkcs11:object=k?module-name=m"),     // by name
        good + "&module-name=m",
        good + "&pin-source=|cat%20/pin",
        good + "&pin-source=file:pin",
        good + "&pin-source=file://host/pin",
        good + "&pin-source=https:/pin",
        std::string("pkcs11:object=k;type=cert?module-path=/m.so"),
        std::string("pkcs11:object=k;type=public?module-path=/m.so"),
        std::string("pkcs11:object=k;surprise=1?module-path=/m.so"),
        std::string("pkcs11:object=k%0a?module-path=/m.so"),
        std::string("pkcs11:object=%ff?module-path=/m.so"),
        "pkcs11:object=" + std::string(201, 'k') + "?module-path=/m.so",
        "pkcs11:object=" + std::string(3000, 'k') + "?module-path=/m.so",
        good + std::string(1, '\0')}) {
    INFO(text);
    CHECK(RefusesUri(text));
  }
}

TEST_CASE("a PIN in the URI is refused, and repeated nowhere") {
  const auto refused =
      ParseTokenUri("pkcs11:token=t;object=k?module-path=/m.so&pin-value=314159265");
  REQUIRE(FailsWith(refused, Code::kInvalidArgument, "root_key_uri_invalid"));
  CHECK(refused.error().detail.contains("pin-source"));
  CHECK_FALSE(refused.error().detail.contains("314159265"));
}

}  // namespace coffer::crypto
