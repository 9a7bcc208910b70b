#include "crypto/internal/root_key_in_memory.h"

#include "crypto/aead.h"

namespace coffer::crypto::internal {
namespace {

constexpr std::string_view kWrapInfo = "coffer-root-wrap-v1";

}  // namespace

Result<std::unique_ptr<RootKeyProvider>> RootKeyInMemory::Create(std::string_view kind,
                                                                 const SecretBytes& root,
                                                                 std::optional<TokenRoot> token) {
  COFFER_ASSIGN(SecretBytes wrapping, HkdfSha256(root, {}, kWrapInfo, kAeadKeyBytes));
  return std::unique_ptr<RootKeyProvider>(
      new RootKeyInMemory(kind, std::move(wrapping), std::move(token)));
}

Result<Bytes> RootKeyInMemory::Wrap(const SecretBytes& key, std::string_view context) {
  return Seal(wrapping_key_.ExposeSecret(), 0, AsBytes(context), key.ExposeSecret());
}

Result<SecretBytes> RootKeyInMemory::Unwrap(ByteView wrapped, std::string_view context) {
  return OpenSecret(wrapping_key_.ExposeSecret(), AsBytes(context), wrapped);
}

Result<SecretBytes> RootFromPassphrase(const SecretBytes& passphrase,
                                       const Argon2idParameters& parameters) {
  if (passphrase.size() < kMinPassphraseBytes) {
    return Fail(Code::kInvalidArgument, "passphrase_too_short",
                "the root passphrase must have at least 12 bytes");
  }
  return Argon2id(passphrase, parameters);
}

}  // namespace coffer::crypto::internal
