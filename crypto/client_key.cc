#include "crypto/client_key.h"

#include "crypto/internal/p256_key.h"
#include "crypto/internal/pem.h"
#include "crypto/internal/x509.h"

namespace coffer::crypto {

Result<ClientKey> NewClientKey() {
  const internal::OpensslErrors errors;
  const auto key = internal::GenerateP256Key();
  if (key == nullptr) {
    return Fail(Code::kInternal, "crypto_unavailable", "this OpenSSL offers no P-256 keys");
  }
  const internal::RequestHandle request(X509_REQ_new());
  internal::Require(request != nullptr &&
                        X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                        X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
                        X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0,
                    "a request signed with a new key");
  return ClientKey{.private_key_pem = internal::PemEncodeSecret(internal::kPrivateKeyLabel,
                                                                internal::EncodeP256Key(*key)),
                   .csr_pem = internal::PemEncode(internal::kRequestLabel,
                                                  internal::DerOf(i2d_X509_REQ, *request))};
}

}  // namespace coffer::crypto
