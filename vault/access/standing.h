// What an account has from others, or is part of, and loses when its role changes or it is
// disabled: sessions, leases, emergency access, and approvals that it asked for or gave. What is
// lost does not come back with the role. Each leaves an entry of its own.
#pragma once

#include "vault/access/approval.h"
#include "vault/access/approval_store.h"
#include "vault/catalog/catalog_store.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

enum class StandingLoss { kRole, kDisabled };

Status EndStandingOf(Transaction& transaction, const PrincipalId& principal, StandingLoss why);

// Of the role, class or schedule that such an action replaces; 0: there is none yet. Nothing: the
// action replaces none of these.
std::optional<std::uint64_t> TargetVersion(const Catalog& catalog, std::string_view action,
                                           std::string_view target);

// Why an approval that was not used yet counts no more, as things are now: whoever asked or
// approved was disabled, is one person with the other, or has a role that may not approve this; or
// the role, class or schedule that it was to replace has been replaced since.
std::optional<ApprovalEnd> WhyVoid(const Transaction& transaction, const ApprovalRow& row);

}  // namespace coffer::vault
