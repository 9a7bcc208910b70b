#include "crypto/internal/aead_internal.h"

#include <openssl/err.h>

#include <algorithm>
#include <limits>

#include "crypto/internal/invariant.h"
#include "crypto/internal/openssl.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto::internal {
namespace {

// One context a thread. Resetting it after each use wipes the key schedule, so that an erased
// client's key does not live on in a worker thread.
class ScopedContext {
 public:
  ScopedContext() {
    thread_local const CipherContext context(EVP_CIPHER_CTX_new());
    Require(context != nullptr, "memory for a cipher context");
    context_ = context.get();
  }
  ~ScopedContext() { Require(EVP_CIPHER_CTX_reset(context_) == 1, "cipher context reset"); }
  ScopedContext(const ScopedContext&) = delete;
  ScopedContext& operator=(const ScopedContext&) = delete;

  EVP_CIPHER_CTX* get() const { return context_; }

 private:
  EVP_CIPHER_CTX* context_;
};

void Begin(EVP_CIPHER_CTX* context, const GcmInput& input, bool encrypt) {
  Require(input.key.size() == kGcmKeyBytes, "AES-256-GCM key of 32 bytes");
  Require(input.nonce.size() == kGcmNonceBytes, "AES-256-GCM nonce of 12 bytes");
  auto* const start = encrypt ? EVP_EncryptInit_ex2 : EVP_DecryptInit_ex2;
  Require(start(context, Aes256Gcm(), input.key.data(), input.nonce.data(), nullptr) == 1,
          "AES-256-GCM start");
}

// OpenSSL counts in int, callers in size_t: long inputs go in pieces. `out` null means additional
// data.
void Update(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  static_assert(kPiece <= std::numeric_limits<int>::max());
  while (!in.empty()) {
    const ByteView piece = in.first(std::min(in.size(), kPiece));
    int written = 0;
    Require(
        EVP_CipherUpdate(context, out, &written, piece.data(), static_cast<int>(piece.size())) == 1,
        "AES-256-GCM update");
    Require(static_cast<std::size_t>(written) == piece.size(), "AES-256-GCM update in full");
    if (out != nullptr) out += piece.size();
    in = in.subspan(piece.size());
  }
}

}  // namespace

void GcmEncrypt(const GcmInput& input, ByteView plaintext, std::span<std::uint8_t> ciphertext,
                std::span<std::uint8_t, kGcmTagBytes> tag) {
  Require(ciphertext.size() == plaintext.size(), "room for the ciphertext");
  const ScopedContext context;
  Begin(context.get(), input, /*encrypt=*/true);
  Update(context.get(), input.aad_head, nullptr);
  Update(context.get(), input.aad, nullptr);
  Update(context.get(), plaintext, ciphertext.data());
  int written = 0;
  Require(EVP_EncryptFinal_ex(context.get(), tag.data(), &written) == 1 && written == 0,
          "AES-256-GCM finish");
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes, tag.data()) == 1,
          "AES-256-GCM tag");
}

bool GcmDecrypt(const GcmInput& input, ByteView ciphertext,
                std::span<const std::uint8_t, kGcmTagBytes> tag,
                std::span<std::uint8_t> plaintext) {
  Require(plaintext.size() == ciphertext.size(), "room for the plaintext");
  const ScopedContext context;
  Begin(context.get(), input, /*encrypt=*/false);
  Update(context.get(), input.aad_head, nullptr);
  Update(context.get(), input.aad, nullptr);
  Update(context.get(), ciphertext, plaintext.data());
  // OpenSSL copies the tag; its parameter is not const for historical reasons.
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes,
                              const_cast<std::uint8_t*>(tag.data())) == 1,
          "AES-256-GCM expected tag");
  std::uint8_t rest[kGcmTagBytes];
  int written = 0;
  if (EVP_DecryptFinal_ex(context.get(), rest, &written) == 1) return true;
  Wipe(plaintext);
  // A TLS call on this thread would take a left-over entry for an error of its own.
  ERR_clear_error();
  return false;
}

}  // namespace coffer::crypto::internal
