#include "crypto/aead.h"

#include <algorithm>
#include <array>

#include "crypto/internal/aead_internal.h"
#include "crypto/internal/invariant.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

using internal::GcmInput;
using internal::kGcmNonceBytes;
using internal::kGcmTagBytes;

constexpr std::uint8_t kFormat = 0x01;
constexpr std::size_t kHeadBytes = 1 + 4;
static_assert(kAeadKeyBytes == internal::kGcmKeyBytes);
static_assert(kAeadOverhead == kHeadBytes + kGcmNonceBytes + kGcmTagBytes);

struct Parts {
  ByteView head;
  ByteView nonce;
  ByteView ciphertext;
  ByteView tag;
};

Result<Parts> Split(ByteView envelope) {
  if (envelope.size() < kAeadOverhead) {
    return Fail(Code::kCorrupted, "envelope_malformed", "a sealed value is too short");
  }
  if (envelope.front() != kFormat) {
    return Fail(Code::kCorrupted, "envelope_malformed",
                "a sealed value is of a format this version does not know");
  }
  return Parts{
      .head = envelope.first(kHeadBytes),
      .nonce = envelope.subspan(kHeadBytes, kGcmNonceBytes),
      .ciphertext = envelope.subspan(kHeadBytes + kGcmNonceBytes, envelope.size() - kAeadOverhead),
      .tag = envelope.last(kGcmTagBytes),
  };
}

Status Decrypt(ByteView key, ByteView context, const Parts& parts, std::span<std::uint8_t> out) {
  internal::Require(!context.empty(), "a context for every sealed value");
  const GcmInput input{.key = key, .nonce = parts.nonce, .aad_head = parts.head, .aad = context};
  if (!internal::GcmDecrypt(input, parts.ciphertext, parts.tag.first<kGcmTagBytes>(), out)) {
    return Fail(Code::kCorrupted, "envelope_not_authentic",
                "a sealed value was altered, moved, or sealed under another key");
  }
  return {};
}

}  // namespace

Bytes Seal(ByteView key, std::uint32_t key_id, ByteView context, ByteView plaintext) {
  internal::Require(!context.empty(), "a context for every sealed value");
  const std::array<std::uint8_t, kHeadBytes> head{
      kFormat, static_cast<std::uint8_t>(key_id >> 24), static_cast<std::uint8_t>(key_id >> 16),
      static_cast<std::uint8_t>(key_id >> 8), static_cast<std::uint8_t>(key_id)};
  Bytes envelope(plaintext.size() + kAeadOverhead);
  const std::span<std::uint8_t> out(envelope);
  std::ranges::copy(head, out.begin());
  const auto nonce = out.subspan(kHeadBytes, kGcmNonceBytes);
  FillRandom(nonce);
  const GcmInput input{.key = key, .nonce = nonce, .aad_head = head, .aad = context};
  internal::GcmEncrypt(input, plaintext, out.subspan(kHeadBytes + kGcmNonceBytes, plaintext.size()),
                       out.last<kGcmTagBytes>());
  return envelope;
}

Result<std::uint32_t> KeyIdOf(ByteView envelope) {
  COFFER_ASSIGN(const Parts parts, Split(envelope));
  std::uint32_t id = 0;
  for (const std::uint8_t byte : parts.head.subspan(1)) id = id << 8 | byte;
  return id;
}

Result<Bytes> Open(ByteView key, ByteView context, ByteView envelope) {
  COFFER_ASSIGN(const Parts parts, Split(envelope));
  Bytes plaintext(parts.ciphertext.size());
  COFFER_TRY(Decrypt(key, context, parts, plaintext));
  return plaintext;
}

Result<SecretBytes> OpenSecret(ByteView key, ByteView context, ByteView envelope) {
  COFFER_ASSIGN(const Parts parts, Split(envelope));
  SecretBytes plaintext(parts.ciphertext.size());
  COFFER_TRY(Decrypt(key, context, parts, plaintext.ExposeSecretForWriting()));
  return plaintext;
}

Status OpenInto(ByteView key, ByteView context, ByteView envelope, std::span<std::uint8_t> out) {
  COFFER_ASSIGN(const Parts parts, Split(envelope));
  if (parts.ciphertext.size() != out.size()) {
    return Fail(Code::kCorrupted, "envelope_malformed", "a sealed key is of the wrong size");
  }
  return Decrypt(key, context, parts, out);
}

}  // namespace coffer::crypto
