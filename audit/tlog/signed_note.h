// C2SP signed notes of any text: text, blank line, "— name base64(keyid ‖ signature)" lines.
#pragma once

#include <string>
#include <string_view>

#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// Precondition: `text` is UTF-8 that ends in a newline, without a blank line or other control
// characters.
std::string SignText(std::string_view text, std::string_view name, const crypto::SigningKey& key);

// The signed text, with its final newline, of a note that carries a valid signature of `key`.
// Signatures of other keys are ignored. Errors: kCorrupted "note_malformed",
// "note_signature_missing", "note_signature_wrong".
Result<std::string_view> VerifyText(std::string_view note, const VerifierKey& key);

}  // namespace coffer::audit
