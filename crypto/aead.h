// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce that the
// caller can neither choose nor repeat.
//
// Envelope: format (1 byte, 0x01) ‖ key id (u32 big-endian) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
// The format byte and key id are authenticated in front of the caller's context. A key must seal at
// most 2^32 messages.
#pragma once

#include <cstdint>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadOverhead = 1 + 4 + 12 + 16;

// `context` says where the plaintext belongs; it must not be empty and must be given again to Open.
// Preconditions: key.size() == kAeadKeyBytes, context not empty (both abort).
Bytes Seal(ByteView key, std::uint32_t key_id, ByteView context, ByteView plaintext);

// The key id an envelope names, to choose the key. Errors: kCorrupted "envelope_malformed".
Result<std::uint32_t> KeyIdOf(ByteView envelope);

// Errors: kCorrupted "envelope_malformed", kCorrupted "envelope_not_authentic". Which of key,
// context and ciphertext was wrong is not told.
Result<Bytes> Open(ByteView key, ByteView context, ByteView envelope);
// Same, into locked memory: for wrapped keys.
Result<SecretBytes> OpenSecret(ByteView key, ByteView context, ByteView envelope);
// Same, into memory of exactly the plaintext's size (a slab slot).
Status OpenInto(ByteView key, ByteView context, ByteView envelope, std::span<std::uint8_t> out);

}  // namespace coffer::crypto
