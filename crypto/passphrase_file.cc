#include "crypto/passphrase_file.h"

#include <utility>

#include "crypto/internal/secret_file.h"
#include "crypto/internal/secret_line.h"
#include "crypto/token_root_key.h"

namespace coffer::crypto {
namespace {

using Provider = std::unique_ptr<RootKeyProvider>;

// Two readings of one file: the vault says which one it was made with.
class EitherReading final : public RootKeyProvider {
 public:
  EitherReading(Provider now, Provider before) : now_(std::move(now)), before_(std::move(before)) {}

  std::string_view kind() const override { return now_->kind(); }

  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override {
    return (use_before_ ? before_ : now_)->Wrap(key, context);
  }

  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    auto unwrapped = now_->Unwrap(wrapped, context);
    if (unwrapped) return unwrapped;
    auto as_before = before_->Unwrap(wrapped, context);
    if (!as_before) return unwrapped;
    use_before_ = true;
    return as_before;
  }

 private:
  Provider now_, before_;
  bool use_before_ = false;
};

}  // namespace

Result<Provider> OpenPassphraseFile(const std::string& path, const Argon2idParameters& parameters) {
  COFFER_ASSIGN(const SecretBytes file, internal::ReadWholeSecretFile(path));
  COFFER_ASSIGN(const SecretBytes passphrase, internal::SecretIn(file, path));
  auto now = OpenPassphrase(passphrase, parameters);
  const ByteView line = internal::FirstLine(file.ExposeSecret());
  if (line.size() == passphrase.size()) return now;
  auto before = OpenPassphrase(SecretBytes::CopyOf(line), parameters);
  if (!before) return now;
  if (!now) return before;
  return Provider(new EitherReading(*std::move(now), *std::move(before)));
}

Result<Provider> OpenPassphraseFile(const std::string& path, const KeyringHeader& header) {
  if (!header.token) return OpenPassphraseFile(path, header.passphrase);
  COFFER_ASSIGN(const SecretBytes passphrase, ReadSecretFile(path));
  return OpenRecovery(passphrase, header);
}

}  // namespace coffer::crypto
