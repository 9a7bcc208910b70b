#include "crypto/certificate.h"

#include <ctime>
#include <optional>

#include "crypto/hash.h"
#include "crypto/internal/pem.h"
#include "crypto/internal/subject_alt_names.h"
#include "crypto/internal/x509.h"

namespace coffer::crypto {
namespace {

std::unexpected<Error> CertificateMalformed(std::string detail) {
  return Fail(Code::kUnprocessable, "certificate_malformed", std::move(detail));
}

std::optional<Hash> SpkiOf(const X509& certificate) {
  std::uint8_t* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoded);
  const internal::OpensslBytes owner(encoded);
  if (size <= 0) return std::nullopt;
  return Sha256(ByteView(encoded, static_cast<std::size_t>(size)));
}

// OpenSSL takes a time that is not there for the present.
std::optional<std::int64_t> SecondsOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

}  // namespace

Result<CertificateFacts> ReadCertificate(ByteView der) {
  const internal::OpensslErrors errors;
  if (der.size() > kMaxCertificateBytes) return CertificateMalformed("a certificate too long");
  const auto certificate = internal::ParseCertificate(der);
  if (certificate == nullptr) return CertificateMalformed("not one X.509 certificate");
  const auto spki = SpkiOf(*certificate);
  const auto not_before = SecondsOf(X509_get0_notBefore(certificate.get()));
  const auto not_after = SecondsOf(X509_get0_notAfter(certificate.get()));
  if (!spki || !not_before || !not_after) {
    return CertificateMalformed("a certificate without a public key or a validity");
  }
  auto names = internal::NamesOf(*certificate);
  if (!names) return CertificateMalformed("subjectAltNames that cannot be read, or twice");
  return CertificateFacts{.spki = *spki,
                          .names = *std::move(names),
                          .not_before = *not_before,
                          .not_after = *not_after};
}

Result<CertificateFacts> ReadCertificatePem(std::string_view pem) {
  const auto der = internal::PemDecode(internal::kCertificateLabel, pem, kMaxCertificateBytes);
  if (!der) return CertificateMalformed("not one certificate in PEM");
  return ReadCertificate(*der);
}

}  // namespace coffer::crypto
