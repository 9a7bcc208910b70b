// The scope of a breach, told from the log. It is read by walking the entries of the time
// themselves, not by the log's index: the index is derived, and a client that it left out would not
// be told. Beside the engine, in a thread of the caller's.
#pragma once

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/engine/snapshot_reader.h"
#include "vault/oversight/breach_scope.h"
#include "vault/oversight/scope_search.h"

namespace coffer::vault {

class BreachScopes {
 public:
  BreachScopes(const Operations& operations, SnapshotReaders& snapshots)
      : operations_(operations), snapshots_(snapshots) {}

  // Errors: kUnprocessable "scope_invalid" with issues; kInvalidArgument "filter_unknown" for a
  // token or a principal that neither the vault nor its log knows, "cursor_invalid"; kUnprocessable
  // "scope_too_large".
  Result<BreachScope> FindScope(const Caller& caller, const ScopeCriteria& criteria,
                                const ScopePage& page);
  // The same without its clients, for what is done with it: `call` is authorised by this, as
  // FindScope's is.
  Result<BreachScope> CountScope(Call& call, const ScopeCriteria& criteria);

 private:
  Result<BreachScope> Search(Call& call, const ScopeCriteria& criteria, const ScopePage& page);

  const Operations& operations_;
  SnapshotReaders& snapshots_;
};

// What is wrong with criteria before anything is looked up. An address gets its own spelling.
std::vector<Issue> NormaliseCriteria(ScopeCriteria& criteria);

}  // namespace coffer::vault
