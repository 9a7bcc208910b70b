#include "crypto/certificate_authority.h"

#include <algorithm>
#include <utility>

#include "crypto/certificate.h"
#include "crypto/internal/certificate_builder.h"
#include "crypto/internal/certificate_request.h"
#include "crypto/internal/p256_key.h"
#include "crypto/internal/pem.h"
#include "crypto/internal/subject_alt_names.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto {

using internal::CertificateHandle;
using internal::KeyHandle;
using internal::KeyUsage;
using internal::Validity;

struct CertificateAuthority::State {
  CertificateHandle certificate;
  std::string certificate_pem;
  SecretBytes private_key;  // PKCS#8; an EVP_PKEY would be in ordinary memory
  Validity validity;
};

namespace {

constexpr std::int64_t kBackdatedSeconds = 5 * 60;
constexpr std::int64_t kEndOfTime = 253402300799;  // 9999-12-31T23:59:59Z, the last of RFC 5280

Result<Validity> ValidityFor(std::int64_t now_s, std::int64_t lifetime_s, std::int64_t longest) {
  if (lifetime_s < kMinCertificateLifetime || lifetime_s > longest || now_s < kBackdatedSeconds ||
      now_s > kEndOfTime - lifetime_s) {
    return Fail(Code::kUnprocessable, "certificate_lifetime_invalid",
                "a certificate's lifetime is too short, too long, or outside of X.509's calendar");
  }
  return Validity{.not_before = now_s - kBackdatedSeconds, .not_after = now_s + lifetime_s};
}

bool SetEntry(X509_NAME* name, int kind, std::string_view text) {
  return X509_NAME_add_entry_by_NID(name, kind, MBSTRING_UTF8, AsBytes(text).data(),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// OpenSSL knows and enforces the 64 characters of RFC 5280 appendix A.
Status NameAuthority(X509& certificate, std::string_view organisation) {
  const bool acceptable = !organisation.empty() && organisation.size() <= std::size_t{64} * 4 &&
                          internal::IsUtf8(organisation) &&
                          std::ranges::none_of(organisation, [](char c) {
                            return static_cast<std::uint8_t>(c) < ' ' || c == '\x7f';
                          });
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  if (!acceptable || !SetEntry(subject, NID_organizationName, organisation)) {
    return Fail(Code::kUnprocessable, "certificate_organisation_invalid",
                "an organisation's name is 1 to 64 characters of UTF-8");
  }
  internal::Require(SetEntry(subject, NID_commonName, "Coffer client CA") &&
                        X509_set_issuer_name(&certificate, subject) == 1,
                    "an authority's name");
  return {};
}

std::unexpected<Error> AuthorityMalformed() {
  return Fail(Code::kCorrupted, "certificate_authority_malformed",
              "a certificate authority that is not one of Coffer's own, or was altered");
}

bool IsOwnAuthority(X509* certificate, EVP_PKEY* key) {
  return X509_check_ca(certificate) == 1 && X509_get0_subject_key_id(certificate) != nullptr &&
         X509_check_issued(certificate, certificate) == X509_V_OK &&
         X509_verify(certificate, key) == 1;
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::unique_ptr<const State> state)
    : state_(std::move(state)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority& CertificateAuthority::operator=(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

Result<CertificateAuthority> CertificateAuthority::Create(std::string_view organisation,
                                                          std::int64_t now_s,
                                                          std::int64_t lifetime_s) {
  const internal::OpensslErrors errors;
  COFFER_ASSIGN(const Validity validity, ValidityFor(now_s, lifetime_s, kMaxAuthorityLifetime));
  auto certificate = internal::NewCertificate(validity);
  COFFER_TRY(NameAuthority(*certificate, organisation));
  const KeyHandle key = internal::GenerateP256Key();
  if (key == nullptr) {
    return Fail(Code::kInternal, "crypto_unavailable", "this OpenSSL offers no P-256 keys");
  }
  internal::Require(X509_set_pubkey(certificate.get(), key.get()) == 1, "an authority's key");
  internal::AddAuthorityConstraints(*certificate);
  internal::AddKeyUsage(*certificate, {KeyUsage::kKeyCertSign, KeyUsage::kCrlSign});
  internal::AddSubjectKeyIdentifier(*certificate);
  internal::Sign(*certificate, *key);
  // Read back, so that what is handed out is known to open again.
  return Open(
      internal::PemEncode(internal::kCertificateLabel, internal::DerOf(i2d_X509, *certificate)),
      internal::EncodeP256Key(*key));
}

Result<CertificateAuthority> CertificateAuthority::Open(std::string_view certificate_pem,
                                                        const SecretBytes& private_key) {
  const internal::OpensslErrors errors;
  const auto der =
      internal::PemDecode(internal::kCertificateLabel, certificate_pem, kMaxCertificateBytes);
  if (!der) return AuthorityMalformed();
  const auto facts = ReadCertificate(*der);
  auto certificate = internal::ParseCertificate(*der);
  const KeyHandle key = internal::DecodeP256Key(private_key);
  if (!facts || certificate == nullptr || key == nullptr) return AuthorityMalformed();
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Fail(Code::kCorrupted, "certificate_authority_key_mismatch",
                "the private key is not that of the authority's certificate");
  }
  if (!IsOwnAuthority(certificate.get(), key.get())) return AuthorityMalformed();
  return CertificateAuthority(std::make_unique<const State>(
      State{.certificate = std::move(certificate),
            .certificate_pem = internal::PemEncode(internal::kCertificateLabel, *der),
            .private_key = private_key.Clone(),
            .validity = {.not_before = facts->not_before, .not_after = facts->not_after}}));
}

const std::string& CertificateAuthority::certificate_pem() const { return state_->certificate_pem; }

SecretBytes CertificateAuthority::ExportPrivateKey() const { return state_->private_key.Clone(); }

Result<std::string> CertificateAuthority::Issue(std::string_view csr_pem,
                                                std::span<const std::string> names,
                                                std::int64_t now_s, std::int64_t lifetime_s) const {
  const internal::OpensslErrors errors;
  COFFER_ASSIGN(Validity validity, ValidityFor(now_s, lifetime_s, kMaxCertificateLifetime));
  const Validity& own = state_->validity;
  if (now_s < own.not_before || own.not_after - now_s < kMinCertificateLifetime) {
    return Fail(Code::kConflict, "certificate_authority_expired",
                "the certificate authority is at its end, or not yet valid");
  }
  validity.not_after = std::min(validity.not_after, own.not_after);
  const bool counted = !names.empty() && names.size() <= kMaxCertificateNames;
  const auto general_names = counted ? internal::ParseNames(names) : nullptr;
  if (general_names == nullptr) {
    return Fail(Code::kUnprocessable, "certificate_name_invalid",
                "a name for a certificate is missing, malformed, or one too many");
  }
  COFFER_ASSIGN(const KeyHandle client, internal::ReadRequestKey(csr_pem));
  const auto certificate = internal::NewCertificate(validity);
  internal::Require(X509_set_issuer_name(certificate.get(),
                                         X509_get_subject_name(state_->certificate.get())) == 1,
                    "an issuer's name");
  if (X509_set_pubkey(certificate.get(), client.get()) != 1) {
    return Fail(Code::kUnprocessable, "csr_key_refused", "a key that cannot be written again");
  }
  internal::AddNames(*certificate, *general_names);
  internal::AddLeafConstraints(*certificate);
  internal::AddKeyUsage(*certificate, {KeyUsage::kDigitalSignature});
  internal::AddClientAuthentication(*certificate);
  internal::AddSubjectKeyIdentifier(*certificate);
  internal::AddAuthorityKeyIdentifier(*certificate, *state_->certificate);
  const KeyHandle key = internal::DecodeP256Key(state_->private_key);
  internal::Require(key != nullptr, "the authority's key, which was read before");
  internal::Sign(*certificate, *key);
  return internal::PemEncode(internal::kCertificateLabel, internal::DerOf(i2d_X509, *certificate));
}

}  // namespace coffer::crypto
