// AES-256-GCM with a nonce the caller gives: for Seal and Open and for the known answers of the
// tests. Anything else that calls this can repeat a nonce, which gives away the authentication key.
#pragma once

#include <array>
#include <cstdint>

#include "crypto/bytes.h"

namespace coffer::crypto::internal {

inline constexpr std::size_t kGcmKeyBytes = 32;
inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

// What both directions need. The additional data is `aad_head` followed by `aad`, in two pieces so
// that the hot path joins nothing.
struct GcmInput {
  ByteView key;    // kGcmKeyBytes
  ByteView nonce;  // kGcmNonceBytes
  ByteView aad_head;
  ByteView aad;
};

// Preconditions, which abort: sizes as above, ciphertext.size() == plaintext.size().
void GcmEncrypt(const GcmInput& input, ByteView plaintext, std::span<std::uint8_t> ciphertext,
                std::span<std::uint8_t, kGcmTagBytes> tag);

// False when the tag does not match; `plaintext` is then zeroed, so that bytes nobody vouches for
// cannot be used by mistake.
[[nodiscard]] bool GcmDecrypt(const GcmInput& input, ByteView ciphertext,
                              std::span<const std::uint8_t, kGcmTagBytes> tag,
                              std::span<std::uint8_t> plaintext);

}  // namespace coffer::crypto::internal
