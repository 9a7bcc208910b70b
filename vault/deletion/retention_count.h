// What a run of the retention schedule ends without: of a failed one what it did not come to, and
// of any what nobody can call due, as the schedule's calendar ends before.
#pragma once

#include "vault/base/function_ref.h"
#include "vault/deletion/retention_decisions.h"
#include "vault/deletion/retention_store.h"

namespace coffer::vault {

// Into `run`, whose position says how far it came. Looks at the index alone, in parts that hold up
// the WAL for a moment each. False: `stopping` said so in between, and `run` is of no use.
Result<bool> CountRest(RetentionStore& store, const RetentionDecisions& decisions, bool failed,
                       FunctionRef<bool()> stopping, RunRow& run);

}  // namespace coffer::vault
