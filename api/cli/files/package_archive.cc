#include "api/cli/files/package_archive.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace coffer::cli {
namespace {

template <auto kFree>
struct OpenSslFree {
  template <class T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
using CmsBio = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using RecipientCertificate = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using CmsMessage = std::unique_ptr<CMS_ContentInfo, OpenSslFree<CMS_ContentInfo_free>>;

struct FreeCertificates {
  void operator()(STACK_OF(X509) * all) const { sk_X509_free(all); }
};

std::unexpected<Failure> NoRecipient(std::string why) {
  ERR_clear_error();
  return Failed(Exit::kUsage, "The recipient's certificate " + std::move(why) + ".");
}

CmsBio BioOver(crypto::ByteView bytes) {
  return CmsBio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Outcome<RecipientCertificate> ReadRecipient(const std::string& pem) {
  const CmsBio bio = BioOver(crypto::AsBytes(pem));
  RecipientCertificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                       : nullptr);
  if (!certificate) return NoRecipient("is none in PEM");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0 ||
      X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return NoRecipient("is not valid now");
  }
  return certificate;
}

Outcome<crypto::Bytes> SealFor(const std::string& pem, crypto::ByteView content) {
  auto certificate = ReadRecipient(pem);
  if (!certificate) return std::unexpected(certificate.error());
  const std::unique_ptr<STACK_OF(X509), FreeCertificates> recipients(sk_X509_new_null());
  if (!recipients || sk_X509_push(recipients.get(), certificate->get()) == 0) {
    return Failed(Exit::kFailed, "No memory is left.");
  }
  const CmsBio in = BioOver(content);
  const CmsMessage message(
      in ? CMS_encrypt(recipients.get(), in.get(), EVP_aes_256_gcm(), CMS_BINARY) : nullptr);
  const CmsBio out(BIO_new(BIO_s_mem()));
  if (!message || !out || i2d_CMS_bio(out.get(), message.get()) != 1) {
    return NoRecipient("has no key to encrypt for");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return crypto::Bytes(data, data + size);
}

}  // namespace

Outcome<void> CheckProtection(const PackageProtection& protection) {
  if (protection.passphrase && protection.passphrase->size() < kLeastPassphrase) {
    return Failed(Exit::kUsage, "The passphrase has fewer than 20 characters.",
                  "Take five or six words at random: whoever has the archive can try as many as "
                  "they like.");
  }
  // What cannot be encrypted for is found before anything is handed out.
  if (!protection.recipient.empty()) {
    const auto tried = SealFor(protection.recipient, crypto::AsBytes("x"));
    if (!tried) return std::unexpected(tried.error());
  }
  return {};
}

Outcome<crypto::Bytes> PackArchive(std::span<const audit::NamedFile> files,
                                   const PackageProtection& protection) {
  auto zip = protection.passphrase ? audit::WriteEncryptedZip(files, *protection.passphrase)
                                   : audit::WriteZip(files);
  if (!zip) return std::unexpected(FailureOf(zip.error(), "cannot make the archive"));
  if (protection.recipient.empty()) return *std::move(zip);
  return SealFor(protection.recipient, *zip);
}

}  // namespace coffer::cli
