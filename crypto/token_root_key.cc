#include "crypto/token_root_key.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/internal/root_key_in_memory.h"
#include "crypto/internal/token_process.h"

namespace coffer::crypto {
namespace {

using internal::TokenAnswer;
using internal::TokenRequest;
using TokenProvider = std::unique_ptr<RootKeyProvider>;

constexpr std::string_view kTokenKind = "pkcs11";
constexpr std::string_view kRecoveryInfo = "coffer-recovery-wrap-v1";

Result<SecretBytes> RecoveryKey(const SecretBytes& passphrase,
                                const Argon2idParameters& parameters) {
  COFFER_ASSIGN(const SecretBytes root, internal::RootFromPassphrase(passphrase, parameters));
  return HkdfSha256(root, {}, kRecoveryInfo, kAeadKeyBytes);
}

Result<RecoveryWrap> WrapForRecovery(const NewRecovery& recovery, const SecretBytes& root_secret) {
  COFFER_ASSIGN(const SecretBytes key, RecoveryKey(recovery.passphrase, recovery.parameters));
  return RecoveryWrap{.passphrase = recovery.parameters,
                      .wrapped = Seal(key.ExposeSecret(), 0, AsBytes(kRecoveryContext),
                                      root_secret.ExposeSecret())};
}

Status CheckTokenKind(const KeyringHeader& header) {
  if (header.token) return {};
  return Fail(Code::kUnauthenticated, "root_key_wrong",
              std::string("this vault's root key is ") +
                  (header.root_kind == "passphrase" ? "a passphrase" : "a key file") +
                  ", in a token was given");
}

// The configuration may name the key by its label alone.
Status CheckSameKey(const TokenUri& uri, const TokenRoot& root) {
  const bool same_class =
      uri.key_class == TokenKeyClass::kAny ||
      (uri.key_class == TokenKeyClass::kSecret) == (root.mechanism == kTokenAesGcm);
  if (uri.object == root.key_label && same_class && (uri.id.empty() || uri.id == root.key_id)) {
    return {};
  }
  return Fail(Code::kUnauthenticated, "root_key_wrong",
              "this vault's root key is the key '" + root.key_label +
                  "' of a token, another one was named");
}

}  // namespace

Result<TokenProvider> MakeTokenRoot(const TokenAccess& access,
                                    const std::optional<NewRecovery>& recovery, bool& made) {
  const SecretBytes root_secret = SecretBytes::Random(kRootSecretBytes);
  std::optional<RecoveryWrap> by_passphrase;
  if (recovery) {  // first: what is refused here changes nothing in the token
    COFFER_ASSIGN(by_passphrase, WrapForRecovery(*recovery, root_secret));
  }
  TokenRequest request{.task = TokenRequest::Task::kMake,
                       .uri = access.uri.text,
                       .pin = access.pin.Clone(),
                       .root_secret = root_secret.Clone(),
                       .root = {}};
  COFFER_ASSIGN(TokenAnswer answer, internal::AskToken(request, access.limit));
  made = answer.made;
  answer.root.recovery = std::move(by_passphrase);
  return internal::RootKeyInMemory(kTokenKind, root_secret, std::move(answer.root));
}

Result<TokenProvider> OpenTokenRoot(const TokenAccess& access, const KeyringHeader& header) {
  COFFER_TRY(CheckTokenKind(header));
  COFFER_TRY(CheckSameKey(access.uri, *header.token));
  TokenRequest request{.task = TokenRequest::Task::kOpen,
                       .uri = access.uri.text,
                       .pin = access.pin.Clone(),
                       .root_secret = {},
                       .root = *header.token};
  COFFER_ASSIGN(const TokenAnswer answer, internal::AskToken(request, access.limit));
  return internal::RootKeyInMemory(kTokenKind, answer.root_secret, header.token);
}

Result<TokenProvider> OpenRecovery(const SecretBytes& passphrase, const KeyringHeader& header) {
  if (!header.token || !header.token->recovery) {
    return Fail(Code::kNotFound, "recovery_missing", "this vault has no recovery passphrase");
  }
  const RecoveryWrap& recovery = *header.token->recovery;
  COFFER_ASSIGN(const SecretBytes key, RecoveryKey(passphrase, recovery.passphrase));
  auto root_secret = OpenSecret(key.ExposeSecret(), AsBytes(kRecoveryContext), recovery.wrapped);
  if (!root_secret) {
    return Fail(Code::kUnauthenticated, "root_key_wrong",
                "the recovery passphrase is another one, or keyring.json was altered");
  }
  return internal::RootKeyInMemory(kTokenKind, *root_secret, header.token);
}

}  // namespace coffer::crypto
