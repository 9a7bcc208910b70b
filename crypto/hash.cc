#include "crypto/hash.h"

#include <sodium.h>

#include "crypto/internal/invariant.h"
#include "crypto/internal/openssl.h"

namespace coffer::crypto {

using internal::Require;

// OpenSSL rather than libsodium: half the time for a log entry where the processor has no SHA
// instructions. The context stays with its thread and keeps its algorithm, so that a call allocates
// nothing: naming the algorithm again would make its state anew, a fifth of a short hash's time.
Hash Sha256(std::initializer_list<ByteView> parts) {
  thread_local const internal::DigestContext context = [] {
    internal::DigestContext made(EVP_MD_CTX_new());
    Require(made != nullptr, "memory for a digest context");
    Require(EVP_DigestInit_ex2(made.get(), internal::Sha256Digest(), nullptr) == 1,
            "SHA-256 of this OpenSSL");
    return made;
  }();
  Require(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1, "SHA-256 start");
  for (const ByteView part : parts) {
    Require(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1, "SHA-256 update");
  }
  Hash hash;
  unsigned size = 0;
  Require(EVP_DigestFinal_ex(context.get(), hash.data(), &size) == 1 && size == hash.size(),
          "SHA-256 finish");
  return hash;
}

Hash KeyedHash(const SecretBytes& key, std::initializer_list<ByteView> parts) {
  Require(key.size() == 32, "keyed BLAKE2b key of 32 bytes");
  Hash hash;
  crypto_generichash_state state;
  const ByteView exposed = key.ExposeSecret();
  Require(crypto_generichash_init(&state, exposed.data(), exposed.size(), hash.size()) == 0,
          "keyed BLAKE2b start");
  for (const ByteView part : parts) {
    std::array<std::uint8_t, 8> length;
    for (std::size_t i = 0; i < length.size(); ++i) {
      length[i] = static_cast<std::uint8_t>(std::uint64_t{part.size()} >> (8 * i));
    }
    Require(crypto_generichash_update(&state, length.data(), length.size()) == 0 &&
                crypto_generichash_update(&state, part.data(), part.size()) == 0,
            "keyed BLAKE2b update");
  }
  Require(crypto_generichash_final(&state, hash.data(), hash.size()) == 0, "keyed BLAKE2b finish");
  sodium_memzero(&state, sizeof state);  // the first block is the key
  return hash;
}

}  // namespace coffer::crypto
