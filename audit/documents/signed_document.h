// Documents that the log's key signs: a signed note over three lines, the name of the format, the
// log's origin, and the document as canonical JSON.
//
// No checkpoint and no manifest reads like it: their third lines are base64 and hexadecimal digits,
// this one begins with a brace.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// Errors: kTooLarge "document_too_large" when the note would be longer than signed notes may be
// (64 KiB).
Result<std::string> SignDocument(std::string_view format, std::string_view json,
                                 std::string_view name, const crypto::SigningKey& key);

// The document in a note, of which no signature is checked. Errors: kCorrupted "note_malformed".
Result<std::string_view> DocumentIn(std::string_view note, std::string_view format);

// The key of `trusted` that signed the note, whose origin is that key's name. Errors: kCorrupted
// "note_malformed", "note_signature_missing" (none of these keys), "note_signature_wrong",
// "note_origin_wrong".
Result<VerifierKey> VerifyDocument(std::string_view note, std::string_view format,
                                   std::span<const VerifierKey> trusted);

}  // namespace coffer::audit
