// A message for the holder of a certificate: CMS (RFC 5652, RFC 5083), which `openssl cms -decrypt`
// opens.
#pragma once

#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

// AuthEnvelopedData in DER: AES-256-GCM under a key of its own, which the certificate's key wraps.
// `certificate`: PEM. Errors: kInvalidArgument "recipient_invalid" with what is wrong: none in PEM,
// not valid now, or of a key that encrypts nothing.
Result<Bytes> SealForRecipient(std::string_view certificate, ByteView content);

}  // namespace coffer::crypto
