#include "crypto/secret_bytes.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "crypto/internal/invariant.h"
#include "crypto/internal/openssl.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

// A core file would hold every key in use.
Status SwitchCoreDumpsOff() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Fail(Code::kInternal, "core_dumps_not_disabled",
                std::string("core dumps could not be switched off: ") + std::strerror(errno));
  }
  return {};
}

Status Initialize() {
  if (sodium_init() < 0) {
    return Fail(Code::kInternal, "crypto_unavailable", "libsodium did not start");
  }
  if (internal::Aes256Gcm() == nullptr || internal::Sha256Digest() == nullptr ||
      internal::Hkdf() == nullptr) {
    return Fail(
        Code::kInternal, "crypto_unavailable",
        "this OpenSSL offers no AES-256-GCM, SHA-256 or HKDF: check its configuration file");
  }
  return SwitchCoreDumpsOff();
}

}  // namespace

Status InitializeCrypto() {
  static const Status status = Initialize();
  return status;
}

// sodium_malloc puts a guard page behind the bytes, locks them and keeps them out of core dumps.
// Where RLIMIT_MEMLOCK is used up it goes on unlocked; SecretSlab is what reports that.
SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  if (data_ == nullptr) throw std::bad_alloc();  // one request's failure, not everybody's
  sodium_memzero(data_, size_);
}

SecretBytes SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.data_);
  return copy;
}

SecretBytes SecretBytes::Random(std::size_t size) {
  SecretBytes secret(size);
  FillRandom(secret.ExposeSecretForWriting());
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  SecretBytes taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

SecretBytes::~SecretBytes() { sodium_free(data_); }  // zeroes first; does nothing for null

SecretBytes SecretBytes::Clone() const { return CopyOf(ExposeSecret()); }

bool operator==(const SecretBytes& a, const SecretBytes& b) {
  return ConstantTimeEqual(a.ExposeSecret(), b.ExposeSecret());
}

bool ConstantTimeEqual(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

void Wipe(std::span<std::uint8_t> memory) {
  if (!memory.empty()) sodium_memzero(memory.data(), memory.size());
}

}  // namespace coffer::crypto
