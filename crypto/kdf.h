// Key derivation: Argon2id (RFC 9106) from passphrases, HKDF-SHA-256 (RFC 5869) from keys.
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

struct Argon2idParameters {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 256 * 1024;
  Bytes salt;  // 16 bytes
};

// 32 bytes; parallelism 1. Errors: kInvalidArgument for parameters outside passes 1..16, memory
// 8 KiB..4 GiB, salt of 16 bytes; kUnavailable "memory_exhausted".
Result<SecretBytes> Argon2id(const SecretBytes& passphrase, const Argon2idParameters& parameters);

// HKDF-SHA-256, `size` 1..8160 bytes.
Result<SecretBytes> HkdfSha256(const SecretBytes& key, ByteView salt, std::string_view info,
                               std::size_t size);

// A key of its own for the label: keyed BLAKE2b (hash.h) over the label, of which no copy stays
// behind. Precondition: key.size() == 32.
SecretBytes DeriveKey(const SecretBytes& key, std::string_view label);

}  // namespace coffer::crypto
