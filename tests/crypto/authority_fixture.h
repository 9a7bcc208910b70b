// A certificate authority of its own time, and what its tests ask of it.
#pragma once

#include <openssl/err.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/certificate_authority.h"
#include "crypto/client_key.h"
#include "tests/crypto/x509_builder.h"

namespace coffer::crypto {

using Names = std::vector<std::string>;

inline constexpr std::int64_t kNow = 1'800'000'000;
inline constexpr std::int64_t kDay = 24 * 60 * 60;
inline constexpr std::int64_t kYear = 365 * kDay;

inline CertificateAuthority NewAuthority(std::int64_t lifetime = 10 * kYear) {
  auto authority = CertificateAuthority::Create("Example Ltd", kNow, lifetime);
  REQUIRE(authority);
  return *std::move(authority);
}

inline const CertificateAuthority& Authority() {
  static const CertificateAuthority authority = NewAuthority();
  return authority;
}

inline const std::string& Csr() {
  static const std::string csr = NewClientKey()->csr_pem;
  return csr;
}

inline Result<std::string> Issue(const std::string& csr, const Names& names = {"dns:crm.example"},
                                 std::int64_t lifetime = 90 * kDay, std::int64_t now = kNow) {
  return Authority().Issue(csr, names, now, lifetime);
}

inline CertificateOfTest Leaf(const std::string& csr = Csr(),
                              const Names& names = {"dns:crm.example"}) {
  const auto pem = Issue(csr, names);
  REQUIRE(pem);
  CHECK(ERR_peek_error() == 0);
  return CertificateFrom(*pem);
}

template <class T>
void CheckRefused(const Result<T>& result, std::string_view reason,
                  Code code = Code::kUnprocessable) {
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == reason);
  CHECK(result.error().code == code);
  CHECK(ERR_peek_error() == 0);
}

}  // namespace coffer::crypto
