#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <sodium.h>

#include <array>

#include "crypto/hash.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/openssl.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kArgon2idKeyBytes = 32;
constexpr std::uint32_t kMaxPasses = 16;
constexpr std::uint32_t kMinMemoryKib = 8;
constexpr std::uint32_t kMaxMemoryKib = 4 * 1024 * 1024;
constexpr std::size_t kMaxHkdfBytes = 255 * 32;  // RFC 5869 section 2.3
constexpr std::size_t kMaxInfoBytes = 1024;      // OpenSSL's own limit

std::unexpected<Error> Refuse(std::string detail) {
  return Fail(Code::kInvalidArgument, "kdf_parameters_invalid", std::move(detail));
}

// OpenSSL's parameters are not const, but input parameters are only read.
OSSL_PARAM Octets(const char* name, ByteView bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

}  // namespace

Result<SecretBytes> Argon2id(const SecretBytes& passphrase, const Argon2idParameters& parameters) {
  if (parameters.passes < 1 || parameters.passes > kMaxPasses) {
    return Refuse("Argon2id takes 1 to 16 passes");
  }
  if (parameters.memory_kib < kMinMemoryKib || parameters.memory_kib > kMaxMemoryKib) {
    return Refuse("Argon2id takes 8 KiB to 4 GiB of memory");
  }
  if (parameters.salt.size() != crypto_pwhash_SALTBYTES) {
    return Refuse("Argon2id takes a salt of 16 bytes");
  }
  SecretBytes key(kArgon2idKeyBytes);
  const auto out = key.ExposeSecretForWriting();
  const std::string_view text = AsText(passphrase.ExposeSecret());
  // With the parameters checked, the one cause left is that the memory was not given.
  if (crypto_pwhash(out.data(), out.size(), text.empty() ? "" : text.data(), text.size(),
                    parameters.salt.data(), parameters.passes,
                    std::size_t{parameters.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Fail(
        Code::kUnavailable, "memory_exhausted",
        "Argon2id was not given its " + std::to_string(parameters.memory_kib) + " KiB of memory");
  }
  return key;
}

Result<SecretBytes> HkdfSha256(const SecretBytes& key, ByteView salt, std::string_view info,
                               std::size_t size) {
  if (key.empty()) return Refuse("HKDF takes a key of at least one byte");
  if (size < 1 || size > kMaxHkdfBytes) return Refuse("HKDF gives 1 to 8160 bytes");
  if (info.size() > kMaxInfoBytes) return Refuse("HKDF takes at most 1024 bytes of info");
  const internal::KdfContext context(EVP_KDF_CTX_new(internal::Hkdf()));
  internal::Require(context != nullptr, "memory for an HKDF context");
  // An absent salt is 32 zero bytes, an absent info empty (RFC 5869 section 2.2).
  std::array<OSSL_PARAM, 5> parameters;
  std::size_t count = 0;
  char digest[] = "SHA2-256";
  parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  parameters[count++] = Octets(OSSL_KDF_PARAM_KEY, key.ExposeSecret());
  if (!salt.empty()) parameters[count++] = Octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) parameters[count++] = Octets(OSSL_KDF_PARAM_INFO, AsBytes(info));
  parameters[count] = OSSL_PARAM_construct_end();
  SecretBytes derived(size);
  const auto out = derived.ExposeSecretForWriting();
  internal::Require(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1,
                    "HKDF-SHA-256");
  return derived;
}

SecretBytes DeriveKey(const SecretBytes& key, std::string_view label) {
  Hash derived = KeyedHash(key, {AsBytes(label)});
  SecretBytes secret = SecretBytes::CopyOf(derived);
  Wipe(derived);
  return secret;
}

}  // namespace coffer::crypto
