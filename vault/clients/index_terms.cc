#include "vault/clients/index_terms.h"

#include <algorithm>

#include "crypto/aead.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kTokensLabel = "coffer-tokens-v1";
constexpr std::uint8_t kTermsFormat = 2, kFirstTermsFormat = 1;
constexpr std::size_t kTermsHeader = 1 + 4 + 4 + 1, kFirstTermsHeader = 1 + 1 + 4 + 1;
static_assert((crypto::kAeadOverhead + kTermsHeader) % kTokenBytes != 0);

Bytes TokensContext(const crypto::Keyring& keyring, const ClientId& client,
                    const crypto::Id128& row) {
  Bytes context;
  context.reserve(kTokensLabel.size() + 48);
  for (const ByteView part : {crypto::AsBytes(kTokensLabel), ByteView(keyring.vault_id()),
                              ByteView(client.value), ByteView(row)}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

std::unexpected<Error> MalformedTerms() {
  return Fail(Code::kCorrupted, "storage_corrupted", "the tokens of a row");
}

}  // namespace

Bytes SealTerms(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                const crypto::Id128& row, const IndexTerms& terms) {
  if (terms.empty()) return {};
  Bytes plain;
  plain.reserve(kTermsHeader + kTokenBytes + terms.tokens.size());
  plain.push_back(kTermsFormat);
  for (const auto number : {std::uint64_t{terms.rules}, terms.class_version}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      plain.push_back(static_cast<std::uint8_t>(number >> shift));
    }
  }
  plain.push_back(terms.import_token ? 1 : 0);
  if (terms.import_token) {
    plain.insert(plain.end(), terms.import_token->begin(), terms.import_token->end());
  }
  plain.insert(plain.end(), terms.tokens.begin(), terms.tokens.end());
  return keys.Seal(TokensContext(keyring, client, row), plain);
}

Result<IndexTerms> OpenTerms(const crypto::Keyring& keyring, const ClientKeys& keys,
                             const ClientId& client, const crypto::Id128& row, ByteView sealed) {
  COFFER_ASSIGN(const Bytes plain, keys.Open(TokensContext(keyring, client, row), sealed));
  const bool first = !plain.empty() && plain[0] == kFirstTermsFormat;
  std::size_t at = first ? kFirstTermsHeader : kTermsHeader;
  if (plain.size() < at || (!first && plain[0] != kTermsFormat)) return MalformedTerms();
  IndexTerms terms;
  terms.rules = 0;
  const std::size_t version = at - 5;
  for (std::size_t i = 1; i < version; ++i) terms.rules = terms.rules << 8 | plain[i];
  for (std::size_t i = version; i < version + 4; ++i) {
    terms.class_version = terms.class_version << 8 | plain[i];
  }
  if (plain[at - 1] != 0) {
    if (plain.size() < at + kTokenBytes) return MalformedTerms();
    std::copy_n(plain.begin() + static_cast<std::ptrdiff_t>(at), kTokenBytes,
                terms.import_token.emplace().begin());
    at += kTokenBytes;
  }
  terms.tokens.assign(plain.begin() + static_cast<std::ptrdiff_t>(at), plain.end());
  if (terms.tokens.size() % kTokenBytes != 0) return MalformedTerms();
  return terms;
}

Bytes SealReference(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                    const BlindToken& token) {
  return keys.Seal(TokensContext(keyring, client, client.value), token);
}

Result<BlindToken> OpenReference(const crypto::Keyring& keyring, const ClientKeys& keys,
                                 const ClientId& client, ByteView stored) {
  Bytes opened;
  if (stored.size() != kTokenBytes) {
    COFFER_ASSIGN(opened, keys.Open(TokensContext(keyring, client, client.value), stored));
    stored = opened;
    if (stored.size() != kTokenBytes) return MalformedTerms();
  }
  BlindToken token{};
  std::ranges::copy(stored, token.begin());
  return token;
}

}  // namespace coffer::vault
