#include "vault/deletion/erasure_procedure.h"

#include <nlohmann/json.hpp>

#include "vault/access/call.h"
#include "vault/base/names.h"
#include "vault/clients/index_builder.h"
#include "vault/deletion/deletion_options.h"
#include "vault/deletion/erase.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kDestroyWithin{10};
constexpr std::int64_t kFactDayMs = std::int64_t{24} * 3600 * 1000;

}  // namespace

std::string ErasureProcedure::StandingFacts() const {
  const OperatorDetails& details = options_.operator_details;
  json facts = {{"operator",
                 {{"name", details.name},
                  {"address", details.address},
                  {"processor_name", details.processor_name},
                  {"processor_address", details.processor_address},
                  {"system", details.system}}}};
  if (index_.backup_horizon_days) facts["backup_horizon_days"] = *index_.backup_horizon_days;
  // After so many days at the latest the key of today's search index is destroyed.
  facts["index_days"] = IndexBuilder::OverdueAfterMs(index_) / kFactDayMs;
  return MembersOf(facts.dump());
}

std::string ErasureProcedure::FactsOfCall(Transaction& transaction, const Call& call) const {
  json facts = {{"people", json::parse(PeopleText(transaction, PeopleOf(transaction, call)))}};
  if (IsTicket(call.caller.ticket)) facts["reference"] = call.caller.ticket;
  return StandingFacts() + "," + MembersOf(facts.dump());
}

Status ErasureProcedure::CompleteErasures(std::span<const ErasureRow> rows) const {
  if (rows.empty()) return {};
  if (!operations_.engine().AwaitDestroyed(rows, kDestroyWithin)) {
    return Fail(Code::kUnavailable, "erasure_unfinished",
                "another program holds keys.db; what was erased is gone, and its key is destroyed "
                "when that lets go");
  }
  return operations_.Record(VaultEntry({}), [&](Transaction& transaction) -> Status {
    transaction.LeaveNoOwnEntry();
    ErasureStore& erasures = transaction.stores().erasures;
    for (const ErasureRow& row : rows) {
      // Several may have waited for one.
      COFFER_ASSIGN(const bool completed, erasures.MarkComplete(row.id));
      if (!completed) continue;
      audit::Entry entry;
      entry.action = "erasure.completed";
      entry.client = row.client.Text();
      entry.detail = row.id.Text();
      transaction.Also(std::move(entry));
    }
    return {};
  });
}

Status ErasureProcedure::CompleteInterruptedErasures() const {
  std::vector<ErasureRow> unfinished;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(unfinished, transaction.stores().erasures.ListUnfinished());
    return {};
  }));
  // Those whose keys somebody holds are completed when they are destroyed.
  std::erase_if(unfinished,
                [](const ErasureRow& row) { return row.state == ErasureState::kCommitted; });
  return CompleteErasures(unfinished);
}

}  // namespace coffer::vault
