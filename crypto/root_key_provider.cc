#include "crypto/root_key_provider.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/internal/encoding_internal.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/new_file.h"
#include "crypto/internal/root_key_in_memory.h"
#include "crypto/internal/secret_file.h"
#include "crypto/internal/secret_line.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kRootKeyBytes = 32;
constexpr std::size_t kMinPassphraseBytes = 12;
constexpr std::string_view kWrapInfo = "coffer-root-wrap-v1";

// Root keys that are bytes in this process, wherever they came from. Wraps with a key derived for
// that alone, so that the root key can serve another purpose later.
class KeyInMemory final : public RootKeyProvider {
 public:
  KeyInMemory(std::string_view kind, SecretBytes wrapping_key, std::optional<TokenRoot> token)
      : kind_(kind), wrapping_key_(std::move(wrapping_key)), token_(std::move(token)) {}

  std::string_view kind() const override { return kind_; }
  const TokenRoot* token() const override { return token_ ? &*token_ : nullptr; }

  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override {
    return Seal(wrapping_key_.ExposeSecret(), 0, AsBytes(context), key.ExposeSecret());
  }

  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    return OpenSecret(wrapping_key_.ExposeSecret(), AsBytes(context), wrapped);
  }

 private:
  std::string_view kind_;  // a literal
  SecretBytes wrapping_key_;
  std::optional<TokenRoot> token_;
};

constexpr internal::SecretFileReasons kRootKeyReasons{.missing = "root_key_missing",
                                                      .exposed = "root_key_exposed",
                                                      .malformed = "root_key_malformed",
                                                      .not_read = "root_key_not_read"};

// What a key is written around with, when it was copied from a screen or through an editor.
ByteView KeyOf(ByteView content) {
  const auto is_blank = [](std::uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  if (internal::StartsWith(content, internal::kByteOrderMark)) {
    content = content.subspan(internal::kByteOrderMark.size());
  }
  while (!content.empty() && is_blank(content.back())) content = content.first(content.size() - 1);
  while (!content.empty() && is_blank(content.front())) content = content.subspan(1);
  return content;
}

}  // namespace

Result<std::unique_ptr<RootKeyProvider>> internal::RootKeyInMemory(std::string_view kind,
                                                                   const SecretBytes& root,
                                                                   std::optional<TokenRoot> token) {
  COFFER_ASSIGN(SecretBytes wrapping, HkdfSha256(root, {}, kWrapInfo, kAeadKeyBytes));
  return std::make_unique<KeyInMemory>(kind, std::move(wrapping), std::move(token));
}

Result<SecretBytes> internal::RootFromPassphrase(const SecretBytes& passphrase,
                                                 const Argon2idParameters& parameters) {
  if (passphrase.size() < kMinPassphraseBytes) {
    return Fail(Code::kInvalidArgument, "passphrase_too_short",
                "the root passphrase must have at least 12 bytes");
  }
  return Argon2id(passphrase, parameters);
}

Result<std::unique_ptr<RootKeyProvider>> OpenKeyFile(const std::string& path) {
  constexpr std::size_t kDigits = 2 * kRootKeyBytes;
  constexpr std::size_t kBlanks = 16;  // around them, with a byte order mark
  COFFER_ASSIGN(const SecretBytes file,
                internal::ReadLockedFile(path, kDigits + kBlanks, kRootKeyReasons));
  SecretBytes digits = SecretBytes::CopyOf(KeyOf(file.ExposeSecret()));
  for (std::uint8_t& c : digits.ExposeSecretForWriting()) {
    if (c >= 'A' && c <= 'F') c += 'a' - 'A';
  }
  SecretBytes root(kRootKeyBytes);
  if (!internal::HexDecodeInto(AsText(digits.ExposeSecret()), root.ExposeSecretForWriting())) {
    return Fail(Code::kInvalidArgument, "root_key_malformed",
                path + " must hold 64 hexadecimal digits and nothing else");
  }
  // What a disk gives that has lost it: anybody has this key.
  if (std::ranges::all_of(root.ExposeSecret(), [](std::uint8_t byte) { return byte == 0; })) {
    return Fail(Code::kInvalidArgument, "root_key_malformed", path + " holds nothing but zeros");
  }
  return internal::RootKeyInMemory("key-file", root, std::nullopt);
}

Status CreateKeyFile(const std::string& path) {
  const SecretBytes root = SecretBytes::Random(kRootKeyBytes);
  SecretBytes text(2 * kRootKeyBytes + 1);
  const auto out = text.ExposeSecretForWriting();
  internal::HexEncodeInto(root.ExposeSecret(),
                          {reinterpret_cast<char*>(out.data()), out.size() - 1});
  out.back() = '\n';
  Status status = internal::WriteNewFile(path, text.ExposeSecret(), 0600);
  if (!status && status.error().code == Code::kConflict) {
    return Fail(Code::kConflict, "root_key_exists",
                path + " exists already; it was left as it is, as a vault may depend on it");
  }
  return status;
}

Result<std::unique_ptr<RootKeyProvider>> OpenPassphrase(const SecretBytes& passphrase,
                                                        const Argon2idParameters& parameters) {
  COFFER_ASSIGN(const SecretBytes root, internal::RootFromPassphrase(passphrase, parameters));
  return internal::RootKeyInMemory("passphrase", root, std::nullopt);
}

Result<SecretBytes> internal::ReadWholeSecretFile(const std::string& path) {
  return ReadLockedFile(path, kMaxSecretFileBytes, kSecretFileReasons);
}

Result<SecretBytes> internal::SecretIn(const SecretBytes& content, const std::string& path) {
  if (IsUtf16(content.ExposeSecret())) {
    return Fail(Code::kInvalidArgument, "secret_file_malformed",
                path + " is UTF-16 text: save it as UTF-8");
  }
  const ByteView line = SecretOf(FirstLine(content.ExposeSecret()));
  if (line.empty()) {
    return Fail(Code::kInvalidArgument, "secret_file_malformed",
                path + " has nothing in its first line");
  }
  return SecretBytes::CopyOf(line);
}

Result<SecretBytes> ReadSecretFile(const std::string& path) {
  COFFER_ASSIGN(const SecretBytes content, internal::ReadWholeSecretFile(path));
  return internal::SecretIn(content, path);
}

}  // namespace coffer::crypto
