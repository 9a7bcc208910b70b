#include "tests/support/authenticator.h"

#include <oath.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

namespace coffer::testing {

Authenticator::Authenticator(std::string_view uri) {
  static constexpr std::string_view kSecret = "?secret=";
  const auto start = uri.find(kSecret);
  REQUIRE(start != uri.npos);
  uri.remove_prefix(start + kSecret.size());
  base32_ = uri.substr(0, uri.find('&'));
  char* bytes = nullptr;
  std::size_t size = 0;
  REQUIRE(oath_base32_decode(base32_.data(), base32_.size(), &bytes, &size) == OATH_OK);
  raw_.assign(bytes, size);
  std::free(bytes);
}

std::string Authenticator::CodeAt(audit::Timestamp time) const {
  std::array<char, 7> code{};
  REQUIRE(oath_totp_generate(raw_.data(), raw_.size(), time.ms / 1000, 30, 0, 6, code.data()) ==
          OATH_OK);
  return code.data();
}

}  // namespace coffer::testing
