// What a bulk export, or a client's package, hands out.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "vault/clients/client.h"
#include "vault/clients/record.h"

namespace coffer::vault {

struct ExportPage {
  std::vector<std::variant<ClientInfo, RecordInfo>> lines;  // each client before its records
  std::string next_cursor;                                  // empty at the end
};

}  // namespace coffer::vault
