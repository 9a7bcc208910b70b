// The published keys of RFC 8032 section 7.1 and the log they sign in tests.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "audit/tlog/checkpoint.h"
#include "crypto/encoding.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"

namespace coffer::audit {

inline constexpr std::string_view kOrigin = "vault.example/audit";
inline constexpr std::string_view kSeedOfTest1 =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
inline constexpr std::string_view kSeedOfTest2 =
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

inline crypto::SigningKey KeyFromSeed(std::string_view hex) {
  const auto seed = crypto::HexDecode(hex);
  if (!crypto::InitializeCrypto() || !seed) throw std::runtime_error("no test key");
  auto key = crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(*seed));
  if (!key) throw std::runtime_error("no test key");
  return *std::move(key);
}

inline const crypto::SigningKey& LogKey() {
  static const crypto::SigningKey key = KeyFromSeed(kSeedOfTest1);
  return key;
}

inline const crypto::SigningKey& OtherKey() {
  static const crypto::SigningKey key = KeyFromSeed(kSeedOfTest2);
  return key;
}

inline VerifierKey LogVerifier() { return {std::string(kOrigin), LogKey().public_key()}; }

inline Hash HashFromHex(std::string_view hex) {
  const auto bytes = crypto::HexDecode(hex);
  if (!bytes || bytes->size() != 32) throw std::invalid_argument("not a hash");
  Hash hash{};
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

}  // namespace coffer::audit
