// Where a root key in a PKCS#11 token is: a URI of RFC 7512.
//
//   pkcs11:token=vault;object=coffer-root?module-path=/usr/lib/module.so&pin-source=file:/etc/pin
#pragma once

#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

enum class TokenKeyClass { kAny, kSecret, kPrivate };  // attribute "type"

struct TokenUri {
  std::string text;         // as given; it has no secret
  std::string module_path;  // absolute
  // What the operator names: a path, or "credential:NAME". Empty: the token asks for no PIN, has a
  // keypad of its own, or a person is asked.
  std::string pin_source;
  std::string object;  // label of the key
  Bytes id;            // of the key (CKA_ID), where it is named
  TokenKeyClass key_class = TokenKeyClass::kAny;
};

// Refused is what would be passed over: attributes that nobody knows, a module by name, a program
// as the source of the PIN; and a PIN in the URI, as it stands in lists of processes and in
// backups. Errors: kInvalidArgument "root_key_uri_invalid", with what to change.
Result<TokenUri> ParseTokenUri(std::string_view text);

}  // namespace coffer::crypto
