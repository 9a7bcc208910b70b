#include "vault/opening.h"

#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "vault/access/call.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kAuthoritySetting = "client_authority";
constexpr std::string_view kAuthorityKeySetting = "client_authority_key";
constexpr std::string_view kAuthorityContext = "coffer-client-authority-v1";
constexpr std::int64_t kAuthorityLifetimeS = std::int64_t{10} * 365 * 24 * 3600;

Bytes AuthorityContext(const crypto::Keyring& keyring) {
  Bytes context;
  for (const std::string_view part : {kAuthorityContext, crypto::AsText(keyring.vault_id())}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

}  // namespace

Status CheckThere(const std::string& directory) {
  if (access(KeyringPath(directory).c_str(), F_OK) == 0) return {};
  return Fail(Code::kNotFound, "vault_missing",
              "there is no vault in " + directory + "; make one with 'coffer init'");
}

Result<audit::Anchor> ReadAnchor(const std::string& path) {
  auto bytes = crypto::ReadFile(path, audit::kMaxAnchorBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return Fail(Code::kCorrupted, "anchor_missing",
                path +
                    " is missing: without it a rolled-back log would go unnoticed; see "
                    "'Recovery' in the operator's guide");
  }
  if (!bytes) return std::unexpected(bytes.error());
  return audit::ParseAnchor(crypto::AsText(*bytes));
}

Result<std::optional<crypto::CertificateAuthority>> ReadAuthority(SettingStore& settings,
                                                                  const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const auto certificate, settings.Find(kAuthoritySetting));
  COFFER_ASSIGN(const auto sealed, settings.Find(kAuthorityKeySetting));
  if (!certificate || !sealed) return std::nullopt;
  COFFER_ASSIGN(const Bytes bytes, crypto::Base64Decode(*sealed));
  COFFER_ASSIGN(Bytes plain,
                crypto::Open(keyring.note_key().ExposeSecret(), AuthorityContext(keyring), bytes));
  const auto key = crypto::SecretBytes::CopyOf(plain);
  crypto::Wipe(plain);
  return crypto::CertificateAuthority::Open(*certificate, key);
}

Result<crypto::CertificateAuthority> OpenAuthority(SettingStore& settings,
                                                   const crypto::Keyring& keyring,
                                                   audit::Timestamp now, bool& made) {
  COFFER_ASSIGN(auto stored, ReadAuthority(settings, keyring));
  made = !stored;
  if (stored) return *std::move(stored);
  COFFER_ASSIGN(auto authority,
                crypto::CertificateAuthority::Create("Coffer", now.ms / 1000, kAuthorityLifetimeS));
  const auto key = authority.ExportPrivateKey();
  COFFER_TRY(settings.Put(kAuthoritySetting, authority.certificate_pem()));
  COFFER_TRY(settings.Put(
      kAuthorityKeySetting,
      crypto::Base64Encode(crypto::Seal(keyring.note_key().ExposeSecret(), 0,
                                        AuthorityContext(keyring), key.ExposeSecret()))));
  return authority;
}

}  // namespace coffer::vault
