// Ed25519 signatures (RFC 8032).
#pragma once

#include <array>
#include <cstdint>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

class SigningKey {
 public:
  static SigningKey Generate();
  // `seed` is the 32-byte private key of RFC 8032. Errors: kInvalidArgument on another size.
  static Result<SigningKey> FromSeed(const SecretBytes& seed);

  const PublicKey& public_key() const { return public_key_; }
  Signature Sign(ByteView message) const;
  SecretBytes ExportSeed() const;

 private:
  SigningKey() = default;
  SecretBytes expanded_;  // libsodium's seed ‖ public key
  PublicKey public_key_{};
};

bool VerifySignature(const PublicKey& key, ByteView message, ByteView signature);

}  // namespace coffer::crypto
