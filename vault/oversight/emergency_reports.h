// What an emergency access was used for.
#pragma once

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/oversight/emergency_report.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

class EmergencyReports {
 public:
  EmergencyReports(const Operations& operations, LogReaders& readers)
      : operations_(operations), readers_(readers) {}

  // With what was read and written under it.
  Result<EmergencyReport> GetEmergency(const Caller& caller, const EmergencyId& id,
                                       const LogPageRequest& page);

 private:
  const Operations& operations_;
  LogReaders& readers_;
};

}  // namespace coffer::vault
