// Clients and records, taken in from elsewhere.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/clients/import.h"

namespace coffer::vault {

class Imports {
 public:
  explicit Imports(const Operations& operations) : operations_(operations) {}

  // Whether the caller may import records of this class at all: what is refused here is refused of
  // each of them. A success leaves no entry, a refusal does.
  Status MayImport(const Caller& caller, std::string_view class_name);
  // One client by external reference and one record of it: made, updated or left as they are. What
  // is merged is changed as by UpdateRecord: by who reads a field and writes it.
  Result<ImportResult> ImportRecord(const Caller& caller, const ImportRow& row);
  // The same of each of many, in their order and in few commits, while others are served before
  // them. Each has its decision, its entries and its answer of its own, whatever becomes of the
  // others.
  std::vector<Result<ImportResult>> ImportRecords(const Caller& caller,
                                                  std::span<const ImportRow> rows);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
