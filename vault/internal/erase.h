// What an erasure does to the stores, whoever asked for it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vault/internal/core.h"

namespace coffer::vault {

// What stays of a client is sealed again under a new key: other bytes of the same version.
inline constexpr std::string_view kRecordReseal = "record.reseal";
inline constexpr std::string_view kClientReseal = "client.reseal";

inline constexpr std::string_view kErasureReplayed = "erasure.replayed";

struct ErasureOrder {
  ErasureScope scope = ErasureScope::kClient;
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  std::vector<RecordId> records;  // of scope kRecords; of one class or several
  std::string detail;             // of each record's entry
};

struct ClassCount {
  std::uint64_t records = 0, versions = 0;
};
struct ErasedContent {
  ErasureRow row;  // with the sequence that the next entry has, and without facts
  std::map<std::string, ClassCount, std::less<>> gone, kept;  // by class
};

// Rows, old versions, index tokens, notes, idempotency residues; where something stays, a new key
// for it. Leaves an entry for each record that goes one by one, and for each that is sealed again.
// The caller stores the row (RegisterErasure) and leaves the entry about the erasure itself next.
Result<ErasedContent> EraseContent(const Vault::Core& core, Transaction& transaction,
                                   const ClientRow& client, const ErasureOrder& order);
// The row is complete: from the commit on its key dies and the ledger has it.
Status RegisterErasure(Transaction& transaction, ErasureRow row);

}  // namespace coffer::vault
