// What a run of the retention schedule does about one client: erases what is due, restricts it, or
// marks it for a person.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vault/access/client_row.h"
#include "vault/access/operations.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/retention_decisions.h"
#include "vault/deletion/retention_store.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

struct ErasureOrder;
class StepwiseResealing;

// What one operation of a run has done.
struct TreatedClients {
  std::vector<ErasureRow> erasures;  // without facts
  std::size_t clients = 0;           // gone through
  std::uint64_t records = 0;         // erased
  std::uint64_t work = 0;            // these, and what was sealed again
  // The next one is large: a step was taken, and it is to be treated again. Of this client, where
  // somebody else takes the steps.
  bool unfinished = false;
  std::optional<ClientId> waits_for = {};
};

class RetentionTreatment {
 public:
  // `people`: who is to be named in the acts of the run, as JSON. The procedure must outlive this.
  RetentionTreatment(const ErasureProcedure& procedure, RetentionDecisions decisions,
                     std::string people);
  ~RetentionTreatment();
  const RetentionDecisions& decisions() const { return decisions_; }
  void Follow(const Catalog& catalog) { decisions_.Follow(catalog); }

  // With `erase` false what is due to be erased counts as failed. `run` gets the counts, and
  // `treated` the erasures and their work. Each record that is due is counted once: nothing is
  // where the client is left unfinished.
  Status Treat(Transaction& transaction, RunRow& run, std::int64_t row, bool erase,
               TreatedClients& treated);
  // After an operation that failed.
  void DropSteps();
  // All that is due of a client that cannot be treated counts as failed.
  Status CountAsFailed(Transaction& transaction, RunRow& run, std::int64_t row) const;

 private:
  using Policies = std::set<const RetentionPolicy*>;
  // What entries and acts say of the policies that are applied.
  struct PolicyWords {
    std::string names;  // joined, for entries
    std::string facts;  // members
  };

  Status Erase(Transaction& transaction, const RunRow& run, const ClientRow& client,
               const ErasureOrder& order, const Policies& policies, TreatedClients& treated);
  const PolicyWords& WordsOf(const Policies& policies, const RunRow& run);

  // True: what is to be erased of the client can be, in this operation.
  Result<bool> TakeStep(Transaction& transaction, const ClientRow& client,
                        const ErasureOrder& order, TreatedClients& treated);

  const ErasureProcedure& procedure_;
  const Operations& operations_;
  RetentionDecisions decisions_;
  std::string people_;
  std::map<Policies, PolicyWords> words_;
  // Of the large client that is being treated.
  struct Steps {
    ClientId client;
    std::unique_ptr<StepwiseResealing> resealing;
  };
  std::optional<Steps> steps_;
};

}  // namespace coffer::vault
