// What the search index has of one record or client, as it stands sealed in its row: the tokens
// under the keyring's key. They are never in the index themselves (search_index.h), so that without
// the client's key nothing in the row, and without the generation's key nothing in the index, says
// what was indexed.
//
//   plaintext = format (1, 0x02) ‖ rules (u32 BE) ‖ class version (u32 BE) ‖ import (1: 0 or 1)
//               [‖ import token (16)] ‖ tokens (16 each)
//
// Rules: crypto::SearchRules. Format 1 has one byte of them, which is 1, and is written no more.
// Sealed with AES-256-GCM under the client's key, bound to vault, client and row. A row of before
// has its tokens in clear, whose length is a multiple of 16; that of an envelope never is.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/blind_index.h"
#include "crypto/bytes.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "crypto/search_form.h"
#include "vault/base/ids.h"
#include "vault/engine/client_keys.h"

namespace coffer::vault {

using crypto::BlindToken;
using crypto::Bytes;
using crypto::ByteView;

inline constexpr std::size_t kTokenBytes = std::tuple_size_v<BlindToken>;

struct IndexTerms {
  std::uint64_t class_version = 0;  // whose indexed fields these are
  // By which forms of values (crypto/search_form.h): what was made by other rules is made anew.
  std::uint32_t rules = crypto::SearchRules();
  std::optional<BlindToken> import_token;
  Bytes tokens;  // of the indexed fields, 16 bytes each

  bool operator==(const IndexTerms&) const = default;
  bool empty() const { return tokens.empty() && !import_token; }
};

inline bool IsSealed(ByteView stored) { return stored.size() % kTokenBytes != 0; }

// Nothing to keep secret is not sealed: empty.
Bytes SealTerms(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                const crypto::Id128& row, const IndexTerms& terms);
// Of a sealed value only. Errors: kCorrupted.
Result<IndexTerms> OpenTerms(const crypto::Keyring& keyring, const ClientKeys& keys,
                             const ClientId& client, const crypto::Id128& row, ByteView sealed);

// The token of a client's external reference, in its row.
Bytes SealReference(const crypto::Keyring& keyring, const ClientKeys& keys, const ClientId& client,
                    const BlindToken& token);
// In clear or sealed. Errors: kCorrupted.
Result<BlindToken> OpenReference(const crypto::Keyring& keyring, const ClientKeys& keys,
                                 const ClientId& client, ByteView stored);

}  // namespace coffer::vault
