// One request on its way through an operation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "audit/entries/entry.h"
#include "vault/access/access_policy.h"
#include "vault/access/caller.h"
#include "vault/access/principal_store.h"
#include "vault/access/reason_rule.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

// What a caller is about to do, before anything is decided.
struct Operation {
  Action action;
  OperationKind kind = OperationKind::kRead;
  std::optional<ClientId> client = {};        // that it is about, where it is known already
  const ClassSchema* record_class = nullptr;  // whose records it is about
  EntryRule entry = EntryRule::kAlways;       // kOnRefusal: a success says nothing of itself
};

struct Call {
  const Caller& caller;
  Action action;
  std::optional<TokenDigest> digest;  // of the token presented
  audit::Entry entry;
  std::optional<ClientId> subject = {};  // the client it is about
  OperationKind kind = OperationKind::kRead;
  const ClassSchema* record_class = nullptr;
  EntryRule entry_rule = EntryRule::kAlways;
  // Set by Identify, and valid until the transaction ends; null: nobody we know, or no token (a
  // certificate).
  const PrincipalRow* principal = nullptr;
  const TokenRow* token = nullptr;
  std::string_view credential_fault = {};
  PrincipalId actor = {};
  // Set by Authorize. The decision points into the role and, until the transaction ends, leases.
  std::shared_ptr<const RoleDocument> role = {};
  AccessDecision decision = {};
  // Records that this request is about to show plainly by a grant with a budget.
  std::uint64_t reveals = 0;
  ReasonRule reason_rule = ReasonRule::kClients;

  void About(const ClientId& client) {
    subject = client;
    entry.client = client.Text();
  }
};

// Of what the vault does by itself.
audit::Entry VaultEntry(std::string_view action);

// One more thing in the entry's detail.
void AddDetail(audit::Entry& entry, std::string_view text);

// Marks the entry as a refusal by the named check.
std::unexpected<Error> Deny(Call& call, std::string_view check, Code code, std::string_view reason);

// Marks the entry as a refusal because nothing is there for this caller.
std::unexpected<Error> NotFound(Call& call);

}  // namespace coffer::vault
