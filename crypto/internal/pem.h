// The textual encoding of RFC 7468: one block and nothing beside it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto::internal {

inline constexpr std::string_view kCertificateLabel = "CERTIFICATE";
inline constexpr std::string_view kRequestLabel = "CERTIFICATE REQUEST";
inline constexpr std::string_view kPrivateKeyLabel = "PRIVATE KEY";

// Lines of 64 characters, each ended by LF.
std::string PemEncode(std::string_view label, ByteView der);
// As above, without a copy on the heap.
SecretBytes PemEncodeSecret(std::string_view label, const SecretBytes& der);

// Nullopt unless `pem` is one block of `label` with at most `limit` bytes. ASCII white space around
// it and within its Base64 is skipped; text before it, a second block and headers are refused, so
// that two readers cannot take two different blocks from one text.
std::optional<Bytes> PemDecode(std::string_view label, std::string_view pem, std::size_t limit);

}  // namespace coffer::crypto::internal
