// Unicode forms of a text that is secret. Unlike Normalise() of blind_index.h, no copy is left on
// the heap: what ICU works in is locked and zeroed, as the result is.
#pragma once

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

inline constexpr std::size_t kMaxSecretTextBytes = 4096;

// Normalization Form C (Unicode Standard Annex 15): two keyboards that write one text differently
// give the same bytes. Nothing else is changed: case and white space stay.
//
// Errors: kUnprocessable "text_not_normalisable" for what is no valid UTF-8, has a U+0000, or is
// longer than kMaxSecretTextBytes. `detail` never repeats the text. Empty gives empty.
Result<SecretBytes> NormaliseSecretText(const SecretBytes& text);

// As above, with full case folding, for comparing whether two secrets are the same but for case.
Result<SecretBytes> FoldSecretText(const SecretBytes& text);

}  // namespace coffer::crypto
