// Records of clients.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/deletion_guard.h"
#include "vault/clients/idempotency.h"
#include "vault/clients/record.h"

namespace coffer::vault {

class Records {
 public:
  Records(const Operations& operations, const DeletionGuard& guard)
      : operations_(operations), guard_(guard) {}

  Result<RecordInfo> CreateRecord(const Caller& caller, const ClientId& client,
                                  std::string_view class_name, const nlohmann::json& data,
                                  const Idempotency& idempotency);
  Result<RecordInfo> GetRecord(const Caller& caller, const ClientId& client, const RecordId& id);
  Result<RecordInfo> GetRecordVersion(const Caller& caller, const ClientId& client,
                                      const RecordId& id, std::uint64_t version);
  Result<std::vector<VersionInfo>> ListVersions(const Caller& caller, const ClientId& client,
                                                const RecordId& id);
  Result<Page<RecordInfo>> ListRecords(const Caller& caller, const ClientId& client,
                                       std::string_view class_name, bool with_data,
                                       const PageRequest& page);
  Result<RecordInfo> UpdateRecord(const Caller& caller, const ClientId& client, const RecordId& id,
                                  std::uint64_t if_version, const nlohmann::json& data,
                                  ChangeForm form = ChangeForm::kWhole);
  Status DeleteRecord(const Caller& caller, const ClientId& client, const RecordId& id,
                      std::optional<std::uint64_t> if_version);

 private:
  const Operations& operations_;
  const DeletionGuard& guard_;
};

}  // namespace coffer::vault
