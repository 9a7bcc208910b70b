#include "crypto/internal/certificate_request.h"

#include <openssl/core_names.h>

#include <array>

#include "crypto/internal/pem.h"

namespace coffer::crypto::internal {
namespace {

constexpr std::size_t kMaxRequestBytes = 64 * 1024;
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;  // checking one of 8192 would take a fifth of a second

// P-256 or P-384 by name. A curve that is given by its parameters can pass for another one.
bool IsTakenCurve(const EVP_PKEY& key) {
  std::array<char, 64> name{};
  int by_parameters = 1;
  if (EVP_PKEY_get_group_name(&key, name.data(), name.size(), nullptr) != 1 ||
      EVP_PKEY_get_int_param(&key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                             &by_parameters) != 1) {
    return false;
  }
  const std::string_view curve(name.data());
  return by_parameters == 0 && (curve == SN_X9_62_prime256v1 || curve == SN_secp384r1);
}

bool IsTakenKind(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) return true;
  if (EVP_PKEY_is_a(&key, "EC") == 1) return IsTakenCurve(key);
  const int bits = EVP_PKEY_get_bits(&key);
  return EVP_PKEY_is_a(&key, "RSA") == 1 && bits >= kMinRsaBits && bits <= kMaxRsaBits;
}

// An RSA exponent of 1, for one, verifies whatever anybody signs.
bool IsValid(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

}  // namespace

Result<KeyHandle> ReadRequestKey(std::string_view csr_pem) {
  const auto der = PemDecode(kRequestLabel, csr_pem, kMaxRequestBytes);
  const auto request = der ? ParseRequest(*der) : nullptr;
  if (request == nullptr) {
    return Fail(Code::kUnprocessable, "csr_malformed", "not one certificate request in PEM");
  }
  KeyHandle key(X509_REQ_get_pubkey(request.get()));
  if (key == nullptr || !IsTakenKind(*key) || !IsValid(key.get())) {
    return Fail(Code::kUnprocessable, "csr_key_refused",
                "a request for a key that is invalid, too short, or of a kind not taken");
  }
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    return Fail(Code::kUnprocessable, "csr_signature_invalid",
                "a request that its own key did not sign");
  }
  return key;
}

}  // namespace coffer::crypto::internal
