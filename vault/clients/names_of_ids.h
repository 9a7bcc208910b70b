// What ids are called.
#pragma once

#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/known_names.h"
#include "vault/access/operations.h"

namespace coffer::vault {

class NamesOfIds {
 public:
  explicit NamesOfIds(const Operations& operations) : operations_(operations) {}

  // What these are called now, of those that the caller may know: principals whoever may list them
  // or read the log; clients whoever states a purpose for which the caller's role may read them,
  // each with an entry of its own. Nothing about those that are unknown, erased, or have no name.
  // For the ids in an answer that the caller is about to get.
  Result<std::vector<KnownName>> NamesOf(const Caller& caller, IdsToName ids);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
