#include "crypto/sealed_message.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <limits>
#include <memory>
#include <string>

namespace coffer::crypto {
namespace {

struct FreeCmsPart {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(CMS_ContentInfo* message) const { CMS_ContentInfo_free(message); }
  void operator()(STACK_OF(X509) * all) const { sk_X509_free(all); }
};
template <class T>
using CmsPart = std::unique_ptr<T, FreeCmsPart>;

std::unexpected<Error> NoRecipient(std::string why) {
  ERR_clear_error();
  return Fail(Code::kInvalidArgument, "recipient_invalid", std::move(why));
}

CmsPart<BIO> BioOver(ByteView bytes) {
  return CmsPart<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

}  // namespace

Result<Bytes> SealForRecipient(std::string_view certificate, ByteView content) {
  if (content.size() > std::numeric_limits<int>::max()) {
    return Fail(Code::kTooLarge, "message_too_large");
  }
  const auto pem = BioOver(AsBytes(certificate));
  const CmsPart<X509> parsed(pem ? PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr)
                                 : nullptr);
  if (!parsed) return NoRecipient("is none in PEM");
  if (X509_cmp_current_time(X509_get0_notBefore(parsed.get())) > 0 ||
      X509_cmp_current_time(X509_get0_notAfter(parsed.get())) < 0) {
    return NoRecipient("is not valid now");
  }
  const CmsPart<STACK_OF(X509)> recipients(sk_X509_new_null());
  const auto in = BioOver(content);
  const CmsPart<BIO> out(BIO_new(BIO_s_mem()));
  if (!recipients || !in || !out || sk_X509_push(recipients.get(), parsed.get()) == 0) {
    return Fail(Code::kUnavailable, "no_memory");
  }
  const CmsPart<CMS_ContentInfo> message(
      CMS_encrypt(recipients.get(), in.get(), EVP_aes_256_gcm(), CMS_BINARY));
  if (!message || i2d_CMS_bio(out.get(), message.get()) != 1) {
    return NoRecipient("has a key that encrypts nothing");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  if (size <= 0 || data == nullptr) return NoRecipient("has a key that encrypts nothing");
  return Bytes(data, data + size);
}

}  // namespace coffer::crypto
