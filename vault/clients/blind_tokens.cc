#include "vault/clients/blind_tokens.h"

#include "crypto/blind_index.h"

namespace coffer::vault {

BlindToken ReferenceToken(const crypto::Keyring& keyring, std::string_view external_ref) {
  return crypto::ComputeBlindToken(keyring.blind_index_key(), "client/external_ref", external_ref);
}

BlindToken FieldToken(const crypto::Keyring& keyring, std::string_view class_name,
                      std::string_view field, std::string_view normalised) {
  std::string domain = "record/";
  domain += class_name;
  domain += '/';
  domain += field;
  return crypto::ComputeBlindToken(keyring.blind_index_key(), domain, normalised);
}

IndexTerms TermsOf(const crypto::Keyring& keyring, const ClassSchema& schema,
                   std::span<const Document::Indexed> indexed) {
  IndexTerms terms;
  terms.class_version = schema.version;
  terms.tokens.reserve(indexed.size() * kTokenBytes);
  for (const auto& value : indexed) {
    const BlindToken token = FieldToken(keyring, schema.name, value.field, value.normalised);
    terms.tokens.insert(terms.tokens.end(), token.begin(), token.end());
  }
  return terms;
}

}  // namespace coffer::vault
