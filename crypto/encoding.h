// Strict text encodings. Decoders accept exactly one spelling of every value.
#pragma once

#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

std::string HexEncode(ByteView bytes);              // lower case
Result<Bytes> HexDecode(std::string_view text);     // lower case only, even length
std::string Base64Encode(ByteView bytes);           // RFC 4648 section 4, with padding
Result<Bytes> Base64Decode(std::string_view text);  // canonical: padding, zero trailing bits
std::string Base64UrlEncode(ByteView bytes);        // RFC 4648 section 5, without padding
Result<Bytes> Base64UrlDecode(std::string_view text);

// Crockford base32 in lower case, 128 bits to 26 characters, most significant bits first (the
// first character carries the top 3 bits). Decoding accepts lower case only, without the letters
// i, l, o, u, and refuses a first character above '7'.
using Id128 = std::array<std::uint8_t, 16>;
std::string Base32Encode(const Id128& id);
void Base32EncodeTo(const Id128& id, char* out26);
Result<Id128> Base32Decode(std::string_view text);

}  // namespace coffer::crypto
