// Owners of OpenSSL handles, and the algorithms fetched once for the whole process.
#pragma once

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

namespace coffer::crypto::internal {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

using CipherHandle = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using DigestHandle = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using KdfHandle = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;

// Null when this OpenSSL does not offer the algorithm, which InitializeCrypto() reports. A fetch
// walks the provider store under a lock and costs more than a seal, hence once. Never freed: a
// thread may still be sealing while statics are destroyed.
const EVP_CIPHER* Aes256Gcm();
const EVP_MD* Sha256Digest();
EVP_KDF* Hkdf();

}  // namespace coffer::crypto::internal
