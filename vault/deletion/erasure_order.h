// What of a client is to be erased, and why.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/deletion/erasure.h"

namespace coffer::vault {

struct ErasureOrder {
  std::optional<ErasureId> id = {};  // none: a new one
  ErasureScope scope = ErasureScope::kClient;
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  std::vector<RecordId> records;  // of scope kRecords; of one class or several
  std::set<std::int64_t> rows;    // of scope kRecords, beside these: by their rows
  std::string detail;             // of each record's entry
  // By class, in the place of `detail`; then records of a whole client have entries too.
  std::map<std::string, std::string, std::less<>> class_details;
  // Of what was erased before: a profile, or a key, that does not open keeps nothing from going.
  bool replayed = false;
};

}  // namespace coffer::vault
