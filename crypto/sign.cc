#include "crypto/sign.h"

#include <sodium.h>

#include "crypto/internal/invariant.h"

namespace coffer::crypto {

using internal::Require;

SigningKey SigningKey::Generate() {
  auto key = FromSeed(SecretBytes::Random(crypto_sign_SEEDBYTES));
  Require(key.has_value(), "an Ed25519 key from a seed of its own size");
  return *std::move(key);
}

Result<SigningKey> SigningKey::FromSeed(const SecretBytes& seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) {
    return Fail(Code::kInvalidArgument, "signing_seed_invalid", "an Ed25519 seed has 32 bytes");
  }
  SigningKey key;
  key.expanded_ = SecretBytes(crypto_sign_SECRETKEYBYTES);
  Require(crypto_sign_seed_keypair(key.public_key_.data(),
                                   key.expanded_.ExposeSecretForWriting().data(),
                                   seed.ExposeSecret().data()) == 0,
          "Ed25519 key pair");
  return key;
}

Signature SigningKey::Sign(ByteView message) const {
  Require(!expanded_.empty(), "a signing key that was not moved from");
  Signature signature;
  Require(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                               expanded_.ExposeSecret().data()) == 0,
          "Ed25519 signature");
  return signature;
}

SecretBytes SigningKey::ExportSeed() const {
  Require(!expanded_.empty(), "a signing key that was not moved from");
  return SecretBytes::CopyOf(expanded_.ExposeSecret().first(crypto_sign_SEEDBYTES));
}

// libsodium also refuses keys of small order and signatures whose S is not reduced, so that one
// message has no second valid signature made from the first.
bool VerifySignature(const PublicKey& key, ByteView message, ByteView signature) {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

}  // namespace coffer::crypto
