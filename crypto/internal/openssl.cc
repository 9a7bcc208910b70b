#include "crypto/internal/openssl.h"

namespace coffer::crypto::internal {

const EVP_CIPHER* Aes256Gcm() {
  static const auto& handle = *new CipherHandle(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return handle.get();
}

const EVP_MD* Sha256Digest() {
  static const auto& handle = *new DigestHandle(EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
  return handle.get();
}

EVP_KDF* Hkdf() {
  static const auto& handle = *new KdfHandle(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  return handle.get();
}

}  // namespace coffer::crypto::internal
