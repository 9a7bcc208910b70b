// Chosen fields of one client, shown for a time.
#pragma once

#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/lease.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class Leases {
 public:
  explicit Leases(const Operations& operations) : operations_(operations) {}

  // Errors: kUnprocessable "principal_unknown", "lease_invalid" with issues.
  Result<Lease> GiveLease(const Caller& caller, const ClientId& client,
                          const LeaseRequest& request);
  Result<Lease> EndLease(const Caller& caller, const ClientId& client, const LeaseId& id);
  Result<std::vector<Lease>> ListLeases(const Caller& caller, const ClientId& client);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
