// Clients and records, found by a value.
#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"
#include "vault/clients/search.h"

namespace coffer::vault {

class Searches {
 public:
  Searches(const Operations& operations, std::size_t rows_compared)
      : operations_(operations), rows_compared_(rows_compared) {}

  Result<SearchPage> SearchByField(const Caller& caller, std::string_view class_name,
                                   std::string_view field, std::string_view value,
                                   const PageRequest& page);
  Result<Page<SearchHit>> SearchByReference(const Caller& caller, std::string_view external_ref);

 private:
  const Operations& operations_;
  const std::size_t rows_compared_;
};

}  // namespace coffer::vault
