// A row of an import, and what became of it.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/clients/record.h"

namespace coffer::vault {

enum class ImportOutcome { kCreated, kUpdated, kUnchanged };

std::string_view Name(ImportOutcome outcome);

struct ImportRow {
  std::string external_ref;
  std::string class_name;
  std::string record_key;  // tells several records of one client and class apart; may be empty
  const nlohmann::json& data;
  bool accept_erased = false;  // as in ClientChange
  ChangeForm form = ChangeForm::kMergePatch;
  const Error* unreadable = nullptr;  // what is wrong with its form; it is refused for that
};

struct ImportResult {
  ImportOutcome outcome = ImportOutcome::kCreated;
  ClientId client;
  RecordId record;
  std::size_t removed = 0;  // fields that the record had, of those that the caller may see
};

}  // namespace coffer::vault
