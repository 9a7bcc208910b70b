// What protects people and outlives a restore, and what takes that back: each is a line of the
// ledger (audit/documents/ledger_act.h) before it is answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "audit/documents/ledger_act.h"
#include "crypto/bytes.h"
#include "crypto/keyring.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

using audit::ActKind;
using crypto::Bytes;

// As an operation says it.
struct ProtectiveAct {
  ActKind kind;
  std::string object;
  std::optional<ClientId> client = {};  // whose object it is
  std::string content = {};             // JSON, for who does it again
};

// As it is stored, and written to the ledger.
struct ActRow {
  ActId id;
  ActKind kind = ActKind::kHoldPlaced;
  std::string object;
  std::optional<ClientId> client;
  std::uint64_t seq = 0;  // the last entry of the operation
  Timestamp acted;
  Bytes sealed;

  // Of two with equal ones the later one counts.
  bool IsAboutSame(const ActRow& other) const {
    return SubjectOf(kind) == SubjectOf(other.kind) && object == other.object &&
           client == other.client;
  }
};

// Under a key that is the vault's own, and lives as long as its keyring: bound to the vault, the
// act and its object. A content that is too long for a line is left out.
ActRow SealedAct(const crypto::Keyring& keyring, const ProtectiveAct& act, std::uint64_t seq,
                 Timestamp now);
// Empty where there is none. Errors: kCorrupted.
Result<std::string> OpenAct(const crypto::Keyring& keyring, const ActRow& row);

}  // namespace coffer::vault
