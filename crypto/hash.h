// SHA-256 (FIPS 180-4) and keyed BLAKE2b (RFC 7693).
#pragma once

#include <initializer_list>

#include "crypto/bytes.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

// SHA-256 of the concatenation of the parts. Hot: no allocation.
Hash Sha256(std::initializer_list<ByteView> parts);
inline Hash Sha256(ByteView bytes) { return Sha256({bytes}); }

// Keyed BLAKE2b, 32 bytes. Each part is preceded by its length as u64 little-endian, so that no two
// lists of parts collide. Precondition: key.size() == 32.
Hash KeyedHash(const SecretBytes& key, std::initializer_list<ByteView> parts);

}  // namespace coffer::crypto
