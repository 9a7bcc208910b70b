// subjectAltNames (RFC 5280 section 4.2.1.6) to and from the text that certificate.h describes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/internal/x509.h"

namespace coffer::crypto::internal {

// Empty without the extension. Nullopt when it is there twice, or is not DER to the last byte.
std::optional<std::vector<std::string>> NamesOf(const X509& certificate);

// Null unless each of `names` is one that CertificateAuthority::Issue() takes.
GeneralNamesHandle ParseNames(std::span<const std::string> names);

}  // namespace coffer::crypto::internal
