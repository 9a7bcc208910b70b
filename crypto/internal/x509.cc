#include "crypto/internal/x509.h"

namespace coffer::crypto::internal {
namespace {

// OpenSSL's readers stop behind a structure and leave what follows.
template <class Handle, class T>
Handle ParseWhole(T* (*decode)(T**, const std::uint8_t**, long), ByteView der) {
  const std::uint8_t* end = der.data();
  Handle handle(decode(nullptr, &end, static_cast<long>(der.size())));
  if (handle != nullptr && end != der.data() + der.size()) handle.reset();
  return handle;
}

}  // namespace

CertificateHandle ParseCertificate(ByteView der) {
  return ParseWhole<CertificateHandle>(d2i_X509, der);
}

RequestHandle ParseRequest(ByteView der) { return ParseWhole<RequestHandle>(d2i_X509_REQ, der); }

}  // namespace coffer::crypto::internal
