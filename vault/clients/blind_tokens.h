// By which values are found without being known: keyed hashes under the keyring's key.
#pragma once

#include <span>
#include <string_view>

#include "crypto/keyring.h"
#include "vault/catalog/class_schema.h"
#include "vault/clients/index_terms.h"

namespace coffer::vault {

BlindToken ReferenceToken(const crypto::Keyring& keyring, std::string_view external_ref);
BlindToken FieldToken(const crypto::Keyring& keyring, std::string_view class_name,
                      std::string_view field, std::string_view normalised);
// Of the values that a document has.
IndexTerms TermsOf(const crypto::Keyring& keyring, const ClassSchema& schema,
                   std::span<const Document::Indexed> indexed);

}  // namespace coffer::vault
