// What a search finds.
#pragma once

#include <optional>

#include "vault/base/ids.h"
#include "vault/base/page.h"

namespace coffer::vault {

struct SearchHit {
  ClientId client;
  std::optional<RecordId> record;
};

struct SearchPage : Page<SearchHit> {
  // False while the index is made by other rules than before, in a vault with many records: those
  // that were not come to yet are found by the spellings that found them before.
  bool whole = true;
};

}  // namespace coffer::vault
