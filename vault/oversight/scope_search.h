// Walks the log for the entries of whoever is asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/base/network.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/breach_scope.h"
#include "vault/oversight/scope_counter.h"

namespace coffer::vault {

// Who is asked for, as the log has it.
struct ScopeSubject {
  // A token or session: as entries name it; for those from before they did, its principal and from
  // when to when it could be used.
  std::string auth;      // "token:tok_…", "session:ses_…"; empty: any
  std::string old_auth;  // "token", "session"
  std::string owner;
  std::optional<Timestamp> usable_from, usable_to;  // of a known one
  std::string actor;                                // empty: any
  std::optional<Network> network;
  std::optional<Timestamp> from, to;
  std::optional<std::uint64_t> size;  // of the log, that a first page was made of
};

// Takes the entries of `log` that are the subject's. Errors: those of the counter.
Status SearchScope(LogStore& log, const ScopeSubject& subject, BreachScope& scope,
                   ScopeCounter& counter);

}  // namespace coffer::vault
