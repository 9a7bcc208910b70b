// Erasures: what goes, why, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/engine/erasure_scope.h"

namespace coffer::vault {

// Neither a class nor records: the client with everything.
struct ErasureRequest {
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  std::vector<RecordId> records;  // at most 1000
};

struct Erasure {
  ErasureId id;
  ClientId client;
  ErasureScope scope = ErasureScope::kClient;
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  Timestamp erased;
  std::uint64_t records = 0, versions = 0;  // gone; versions: the old ones of these records
  std::uint64_t seq = 0;                    // of the log entry
  bool complete = false;                    // the key is destroyed and the ledger has it
};

}  // namespace coffer::vault
