// What every erasure goes through, whoever asked for it: large clients one at a time, the ledger,
// what acts will say, and the entries that say that it is complete.
#pragma once

#include <set>
#include <span>
#include <string>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/clients/index_options.h"
#include "vault/deletion/deletion_options.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/deletion/erasure_turns.h"

namespace coffer::vault {

class ErasureProcedure {
 public:
  ErasureProcedure(const Operations& operations, ErasureLedger& ledger, DeletionOptions options,
                   IndexOptions index)
      : operations_(operations),
        ledger_(ledger),
        options_(std::move(options)),
        index_(std::move(index)) {}

  const Operations& operations() const { return operations_; }
  ErasureLedger& ledger() const { return ledger_; }
  ErasureTurns& turns() const { return turns_; }
  const DeletionOptions& options() const { return options_; }

  // What acts will say, as it is now, as members of a JSON object without its braces: of the
  // operator, which is the same for all; of whoever asked, too.
  std::string StandingFacts() const;
  std::string FactsOfCall(Transaction& transaction, const Call& call) const;
  // Their keys are destroyed, and the ledger has them: entries that say so.
  Status CompleteErasures(std::span<const ErasureRow> rows) const;
  Status CompleteInterruptedErasures() const;
  // What the ledger has and the vault has not is erased again: an older state was opened. What the
  // vault has and the ledger has not is added to it. Both by the records, not by the erasures. What
  // neither has any more is named.
  Status ReconcileLedger() const;

 private:
  Status NameIncomplete(const std::set<ErasureId>& known,
                        const std::set<std::string>& mended) const;
  // Of one client, in one operation: what stays is sealed again once.
  Status Replay(std::span<const ErasureRow> found) const;

  const Operations& operations_;
  ErasureLedger& ledger_;
  const DeletionOptions options_;
  const IndexOptions index_;
  mutable ErasureTurns turns_;
};

}  // namespace coffer::vault
