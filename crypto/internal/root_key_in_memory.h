// Root keys that are bytes in this process, wherever they came from.
#pragma once

#include <memory>
#include <optional>

#include "crypto/root_key_provider.h"

namespace coffer::crypto::internal {

inline constexpr std::size_t kMinPassphraseBytes = 12;

// Wraps with a key derived for that alone, so that the root key can serve another purpose later.
class RootKeyInMemory final : public RootKeyProvider {
 public:
  // `kind` must be a literal.
  static Result<std::unique_ptr<RootKeyProvider>> Create(
      std::string_view kind, const SecretBytes& root,
      std::optional<TokenRoot> token = std::nullopt);

  std::string_view kind() const override { return kind_; }
  const TokenRoot* token() const override { return token_ ? &*token_ : nullptr; }
  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override;
  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override;

 private:
  RootKeyInMemory(std::string_view kind, SecretBytes wrapping_key, std::optional<TokenRoot> token)
      : kind_(kind), wrapping_key_(std::move(wrapping_key)), token_(std::move(token)) {}

  std::string_view kind_;
  SecretBytes wrapping_key_;
  std::optional<TokenRoot> token_;
};

// The passphrase through Argon2id, where it is long enough. Errors: those of OpenPassphrase.
Result<SecretBytes> RootFromPassphrase(const SecretBytes& passphrase,
                                       const Argon2idParameters& parameters);

}  // namespace coffer::crypto::internal
