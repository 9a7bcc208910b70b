// A client as it is stored, and where decisions find it: what is stored of clients lies above them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/blind_index.h"
#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

using crypto::BlindToken;
using crypto::Bytes;

enum class ClientState { kActive = 1 };

struct ClientRow {
  ClientId id;
  ClientState state = ClientState::kActive;
  std::uint64_t version = 1;
  Timestamp created, updated;
  std::string tags;  // sorted, separated by single spaces
  Bytes profile;     // sealed
  Bytes ref;         // token of the external reference, as stored (index_terms.h); empty: none
  std::uint64_t generation = 0;  // of its key
  std::optional<Timestamp> relationship_end;
  // What `ref` has, opened. Whoever changes or deletes a row fills it in before.
  std::optional<BlindToken> reference = {};
};

// Engine thread only.
class ClientDirectory {
 public:
  virtual ~ClientDirectory() = default;
  virtual Result<std::optional<ClientRow>> FindClient(const ClientId& client) = 0;
};

}  // namespace coffer::vault
